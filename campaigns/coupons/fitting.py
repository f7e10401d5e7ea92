"""Fit of coupons and orders: which fit which, and why others do not, by the rules that lock a coupon to an order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.coupons.asking_orders import with_fee
from campaigns.eligibility.condition_results import condition_result
from campaigns.models import Coupon, Grant
from campaigns.offers.published_offers import terms_of
from core.facts import COUPON_FEES
from core.formatting import format_instant, format_money
from definitions.benefits import CouponBundle
from merchants.models import Merchant
from rules.query_row import QueryRow, as_boolean

MOST_ORDERS = 20


@dataclass(frozen=True)
class Fit:
    """A coupon and an order: what the coupon would be worth on it, or the reasons why it cannot be used."""

    coupon: Coupon
    order: Any
    worth: Decimal
    reasons: tuple[str, ...]

    @property
    def fits(self) -> bool:
        return not self.reasons

    @property
    def pays(self) -> Decimal:
        """The fee that is left to pay with the coupon."""
        return Decimal(self.order.charged) - self.worth

    @property
    def noun(self) -> str:
        """The words for what distinguishes the order: the name of its line, or its service."""
        collection = COUPON_FEES[self.coupon.order_kind].collection
        fact = next(collection.facts[name] for name in ("line", "service") if name in collection.facts)
        return fact.value_name(getattr(self.order, fact.name))


def unused(merchant: Merchant, kind: str) -> "QuerySet[Coupon]":
    """Return the merchant's unused coupons for a kind of order, in the order in which orders take them."""
    coupons = Coupon.objects.filter(merchant=merchant, order_kind=kind, status=Coupon.Status.ISSUED)
    # A merchant may have thousands: the definition of a version is large, and is read once a process.
    rows = coupons.select_related("offer", "grant__version").defer("grant__version__definition")
    return rows.order_by("issued_at", "offer__code", "pk")


def open_orders(kind: str, merchant: Merchant, *, at: datetime) -> "QuerySet[Any]":
    """Return the merchant's orders of a kind that can still take a coupon, newest first."""
    rows = COUPON_FEES[kind].collection.model._default_manager
    orders = rows.filter(merchant=merchant, placed_at__lte=at, use_coupon=False)
    return orders.exclude(paid_at__lte=at).exclude(cancelled_at__lte=at).order_by("-placed_at", "-pk")


def of_order(order: Any, coupons: Sequence[Coupon], *, at: datetime) -> list[Fit]:
    """Return how each coupon fits an order. One query for each campaign version among the coupons."""
    rows: dict[int, dict[str, Any]] = {}
    for coupon in coupons:
        if coupon.grant.version_id not in rows:
            rows[coupon.grant.version_id] = _evaluated(_bundle(coupon), [order.pk])
    found = ((coupon, rows[coupon.grant.version_id].get(order.pk)) for coupon in coupons)
    return [_fit(coupon, row, at) for coupon, row in found if row is not None]


def of_coupon(coupon: Coupon, orders: Sequence[str], *, at: datetime) -> list[Fit]:
    """Return how a coupon fits each of some orders of its kind, in one query."""
    by_key = _evaluated(_bundle(coupon), orders)
    return [_fit(coupon, by_key[key], at) for key in orders if key in by_key]


def _evaluated(bundle: CouponBundle, orders: Sequence[str]) -> dict[str, Any]:
    """Return orders by key, with the results of the conditions of a bundle."""
    fee, row = bundle.fee, bundle.row
    reduced = Grant.objects.filter(fee=fee.name, subject=OuterRef("pk"), status__in=Grant.LIVE)
    rows = with_fee(fee, fee.collection.model._default_manager.filter(pk__in=orders))
    rows = rows.annotate(seen_at=F("placed_at"), is_reduced=Exists(reduced))
    for n, condition in enumerate(bundle.where):
        found = {f"passed_{n}": as_boolean(condition.q(row)), f"found_{n}": condition.observed(row)}
        rows = rows.annotate(**found)
    return {order.pk: order for order in rows}


def _fit(coupon: Coupon, order: Any, at: datetime) -> Fit:
    bundle = _bundle(coupon)
    return Fit(coupon, order, bundle.worth(order.charged), tuple(_reasons(coupon, order, bundle.row, at)))


def _bundle(coupon: Coupon) -> CouponBundle:
    bundle = terms_of(coupon.grant.version).bundle
    assert bundle is not None
    return bundle


def _reasons(coupon: Coupon, order: Any, row: QueryRow, at: datetime) -> Iterator[str]:
    """Yield each reason why a coupon cannot be used for an order."""
    bundle = _bundle(coupon)
    for n, condition in enumerate(bundle.where):
        if not getattr(order, f"passed_{n}"):
            found = getattr(order, f"found_{n}")
            result = condition_result(condition, row, found=found, passed=False, currency=order.charged_in)
            yield _("Needed: %(required)s; %(finding)s") % {"required": result.required, "finding": result.finding}
    if order.charged_in != bundle.currency:
        words = {"coupon": bundle.currency, "order": order.charged_in}
        yield _("The coupon is in %(coupon)s, the order in %(order)s.") % words
    elif bundle.price is not None and not bundle.reduces(order.charged):
        words = {"fee": bundle.fee.label, "price": format_money(bundle.price, bundle.currency)}
        yield _("The %(fee)s is not above the %(price)s to which the coupon sets it.") % words
    if order.is_reduced:
        yield _("The %(fee)s of this order is reduced by another benefit already.") % {"fee": bundle.fee.label}
    valid = max(coupon.valid_from, coupon.issued_at)
    if order.placed_at and order.placed_at < valid:
        yield _("The order was placed before the coupon became valid, %(at)s.") % {
            "at": format_instant(valid, timezone.get_current_timezone_name())
        }
    if at >= coupon.valid_until or (order.placed_at and order.placed_at >= coupon.valid_until):
        yield _("The coupon has expired.")
