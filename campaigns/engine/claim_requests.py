"""Claim requests that reach this server: recorded with an instant of its own each, and decided at once.

The server stamps a request while it holds the locks of the offers, each later than the one before. So the instants are
the order in which requests are decided, whichever process they reach: first come, first served.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from campaigns.engine import coupon_steps, instant_claims
from campaigns.engine.instant_claims import LockedOffers
from campaigns.models import Decision
from core.db.compiled_queries import compiled_query, text
from core.db.errors import is_transient
from imports import at_once, registry
from services.facts import CLAIM_REQUESTS
from services.import_schemas import CLAIM_REQUESTS as SCHEMA
from services.models import ClaimRequest

SUBJECT = CLAIM_REQUESTS.subject
COLUMNS = ("request_no", "offer", "merchant_id", "account_id", "requested_at")
INSTANT = timedelta(microseconds=1)
MOST_AHEAD = timedelta(seconds=1)
"""Most that a stamp is later than the clock: a clock that was set back must not stamp all requests in the future."""


@dataclass(frozen=True, kw_only=True)
class NewRequest:
    """Request of an account of a merchant for the offer or allowance with a code. `number` is its key."""

    number: str
    offer: str
    merchant: str
    account: str


def can_be_requested(code: str) -> bool:
    """Return whether a request may name the code: one that an import of such requests accepts."""
    return bool(_requestable()(code=code))


@compiled_query
def _requestable() -> "QuerySet[Any, Any]":
    known = (known for known in registry.known_values(SCHEMA) if known.column == "offer")
    first, *rest = (values().filter(code=text("code")).values_list("code") for each in known for values in each.values)
    return first.union(*rest)


def record(locked: LockedOffers, requests: Sequence[NewRequest], *, at: datetime, by: str) -> datetime:
    """Record requests in their order, from `at` on, and return the instant of the last.

    Call it with the offers locked. A request whose number is recorded already is left as it is.
    """
    last = [row.instant_claims_decided_until for offer in locked.offers if (row := offer.row)]
    first = max([at, *(min(mark + INSTANT, at + MOST_AHEAD) for mark in last if mark is not None)])
    rows = [(new.number, new.offer, new.merchant, new.account, first + n * INSTANT) for n, new in enumerate(requests)]
    at_once.record(ClaimRequest, COLUMNS, rows, source=f"requests: {by}", at=at)
    return first + len(requests) * INSTANT


def request(new: NewRequest, *, at: datetime, by: str) -> list[Decision]:
    """Record a request and decide it. A request whose number is recorded already is decided as it was.

    Its coupons are issued when that is committed. Returns the decisions of the offers, by code.
    """
    try:
        locked, decisions = _request(new, instant_claims.decide, at=at, by=by)
    except Exception as error:
        if is_transient(error):
            raise
        locked, decisions = _request(new, instant_claims.decide_apart, at=at, by=by)
    granted = {decision.offer_id for decision in decisions if decision.outcome == Decision.Outcome.GRANTED}
    for offer in locked.offers:
        if offer.id in granted and offer.terms.bundle is not None:
            coupon_steps.issue(offer, at=at)
    return decisions


@transaction.atomic
def _request(
    new: NewRequest, decide: Callable[..., list[Decision]], *, at: datetime, by: str
) -> tuple[LockedOffers, list[Decision]]:
    locked = instant_claims.lock_offers(SUBJECT, requested=new.offer)
    if not ClaimRequest.objects.filter(pk=new.number).exists():
        at = record(locked, [new], at=at, by=by)
    return locked, decide(locked, [new.number], at=at)
