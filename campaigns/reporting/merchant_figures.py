"""Figures of one merchant for operators: saved, reserved, unused coupons, claims refused lately."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet, Sum

from campaigns.ledger import savings
from campaigns.models import Coupon, Decision, Grant
from campaigns.reporting.offer_metrics import UNSETTLED
from core.db.fields import money_total
from core.money import round_to_cents
from merchants.models import Merchant

LATELY = timedelta(days=30)
Amounts = list[tuple[str, Decimal]]


@dataclass(frozen=True, kw_only=True)
class MerchantFigures:
    """Figures as of an instant; amounts by currency. `refused` counts the claims of the 30 days before."""

    saved: Amounts
    reserved: Amounts
    reserved_count: int
    coupons: Amounts
    coupon_count: int
    refused: int


def figures(merchant: Merchant, *, at: datetime) -> MerchantFigures:
    """Return the figures of a merchant as of `at`, in five queries."""
    reserved, reserved_count = _sums(
        Grant.objects.filter(merchant=merchant, status__in=UNSETTLED, coupons=0), worth="amount"
    )
    unused = Coupon.objects.filter(merchant=merchant, status__in=[Coupon.Status.ISSUED, Coupon.Status.LOCKED])
    coupons, coupon_count = _sums(unused, worth="value")
    refused = Decision.objects.filter(merchant=merchant, claimed_at__gt=at - LATELY, claimed_at__lte=at)
    return MerchantFigures(
        saved=[(total.currency, total.amount) for total in savings.totals(merchant)],
        reserved=reserved,
        reserved_count=reserved_count,
        coupons=coupons,
        coupon_count=coupon_count,
        refused=refused.exclude(outcome=Decision.Outcome.GRANTED).count(),
    )


def _sums(rows: "QuerySet[Any]", *, worth: str) -> tuple[Amounts, int]:
    """Return the worth of rows by currency, and their number."""
    groups = list(
        rows.order_by().values_list("currency").annotate(sum=Sum(worth, output_field=money_total()), n=Count("pk"))
    )
    return _add((currency, total) for currency, total, _n in groups), sum(n for _currency, _sum, n in groups)


def _add(amounts: Iterable[tuple[str, Decimal]]) -> Amounts:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in amounts:
        sums[currency] += amount
    return [(currency, round_to_cents(amount)) for currency, amount in sorted(sums.items()) if amount]
