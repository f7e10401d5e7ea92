"""Savings of a merchant: settled discounts and redeemed coupons, by month, offer and currency."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from campaigns.ledger import funding
from campaigns.models import Coupon, Grant, JournalEntry, Offer
from core.db.fields import money_total
from core.money import round_to_cents
from definitions.funding import MERCHANT, split
from merchants.models import Merchant

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Saving:
    """Amount that one offer saved in one month, in one currency; the merchant pays `own` of it itself."""

    month: date
    offer: Offer
    currency: str
    amount: Decimal
    own: Decimal


def savings(merchant: Merchant, *, zone: tzinfo) -> list[Saving]:
    """Return the savings of the merchant, newest month first. Months are those of `zone`.

    Only grants still settled and coupons still redeemed count. Four queries.
    """
    settled, redeemed = _entries(merchant)
    own = funding.version_shares().of(MERCHANT)
    rows = [*_monthly(settled, zone, own), *_monthly(redeemed, zone, own)]
    offers = Offer.objects.in_bulk({row["offer_id"] for row in rows})
    result = [
        Saving(row["month"], offers[row["offer_id"]], row["currency"], *map(round_to_cents, (row["sum"], row["own"])))
        for row in rows
    ]
    return sorted(result, key=lambda saving: (-saving.month.toordinal(), saving.offer.code, saving.currency))


def _monthly(entries: "QuerySet[JournalEntry]", zone: tzinfo, own: Any) -> Iterable[Any]:
    by_month = entries.order_by().annotate(month=TruncMonth("at", tzinfo=zone)).values("month", "offer_id", "currency")
    sums = (Sum("amount", output_field=money_total()), Sum(own, output_field=money_total()))
    return by_month.annotate(sum=sums[0], own=sums[1])


@dataclass(frozen=True)
class Total:
    """Savings in one currency: their sum, and the number of orders, draws and coupons that saved."""

    currency: str
    amount: Decimal
    count: int


def totals(merchant: Merchant) -> list[Total]:
    """Return all savings of the merchant by currency: the sums of `savings`. Two queries."""
    sums: dict[str, tuple[Decimal, int]] = {}
    for entries in _entries(merchant):
        rows = entries.order_by().values("currency")
        for row in rows.annotate(sum=Sum("amount", output_field=money_total()), n=Count("pk")):
            amount, count = sums.get(row["currency"], (Decimal(0), 0))
            sums[row["currency"]] = (amount + round_to_cents(row["sum"]), count + row["n"])
    return [Total(currency, *sums[currency]) for currency in sorted(sums)]


@dataclass(frozen=True)
class SavingLine:
    """One saving: the order, draw or merchant it was for, and when it was settled or redeemed."""

    at: datetime
    order: str
    offer: Offer
    kind: str
    amount: Decimal
    currency: str
    own: Decimal


def lines(merchant: Merchant) -> Iterator[SavingLine]:
    """Yield every saving of the merchant, newest first: the entries that `savings` adds up."""
    settled, redeemed = _entries(merchant)
    shares = funding.version_shares().by_version
    entries = [*settled.select_related("grant__offer"), *redeemed.select_related("coupon__offer")]
    for entry in sorted(entries, key=lambda entry: (entry.at, entry.pk), reverse=True):
        holder = entry.grant or entry.coupon
        assert holder is not None
        yield SavingLine(
            at=entry.at,
            order=entry.grant.subject if entry.grant else entry.order_no,
            offer=holder.offer,
            kind="discount" if entry.grant else "coupon",
            amount=(amount := round_to_cents(entry.amount)),
            currency=entry.currency,
            own=split(amount, shares.get(entry.version_id, {}), entry.currency).get(MERCHANT, ZERO),
        )


def _entries(merchant: Merchant) -> "tuple[QuerySet[JournalEntry], QuerySet[JournalEntry]]":
    """Return the entries that count: grants still settled, and coupons still redeemed."""
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
    return settled, redeemed
