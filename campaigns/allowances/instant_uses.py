"""Instant uses: record uses of one name and decide them now, ahead of the next tick, by the rules of the tick."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext as _

from campaigns.allowances import published, settling, unsettled, writing
from campaigns.allowances.published import UseGroup
from campaigns.allowances.settling import Settlement
from campaigns.models import Allowance, UsageDecision
from core.db.compiled_queries import AnyOfParameter, compiled_query, instant
from core.db.pipeline import outside_pipeline, pipeline
from imports import at_once
from imports.models import USES, ImportBatch
from imports.schema import Check
from services.models import ClaimRequest, Usage

COLUMNS = ("usage_no", "merchant_id", "account_id", "use", "quantity", "buyer_id", "used_at")
TICK, NEAR = timedelta(microseconds=1), timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class NewUse:
    """Use that is about to happen."""

    number: str
    merchant: str
    account: str | None
    use: str
    quantity: int = 1
    buyer: str | None = None


@dataclass(frozen=True)
class LockedUses:
    """The uses of one name, locked until the transaction ends: nobody else decides any."""

    group: UseGroup
    decided_until: datetime | None


def lock(use: str) -> LockedUses:
    """Lock the uses of a name until the transaction ends. Read the instant of the new uses after that."""
    return LockedUses(*published.hold_group(use))


def spend(locked: LockedUses, new: Sequence[NewUse], *, at: datetime) -> dict[str, UsageDecision]:
    """Record uses at an instant and decide them, in the order of their numbers. Returns the decisions by number.

    The uses are new, and their merchants, accounts and buyers exist. The instant is moved behind that up to which uses
    were decided, and behind that of other uses of a merchant: none that was answered is decided again.
    """
    if locked.decided_until is not None:
        at = max(at, locked.decided_until + TICK)
    merchants = sorted({one.merchant for one in new})
    with pipeline():
        at, open_ = _free_instant(locked, merchants, at)
        rows = [(one.number, one.merchant, one.account, one.use, one.quantity, one.buyer, at) for one in new]
        at_once.record(Usage, COLUMNS, rows, source=USES, at=at)
        decided: dict[str, UsageDecision] = {}
        if settled := [merchant for merchant in merchants if merchant not in open_]:
            buyers = sorted({one.buyer for one in new if one.buyer})
            decided |= _store(settling.append(locked.group, settled, buyers, at=at), at)
        if rest := [(merchant, locked.group.since(at)) for merchant in merchants if merchant in open_]:
            with outside_pipeline():
                decided |= _store(settling.settle(locked.group, rest, until=at), at)
    return {one.number: decided[one.number] for one in new}


def _store(settlement: Settlement, at: datetime) -> dict[str, UsageDecision]:
    writing.store(settlement, at=at)
    return writing.decisions(settlement)


def collect(locked: LockedUses, request_no: str, *, code: str, merchant: str, account: str, at: datetime) -> bool:
    """Record a request for an allowance and decide it. Returns whether it collected the allowance.

    A request whose number is recorded already is left as it is. The instant is moved behind the merchant's requests at
    that instant: of equal ones the lower number would come first.
    """
    if locked.decided_until is not None:
        at = max(at, locked.decided_until + TICK)
    near = ClaimRequest.objects.filter(offer=code, merchant=merchant, requested_at__gte=at, requested_at__lt=at + NEAR)
    if latest := near.aggregate(latest=Max("requested_at"))["latest"]:
        at = latest + TICK
    if not ClaimRequest.objects.filter(pk=request_no).exists():
        batch = ImportBatch.objects.create(source="now: claim_requests", recorded_at=at, rows=1, added=1)
        ClaimRequest.objects.create(
            request_no=request_no, offer=code, merchant_id=merchant, account_id=account, requested_at=at, batch=batch
        )
        writing.store(settling.settle(locked.group, [(merchant, at)], until=at), at=at)
    return Allowance.objects.filter(merchant=merchant, request_no=request_no).exists()


def _free_instant(locked: LockedUses, merchants: Sequence[str], at: datetime) -> tuple[datetime, set[str]]:
    """Return an instant, or one little later at which none of the merchants has a use, and who is unsettled then."""
    group, since = locked.group, locked.decided_until
    fetch = _latest_passed(group).execute_deferred(merchants=merchants, at=at, end=at + NEAR)
    fetch_unsettled = unsettled.send(group, merchants, since=since, at=at)
    latest, found = fetch(), fetch_unsettled()
    if not latest:
        return at, found
    at = latest[0][0] + TICK
    return at, unsettled.send(group, merchants, since=since, at=at)()


@compiled_query
def _latest_passed(group: UseGroup) -> "QuerySet[Usage, Any]":
    """Select the latest use from an instant on that is near or decided: the clock of another server may be ahead."""
    later = Usage.objects.filter(AnyOfParameter("merchant_id", "merchants"), group.q(), used_at__gte=instant("at"))
    passed = later.filter(Q(used_at__lt=instant("end")) | Q(decision__isnull=False))
    return passed.order_by("-used_at").values_list("used_at")[:1]


def uses_by_buyer() -> set[str]:
    """Return the uses of which an allowance counts buyers: each needs a buyer, and has the quantity 1."""
    return {one.terms.use for one in published.published() if one.terms.is_by_buyer}


def checks_of_rows() -> list[Check]:
    """Return the checks of rows of uses that take units by buyer. One query for a whole file."""
    by_buyer = uses_by_buyer()
    return [
        Check(("use", "buyer_code"), lambda use, buyer: buyer_missing(use, buyer, by_buyer)),
        Check(("use", "quantity"), lambda use, quantity: quantity_wrong(use, quantity, by_buyer)),
    ]


def buyer_missing(use: str, buyer: str | None, by_buyer: set[str]) -> str | None:
    """Return the reason against a use without the buyer that it needs, None without a fault."""
    return _("is empty, but %(use)s takes units by buyer") % {"use": use} if use in by_buyer and not buyer else None


def quantity_wrong(use: str, quantity: int, by_buyer: set[str]) -> str | None:
    """Return the reason against a quantity that a use cannot have, None without a fault."""
    wrong = use in by_buyer and quantity != 1
    return _("%(use)s takes units by buyer: write 1, or leave it empty") % {"use": use} if wrong else None
