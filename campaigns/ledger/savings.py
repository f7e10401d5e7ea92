"""What a merchant has saved: discounts settled and coupons redeemed, by month, offer and currency."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, tzinfo
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from campaigns.models import Coupon, Grant, JournalEntry, Offer
from core.money import round_to_cents
from merchants.models import Merchant


@dataclass(frozen=True)
class Saving:
    """What one offer saved in one month, in one currency."""

    month: date
    offer: Offer
    currency: str
    amount: Decimal


def savings(merchant: Merchant, *, zone: tzinfo) -> list[Saving]:
    """What is settled or redeemed, in the month of `zone` in which it was; newest month first.

    What was given back or taken away since is not saved. Three queries.
    """
    settled = JournalEntry.objects.filter(
        ~Q(source=F("target")), grant__merchant=merchant, grant__status=Grant.Status.SETTLED, grant__coupons=0,
        target=Grant.Status.SETTLED,
    )  # fmt: skip
    redeemed = JournalEntry.objects.filter(
        coupon__merchant=merchant, coupon__status=Coupon.Status.REDEEMED, coupon__order_no=F("order_no"),
        target=Coupon.Status.REDEEMED,
    )  # fmt: skip
    rows = [*_monthly(settled, zone), *_monthly(redeemed, zone)]
    names = Offer.objects.in_bulk({row["offer_id"] for row in rows})
    found = [Saving(row["month"], names[row["offer_id"]], row["currency"], round_to_cents(row["sum"])) for row in rows]
    return sorted(found, key=lambda saving: (-saving.month.toordinal(), saving.offer.code, saving.currency))


def _monthly(entries: "QuerySet[JournalEntry]", zone: tzinfo) -> Iterable[Any]:
    by_month = entries.order_by().annotate(month=TruncMonth("at", tzinfo=zone))
    return by_month.values("month", "offer_id", "currency").annotate(sum=Sum("amount"))
