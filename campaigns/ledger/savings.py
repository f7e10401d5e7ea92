"""Savings of a merchant: settled discounts and redeemed coupons, by month, offer and currency."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, tzinfo
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from campaigns.models import Coupon, Grant, JournalEntry, Offer
from core.db.fields import money_total
from core.money import round_to_cents
from merchants.models import Merchant


@dataclass(frozen=True)
class Saving:
    """Amount that one offer saved in one month, in one currency."""

    month: date
    offer: Offer
    currency: str
    amount: Decimal


def savings(merchant: Merchant, *, zone: tzinfo) -> list[Saving]:
    """Return the savings of the merchant, newest month first. Months are those of `zone`.

    Only grants still settled and coupons still redeemed count. Three queries.
    """
    settled = JournalEntry.objects.filter(
        ~Q(source=F("target")),  # a grant kept after review has a second entry from settled to settled
        grant__merchant=merchant,
        grant__status=Grant.Status.SETTLED,
        grant__coupons=0,  # grants of coupons save when their coupons are redeemed
        target=Grant.Status.SETTLED,
    )
    redeemed = JournalEntry.objects.filter(
        coupon__merchant=merchant,
        coupon__status=Coupon.Status.REDEEMED,
        coupon__order_no=F("order_no"),  # not an earlier redemption, on an order that was cancelled
        target=Coupon.Status.REDEEMED,
    )
    rows = [*_monthly(settled, zone), *_monthly(redeemed, zone)]
    offers = Offer.objects.in_bulk({row["offer_id"] for row in rows})
    result = [
        Saving(row["month"], offers[row["offer_id"]], row["currency"], round_to_cents(row["sum"])) for row in rows
    ]
    return sorted(result, key=lambda saving: (-saving.month.toordinal(), saving.offer.code, saving.currency))


def _monthly(entries: "QuerySet[JournalEntry]", zone: tzinfo) -> Iterable[Any]:
    by_month = entries.order_by().annotate(month=TruncMonth("at", tzinfo=zone))
    return by_month.values("month", "offer_id", "currency").annotate(sum=Sum("amount", output_field=money_total()))
