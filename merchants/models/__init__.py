"""Facts about merchants, and who may come in for them."""

from merchants.models.facts import (
    Account,
    Batch,
    Fact,
    Interval,
    Membership,
    Merchant,
    Penalty,
    ReferenceValue,
    ServicePackage,
)
from merchants.models.people import ApiKey, Member, Session, Tries, calendar_key
from merchants.models.upload import Upload

__all__ = [
    "Account",
    "ApiKey",
    "Batch",
    "Fact",
    "Interval",
    "Member",
    "Membership",
    "Merchant",
    "Penalty",
    "ReferenceValue",
    "ServicePackage",
    "Session",
    "Tries",
    "Upload",
    "calendar_key",
]
