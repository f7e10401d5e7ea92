"""Limit on what members ask for: each request is recorded for good, also one that is refused."""

from datetime import timedelta

from core import clock
from identity.rate_limits import RateLimit
from merchants.models import Member

PER_MEMBER = RateLimit("claim-requests", 30, timedelta(minutes=1))


def allows(member: Member) -> bool:
    """Count a request of a member for an offer or an allowance. Return True if it is within the limit."""
    return PER_MEMBER.allows(str(member.pk), at=clock.real())
