"""Merchant status: what a merchant has of each offer, whether a claim could be granted, and what is missing.

Conditions on the merchant alone are evaluated by the rules that decide claims, so that an offer shown as open would
grant a claim. Conditions on an order are listed in words.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any

from django.db.models import Count, QuerySet, Sum

from campaigns.eligibility import claims, threshold_tags
from campaigns.eligibility.condition_results import (
    ConditionResult,
    condition_result,
    nth_progress,
    number_counted,
    threshold_progress,
)
from campaigns.models import Coupon, Grant
from campaigns.offers import band_usage, schedule
from campaigns.offers.band_usage import BandUsage
from campaigns.offers.published_offers import PublishedOffer
from core.db.fields import money_total
from core.facts import MERCHANT, MERCHANT_PREFIX
from definitions.claim_terms import ClaimNth
from merchants.facts import MERCHANTS
from merchants.models import Merchant
from rules.conditions import AnyOf, Comparison, Condition, Counting, InForce, Measured, Rated
from rules.query_row import as_boolean
from rules.sentences import describe
from rules.time_windows import Bound

RUNNING_OUT_PERCENT = 5


class Kind(IntEnum):
    """Kind of status, in the order in which a merchant wants to see its offers."""

    GRANTED = 1
    QUALIFIED = 2
    ELIGIBLE = 3
    RUNNING_OUT = 4
    SOON = 5
    NOT_ELIGIBLE = 6
    OVER = 7


@dataclass(frozen=True)
class Holding:
    """Grants or coupons of one status and currency: their number and total worth."""

    status: str
    label: str
    count: int
    amount: Decimal
    currency: str


Holdings = tuple[Holding, ...]


@dataclass(frozen=True, kw_only=True)
class MerchantOfferStatus:
    """Status of one merchant and one offer as of an instant.

    `reasons` are the conditions on the merchant, `asks` those on an order, in words. `left` counts the places left for
    all, `own_left` those that the merchant may still take; None without a limit. `bands` are the other limits, for all
    or for the merchant. `takes_orders`: an order that begins now is not too late; the offer may close later, for orders
    that began in time.
    """

    offer: PublishedOffer
    kind: Kind
    reasons: tuple[ConditionResult, ...]
    asks: tuple[str, ...]
    progress: ConditionResult | None
    grants: Holdings
    coupons: Holdings
    left: int | None
    own_left: int | None
    bands: tuple[BandUsage, ...]
    opens: Bound | None
    order_by: Bound | None
    closes: Bound | None
    is_closed: bool
    takes_orders: bool

    @property
    def open_to_more(self) -> bool:
        """True if a claim could be granted now, as far as the merchant is concerned."""
        return not self.is_closed and not self.is_used_up and not self.missing

    @property
    def is_used_up(self) -> bool:
        """True if nothing is left, for all or for the merchant, in the present period."""
        return 0 in (self.left, self.own_left) or any(usage.is_full for usage in self.bands)

    @property
    def code(self) -> str:
        return self.offer.code

    @property
    def missing(self) -> list[ConditionResult]:
        """The conditions on the merchant that did not pass."""
        return [reason for reason in self.reasons if not reason.passed]

    @property
    def next_end(self) -> Bound | None:
        """The bound that comes first: the last new orders, or after them the closing."""
        return self.order_by if self.takes_orders and self.order_by else self.closes

    @property
    def percent(self) -> int:
        """The progress towards the claim in percent; 0 where nothing is counted."""
        found, needed = self.target
        return min(100, int(found * 100 / needed)) if needed else 0

    @property
    def target(self) -> tuple[Decimal, Decimal]:
        """The amounts that the merchant has and needs: rows, or receipts in USD; zeros where nothing is counted."""
        if self.progress is None:
            return Decimal(0), Decimal(0)
        nth = self.offer.terms.claim.nth if isinstance(self.offer.terms.claim, ClaimNth) else None
        needed = nth.number if nth else self.offer.terms.threshold.height if self.offer.terms.threshold else 0
        return Decimal(self.progress.found or 0), Decimal(needed)


def statuses(offers: list[PublishedOffer], merchant: Merchant, *, at: datetime) -> list[MerchantOfferStatus]:
    """Return the merchant's status for each offer as of `at`, ordered by kind and closing date.

    One query an offer, and two for all, or four where quotas have bands.
    """
    ids = [offer.id for offer in offers]
    grants = _holdings(Grant.objects.filter(merchant=merchant, offer__in=ids), Grant.Status, "amount")
    coupons = _holdings(Coupon.objects.filter(merchant=merchant, offer__in=ids), Coupon.Status, "value")
    bands = band_usage.usages(offers, at=at, merchant=merchant.pk)
    unordered = [
        _status(
            offer, merchant, grants.get(offer.id, ()), coupons.get(offer.id, ()), tuple(bands.get(offer.id, ())), at=at
        )
        for offer in offers
    ]
    return sorted(unordered, key=lambda status: (status.kind, status.next_end.after if status.next_end else at))


def _holdings(rows: QuerySet[Any], states: Any, worth: str) -> dict[int, Holdings]:
    groups = (
        rows.order_by()
        .values("offer_id", "status", "currency")
        .annotate(n=Count("pk"), sum=Sum(worth, output_field=money_total()))
    )
    order = list(states.values)
    holdings: dict[int, Holdings] = {}
    for group in sorted(groups, key=lambda group: order.index(group["status"])):
        holding = Holding(
            status=group["status"],
            label=str(states(group["status"]).label),
            count=group["n"],
            amount=group["sum"],
            currency=group["currency"],
        )
        holdings[group["offer_id"]] = (*holdings.get(group["offer_id"], ()), holding)
    return holdings


def _status(
    offer: PublishedOffer,
    merchant: Merchant,
    grants: Holdings,
    coupons: Holdings,
    bands: tuple[BandUsage, ...],
    *,
    at: datetime,
) -> MerchantOfferStatus:
    terms, row = offer.terms, offer.row
    reasons, progress = _evaluate(offer, merchant, at)
    taken = sum(holding.count for holding in grants if holding.status != Grant.Status.RELEASED)
    order_by, closes = schedule.order_by(terms), schedule.closes(terms)
    status = MerchantOfferStatus(
        offer=offer,
        kind=Kind.ELIGIBLE,
        reasons=reasons,
        asks=tuple(describe(item, terms.row) for item in _conditions(offer) if not depends_on_merchant(item)),
        progress=progress,
        grants=grants,
        coupons=coupons,
        left=None if row.limit is None else max(row.limit - row.places_taken, 0),
        own_left=None if row.limit_per_merchant is None else max(row.limit_per_merchant - taken, 0),
        bands=bands,
        opens=schedule.opens(terms),
        order_by=order_by,
        closes=closes,
        is_closed=bool(row.stopped_at or (closes and at >= closes.after)),
        takes_orders=order_by is None or at < order_by.after,
    )
    return replace(status, kind=_kind(status, at))


def _kind(status: MerchantOfferStatus, at: datetime) -> Kind:
    is_granted = any(holding.status in Grant.LIVE for holding in status.grants)
    if is_granted or _is_qualified(status, at):
        return Kind.GRANTED if is_granted else Kind.QUALIFIED
    if status.is_closed or status.is_used_up:
        return Kind.OVER
    if status.missing:
        return Kind.NOT_ELIGIBLE
    if status.opens and at < status.opens.instant:
        return Kind.SOON
    limit = status.offer.row.limit or 0
    if status.left is not None and status.left * 100 <= RUNNING_OUT_PERCENT * limit:
        return Kind.RUNNING_OUT
    return Kind.ELIGIBLE


def _is_qualified(status: MerchantOfferStatus, at: datetime) -> bool:
    """Return True if the merchant has done all that a claim needs, and only its decision is to come."""
    decided, row = status.offer.terms.decision_instant, status.offer.row
    if decided is None or at >= decided or row.stopped_at or status.missing or status.is_used_up:
        return False
    return isinstance(status.offer.terms.claim, ClaimNth) and bool(status.progress and status.progress.passed)


def _conditions(offer: PublishedOffer) -> tuple[Condition, ...]:
    return (*offer.terms.telling_scope, *offer.terms.asked)


def depends_on_merchant(condition: Condition) -> bool:
    """Return True if the condition concerns the merchant alone, so that it can be evaluated without an order."""
    match condition:
        case InForce(at=at):
            return at is None
        case Counting():
            return True
        case Measured():
            return condition.is_of_merchant
        case Rated(by=by):
            return by == MERCHANT
        case Comparison(fact=fact):
            return fact.startswith(MERCHANT_PREFIX)
        case AnyOf(any=alternatives):
            return all(map(depends_on_merchant, alternatives))


def _evaluate(
    offer: PublishedOffer, merchant: Merchant, at: datetime
) -> tuple[tuple[ConditionResult, ...], ConditionResult | None]:
    """Return the results of the conditions on the merchant as of `at`, and its progress. One query."""
    row = replace(offer.terms.row_of(MERCHANTS), claims=True)
    conditions = list(filter(depends_on_merchant, _conditions(offer)))
    columns: dict[str, Any] = {}
    for n, condition in enumerate(conditions):
        columns[f"passed_{n}"], columns[f"found_{n}"] = as_boolean(condition.q(row)), condition.observed(row)
    if isinstance(offer.terms.claim, ClaimNth):
        columns["progress"] = number_counted(offer.terms.claim.nth)
    # Two steps: the columns refer to the instants.
    rows = Merchant.objects.filter(pk=merchant.pk).annotate(seen_at=claims.constant(at))
    rows = rows.annotate(claimed_at=claims.constant(at))
    values = rows.annotate(**columns).values(*columns).get() if columns else {}
    results = tuple(
        condition_result(condition, row, found=values[f"found_{n}"], passed=values[f"passed_{n}"])
        for n, condition in enumerate(conditions)
        if not (isinstance(condition, InForce) and condition.is_barring and values[f"passed_{n}"])
    )
    return results, next(_progress(offer, merchant, values, at), None)


def _progress(
    offer: PublishedOffer, merchant: Merchant, values: dict[str, Any], at: datetime
) -> Iterator[ConditionResult]:
    if isinstance(offer.terms.claim, ClaimNth):
        yield nth_progress(offer.terms.claim.nth, values["progress"], None)
    if offer.terms.threshold is not None:
        total = threshold_tags.total(offer, offer.terms.threshold, merchant.pk, at=at)
        yield threshold_progress(offer.terms.threshold, total)
