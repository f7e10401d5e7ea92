"""Figures of offers for operators: state, cost, reserved places, and the merchants that hold most."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Sum, Value, When

from campaigns.models import Coupon, Grant, Offer
from campaigns.offers.published_offers import PublishedOffer
from campaigns.offers.schedule import State, state
from core.db.fields import money_total
from core.money import round_to_cents

TOP = 10
UNSETTLED = (Grant.Status.RESERVED, Grant.Status.LOCKED)


@dataclass(frozen=True)
class Cost:
    """Cost in one currency: `spent` is settled or redeemed, `promised` is reserved, locked or in an unused coupon."""

    currency: str
    spent: Decimal
    promised: Decimal


@dataclass(frozen=True)
class MerchantShare:
    """Number and value of the grants that a merchant holds of an offer, in one currency."""

    code: str
    name: str
    held: int
    amount: Decimal
    currency: str


def with_obligations(offer_ids: Iterable[int]) -> set[int]:
    """Return the keys of offers that have unsettled grants or unused coupons."""
    unsettled = Grant.objects.filter(offer=OuterRef("pk"), status__in=UNSETTLED)
    unused = Coupon.objects.filter(offer=OuterRef("pk"), status__in=[Coupon.Status.ISSUED, Coupon.Status.LOCKED])
    rows = Offer.objects.filter(Exists(unsettled) | Exists(unused), pk__in=list(offer_ids))
    return set(rows.values_list("pk", flat=True))


def state_of(offer: PublishedOffer, *, at: datetime, owed: bool) -> State:
    """Return the offer's state at the instant; `owed` says whether it is one of `with_obligations`."""
    row = offer.row
    return state(offer.terms, at=at, paused_at=row.paused_at, stopped_at=row.stopped_at, owed=owed)


def costs(offer_ids: Iterable[int]) -> dict[int, list[Cost]]:
    """Return the cost of each offer by currency, in two queries for all of them."""
    ids = list(offer_ids)
    spent: dict[tuple[int, str], Decimal] = {}
    promised: dict[tuple[int, str], Decimal] = {}
    grants = Grant.objects.filter(offer__in=ids, coupons=0, status__in=Grant.LIVE)
    coupons = Coupon.objects.filter(offer__in=ids).exclude(status__in=[Coupon.Status.EXPIRED, Coupon.Status.VOID])
    for rows, amount, done in ((grants, "amount", Grant.Status.SETTLED), (coupons, "value", Coupon.Status.REDEEMED)):
        is_done = Case(When(status=done, then=Value(1)), default=Value(0), output_field=IntegerField())
        sums: Any = (
            rows.order_by()
            .annotate(done=is_done)
            .values("offer_id", "currency", "done")
            .annotate(sum=Sum(amount, output_field=money_total()))
        )
        for offer, currency, done_flag, total in sums.values_list("offer_id", "currency", "done", "sum"):
            part = spent if done_flag else promised
            part[offer, currency] = part.get((offer, currency), Decimal(0)) + total
    by_offer: dict[int, list[Cost]] = {}
    for key in sorted({*spent, *promised}):
        offer, currency = key
        cost = Cost(currency, *(round_to_cents(part.get(key, Decimal(0))) for part in (spent, promised)))
        by_offer.setdefault(offer, []).append(cost)
    return by_offer


def reserved(offer_ids: Iterable[int]) -> dict[int, int]:
    """Return how many places of each offer are taken by grants that are not settled yet."""
    unsettled = Grant.objects.filter(offer__in=list(offer_ids), status__in=UNSETTLED)
    return dict(unsettled.order_by().values("offer_id").annotate(n=Count("pk")).values_list("offer_id", "n"))


def top_merchants(offer: PublishedOffer) -> list[MerchantShare]:
    """Return the merchants that hold most of the offer, at most TOP of them. Ended grants are not held any more."""
    grants = Grant.objects.filter(offer=offer.id, status__in=Grant.LIVE).order_by()
    by_merchant = grants.values("merchant_id", "merchant__name", "currency").annotate(
        n=Count("pk"), sum=Sum("amount", output_field=money_total())
    )
    return [
        MerchantShare(row["merchant_id"], row["merchant__name"], row["n"], round_to_cents(row["sum"]), row["currency"])
        for row in by_merchant.order_by("-n", "-sum", "merchant_id")[:TOP]
    ]
