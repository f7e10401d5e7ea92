"""Where a merchant stands with an offer: what it has, what is missing, until when.

What depends on the merchant alone is asked of the merchant, by the conditions that decide; what an order must be like
is told in words. So what is shown as open is what a claim would find.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any

from django.db.models import Count, Sum

from campaigns.eligibility import claims, threshold_tags
from campaigns.eligibility.explanations import ConditionResult, nth_progress, number_counted, reason, threshold_progress
from campaigns.models import Coupon, Grant
from campaigns.offers import schedule
from campaigns.offers.published_offers import PublishedOffer
from definitions.offer_terms import ClaimNth
from merchants.facts import MERCHANTS
from merchants.models import Merchant
from rules.conditions import AnyOf, Comparison, Condition, Counting, InForce, as_boolean
from rules.query_row import QueryRow
from rules.sentences import describe
from rules.time_windows import Bound

FEW = 5  # of a hundred places: so few left is running out


class Kind(IntEnum):
    """Where a merchant stands, in the order in which it wants to know."""

    YOURS = 1
    REACH = 2
    RUNNING_OUT = 3
    SOON = 4
    NOT_FOR_YOU = 5
    OVER = 6


@dataclass(frozen=True)
class Held:
    """Grants, or coupons, of one state: how many, worth how much together."""

    status: str
    label: str
    count: int
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class MerchantOfferStatus:
    """One merchant and one offer as of an instant. `left` and `own_left` are places; None where there is no limit."""

    offer: PublishedOffer
    kind: Kind
    reasons: tuple[ConditionResult, ...]
    asks: tuple[str, ...]
    progress: ConditionResult | None
    grants: tuple[Held, ...]
    coupons: tuple[Held, ...]
    left: int | None
    own_left: int | None
    opens: Bound | None
    closes: Bound | None
    is_closed: bool = False

    @property
    def open_to_more(self) -> bool:
        """Whether a claim could be granted now, as far as that depends on the merchant."""
        return not self.is_closed and 0 not in (self.left, self.own_left) and not self.missing

    @property
    def code(self) -> str:
        return self.offer.code

    @property
    def missing(self) -> list[ConditionResult]:
        """What does not hold."""
        return [one for one in self.reasons if not one.held]

    @property
    def percent(self) -> int:
        """How far on the way to the claim, where that can be counted."""
        found, needed = self.target
        return min(100, int(found * 100 / needed)) if needed else 0

    @property
    def target(self) -> tuple[Decimal, Decimal]:
        """What is there and what is needed: rows, or receipts in USD. Zero where nothing is counted."""
        if self.progress is None:
            return Decimal(0), Decimal(0)
        nth = self.offer.terms.claim.nth if isinstance(self.offer.terms.claim, ClaimNth) else None
        needed = nth.number if nth else self.offer.terms.threshold.height if self.offer.terms.threshold else 0
        return Decimal(self.progress.found or 0), Decimal(needed)


def standings(offers: list[PublishedOffer], merchant: Merchant, *, at: datetime) -> list[MerchantOfferStatus]:
    """Where the merchant stands with each of the offers, by what needs attention. A query an offer, and two for all."""
    grants = _held(Grant.objects.filter(merchant=merchant, offer__in=[o.id for o in offers]), Grant.Status, "amount")
    coupons = _held(Coupon.objects.filter(merchant=merchant, offer__in=[o.id for o in offers]), Coupon.Status, "value")
    found = [_standing(offer, merchant, grants.get(offer.id, ()), coupons.get(offer.id, ()), at=at) for offer in offers]
    return sorted(found, key=lambda standing: (standing.kind, standing.closes.after if standing.closes else at))


def _held(rows: Any, states: Any, worth: str) -> dict[int, tuple[Held, ...]]:
    counted = rows.order_by().values("offer_id", "status", "currency").annotate(n=Count("pk"), sum=Sum(worth))
    order = list(states.values)
    found: dict[int, tuple[Held, ...]] = {}
    for row in sorted(counted, key=lambda row: order.index(row["status"])):
        held = Held(row["status"], str(states(row["status"]).label), row["n"], row["sum"], row["currency"])
        found[row["offer_id"]] = (*found.get(row["offer_id"], ()), held)
    return found


def _standing(
    offer: PublishedOffer, merchant: Merchant, grants: tuple[Held, ...], coupons: tuple[Held, ...], *, at: datetime
) -> MerchantOfferStatus:
    terms, row = offer.terms, offer.row
    reasons, progress = _asked(offer, merchant, at)
    taken = sum(one.count for one in grants if one.status != Grant.Status.RELEASED)
    left = None if row.limit is None else max(row.limit - row.used, 0)
    own_left = None if row.cap is None else max(row.cap - taken, 0)
    opens, closes = schedule.opens(terms), schedule.closes(terms)
    asks = tuple(describe(one, terms.row) for one in (*terms.scope, *terms.asked) if not depends_on_merchant(one))
    standing = MerchantOfferStatus(
        offer, Kind.REACH, reasons, asks, progress, grants, coupons, left, own_left, opens, closes
    )  # fmt: skip
    return _placed(standing, at)


def _placed(standing: MerchantOfferStatus, at: datetime) -> MerchantOfferStatus:
    live = any(one.status in Grant.LIVE for one in standing.grants)
    row = standing.offer.row
    is_closed = bool(row.stopped_at or (standing.closes and at >= standing.closes.after))
    if live:
        kind = Kind.YOURS
    elif is_closed or 0 in (standing.left, standing.own_left):
        kind = Kind.OVER
    elif any(not one.held for one in standing.reasons):
        kind = Kind.NOT_FOR_YOU
    elif standing.opens and at < standing.opens.instant:
        kind = Kind.SOON
    elif standing.left is not None and standing.left * 100 <= FEW * (row.limit or 0):
        kind = Kind.RUNNING_OUT
    else:
        kind = Kind.REACH
    return replace(standing, kind=kind, is_closed=is_closed)


def depends_on_merchant(condition: Condition) -> bool:
    """Whether the condition can be asked of a merchant without an order."""
    match condition:
        case InForce(at=at):
            return at is None
        case Counting():
            return True
        case Comparison(fact=fact):
            return fact.startswith("merchant.")
        case AnyOf(any=several):
            return all(depends_on_merchant(one) for one in several)


def _asked(
    offer: PublishedOffer, merchant: Merchant, at: datetime
) -> tuple[tuple[ConditionResult, ...], ConditionResult | None]:
    """The conditions that depend on the merchant, as it is at `at`, and how far it has come: one query."""
    terms, row = offer.terms, QueryRow(MERCHANTS, claims=True)
    seen = claims.constant(at)
    conditions = [one for one in (*terms.scope, *terms.asked) if depends_on_merchant(one)]
    wanted: dict[str, Any] = {"seen_at": seen, "claimed_at": seen}
    for n, condition in enumerate(conditions):
        wanted[f"held_{n}"], wanted[f"found_{n}"] = as_boolean(condition.q(row)), condition.observed(row)
    if isinstance(terms.claim, ClaimNth):
        wanted["progress"] = number_counted(terms.claim.nth)
    rows = Merchant.objects.filter(pk=merchant.pk)
    for name in ("seen_at", "claimed_at"):
        rows = rows.annotate(**{name: wanted.pop(name)})
    found = rows.annotate(**wanted).values(*wanted).get() if wanted else {}
    reasons = tuple(
        reason(condition, row, found=found[f"found_{n}"], held=found[f"held_{n}"])
        for n, condition in enumerate(conditions)
    )
    return reasons, next(_progress(offer, merchant, found, at), None)


def _progress(
    offer: PublishedOffer, merchant: Merchant, found: dict[str, Any], at: datetime
) -> Iterator[ConditionResult]:
    if isinstance(offer.terms.claim, ClaimNth):
        yield nth_progress(offer.terms.claim.nth, found["progress"], None)
    if offer.terms.threshold is not None:
        total = threshold_tags.total(offer, offer.terms.threshold, merchant.pk, at=at)
        yield threshold_progress(offer.terms.threshold, total)
