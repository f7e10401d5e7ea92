"""Orders that ask for a coupon, with the worth of each kind of coupon on them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value

from campaigns.coupons import life_cycle
from campaigns.eligibility.changes import SubjectSelection
from campaigns.models import Attachment, Grant, Version
from campaigns.offers.published_offers import terms_of
from core.facts import Fee
from definitions.benefits import CouponBundle
from rules.conditions import all_of
from rules.query_row import QueryRow, as_boolean

Bundles = Mapping[int, CouponBundle]
"""Bundles by the key of the version that gives them."""


def by_merchant(
    fee: Fee,
    versions: set[Version],
    merchants: list[str],
    until: datetime,
    *,
    moved: Sequence[str] = (),
    choice: SubjectSelection | None = None,
) -> dict[str, list[life_cycle.Order]]:
    """Return by merchant the orders placed by `until` that ask for a coupon, with the worth of each version's.

    `fee` is that of the kind of order. `moved` are orders of other merchants that once asked one of `merchants`: an
    order keeps the wallet that it asked when it was placed. `choice` are the orders for which a member asks now, and
    the coupons chosen for them.
    """
    bundles = {version.pk: bundle for version in versions if (bundle := terms_of(version).bundle) and bundle.fee == fee}
    asking = fee.collection.model._default_manager.filter(
        Q(merchant__in=merchants) | Q(pk__in=moved), use_coupon=True, placed_at__lte=until
    )
    orders: dict[str, list[life_cycle.Order]] = defaultdict(list)
    for order in _with_fits(fee, asking, bundles):
        orders[order.asked or order.merchant_id].append(
            life_cycle.Order(
                number=order.pk,
                placed_at=order.placed_at,
                paid_at=order.paid_at,
                cancelled_at=order.cancelled_at,
                worth=_worth(order, bundles),
                chosen=choice.chosen.get(order.pk) if choice else None,
                asked_at=choice.asked_at if choice and order.pk in choice.subjects else None,
            )
        )
    return orders


def _with_fits(fee: Fee, orders: "QuerySet[Any]", bundles: Bundles) -> "QuerySet[Any]":
    """Annotate orders with the wallet that they asked, their fee, and whether the coupons of each version fit."""
    # One fee, one benefit: an order takes no coupon if a grant reduces its fee, or did when it was placed.
    when_placed = Q(claimed_at__lt=OuterRef("placed_at"), ended_at__gt=OuterRef("placed_at"))
    reduced = Grant.objects.filter(Q(status__in=Grant.LIVE) | when_placed, fee=fee.name, subject=OuterRef("pk"))
    asked = Attachment.objects.filter(order_kind=fee.subject, order_no=OuterRef("pk")).values("merchant")
    orders = orders.annotate(seen_at=F("placed_at"), is_reduced=Exists(reduced), asked=Subquery(asked))
    orders = with_fee(fee, orders)
    fits = {
        f"fits_{version_id}": as_boolean(all_of(bundle.where, bundle.row)) for version_id, bundle in bundles.items()
    }
    fitting: QuerySet[Any] = orders.annotate(**fits)
    return fitting


def with_fee(fee: Fee, orders: "QuerySet[Any]") -> "QuerySet[Any]":
    """Annotate orders with `charged`, the value of the fee, and `charged_in`, its currency."""
    row = QueryRow(fee.collection)
    currency = row.expression(fee.currency_fact) if fee.currency_fact else Value(fee.currency)
    charged: QuerySet[Any] = orders.annotate(charged=row.expression(fee.fact), charged_in=currency)
    return charged


def _worth(order: Any, bundles: Bundles) -> dict[int, Decimal]:
    """Return the worth of the coupon of each version that fits the order."""
    if order.is_reduced or order.charged is None:
        return {}
    return {
        version_id: bundle.worth(order.charged)
        for version_id, bundle in bundles.items()
        if getattr(order, f"fits_{version_id}")
        and order.charged_in == bundle.currency
        and bundle.reduces(order.charged)
    }
