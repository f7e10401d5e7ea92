"""Which coupons fit which freight orders, and why others do not: by the rules that lock a coupon to an order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.eligibility.condition_results import condition_result
from campaigns.models import Coupon, Grant
from campaigns.offers.published_offers import terms_of
from core.formatting import format_instant
from logistics.facts import FREIGHT_ORDERS
from logistics.models import FreightOrder
from merchants.models import Merchant
from rules.query_row import QueryRow, as_boolean

MOST_ORDERS = 20


@dataclass(frozen=True)
class Fit:
    """A coupon and an order: what the coupon would be worth on it, or the reasons why it cannot be used."""

    coupon: Coupon
    order: FreightOrder
    worth: Decimal
    reasons: tuple[str, ...]

    @property
    def fits(self) -> bool:
        return not self.reasons

    @property
    def pays(self) -> Decimal:
        """The freight that is left to pay with the coupon."""
        return Decimal(self.order.base_freight) - self.worth

    @property
    def line_name(self) -> str:
        """The name of the order's line."""
        return FREIGHT_ORDERS.facts["line"].value_name(self.order.line)


def unused(merchant: Merchant) -> "QuerySet[Coupon]":
    """Return the merchant's coupons that are in its wallet, in the order in which orders take them."""
    coupons = Coupon.objects.filter(merchant=merchant, status=Coupon.Status.ISSUED)
    return coupons.select_related("offer", "grant__version").order_by("issued_at", "pk")


def open_orders(merchant: Merchant, *, at: datetime) -> "QuerySet[FreightOrder]":
    """Return the merchant's freight orders that can still take a coupon, newest first."""
    orders = FreightOrder.objects.filter(merchant=merchant, placed_at__lte=at, use_coupon=False)
    return orders.exclude(paid_at__lte=at).exclude(cancelled_at__lte=at).order_by("-placed_at", "-pk")


def of_order(order: FreightOrder, coupons: Sequence[Coupon], *, at: datetime) -> list[Fit]:
    """Return how each coupon fits an order. Two queries, and one for each campaign version among the coupons."""
    return [fit for coupon in coupons for fit in of_coupon(coupon, [order.pk], at=at)]


def of_coupon(coupon: Coupon, orders: Sequence[str], *, at: datetime) -> list[Fit]:
    """Return how a coupon fits each of some orders, in one query."""
    bundle = terms_of(coupon.grant.version).bundle
    assert bundle is not None
    row = bundle.row
    reduced = Grant.objects.filter(fee="freight", subject=OuterRef("pk"), status__in=Grant.LIVE)
    rows = FreightOrder.objects.filter(pk__in=orders).annotate(seen_at=F("placed_at"), is_reduced=Exists(reduced))
    for n, condition in enumerate(bundle.where):
        found = {f"passed_{n}": as_boolean(condition.q(row)), f"found_{n}": condition.observed(row)}
        rows = rows.annotate(**found)
    by_key = {order.pk: order for order in rows}
    return [
        Fit(coupon, by_key[key], bundle.worth(by_key[key].base_freight), tuple(_reasons(coupon, by_key[key], row, at)))
        for key in orders
        if key in by_key
    ]


def _reasons(coupon: Coupon, order: Any, row: QueryRow, at: datetime) -> Iterator[str]:
    """Yield each reason why a coupon cannot be used for an order."""
    bundle = terms_of(coupon.grant.version).bundle
    assert bundle is not None
    for n, condition in enumerate(bundle.where):
        if not getattr(order, f"passed_{n}"):
            found = getattr(order, f"found_{n}")
            result = condition_result(condition, row, found=found, passed=False, currency=order.currency)
            yield _("Needed: %(required)s; %(finding)s") % {"required": result.required, "finding": result.finding}
    if order.currency != bundle.currency:
        words = {"coupon": bundle.currency, "order": order.currency}
        yield _("The coupon is in %(coupon)s, the order in %(order)s.") % words
    if order.is_reduced:
        yield _("The freight of this order is reduced by another benefit already.")
    valid = max(coupon.valid_from, coupon.issued_at)
    if order.placed_at and order.placed_at < valid:
        yield _("The order was placed before the coupon became valid, %(at)s.") % {
            "at": format_instant(valid, timezone.get_current_timezone_name())
        }
    if at >= coupon.valid_until or (order.placed_at and order.placed_at >= coupon.valid_until):
        yield _("The coupon has expired.")
