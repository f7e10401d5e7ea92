"""A merchant asks for a coupon on an order that it has placed and not paid yet, or takes it off again."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.coupons import redemption
from campaigns.models import Coupon
from imports.models import ImportBatch
from logistics.models import FreightOrder
from merchants.models import Merchant


class NotAttachableError(Exception):
    """The order cannot have a coupon; the text says why. Nothing was changed."""


@transaction.atomic
def attach(order_no: str, *, merchant: Merchant, at: datetime, by: str) -> Coupon:
    """Record that the merchant's order asks for a coupon, and lock the oldest one that fits to it, at once.

    That it asks is a fact like any other, told late: the rules are those of programs.md, section 5, offer 5. Raises
    FreightOrder.DoesNotExist where the merchant has placed no such order by `at`, NotAttachableError where no coupon
    can be had.
    """
    orders = FreightOrder.objects.select_for_update(no_key=True)
    order = orders.get(pk=order_no, merchant=merchant, placed_at__lte=at)
    if reason := cannot(order, at=at):
        raise NotAttachableError(reason)
    batch = ImportBatch.objects.create(source=f"dashboard: {by}"[:200], recorded_at=at, rows=1, changed=1)
    FreightOrder.objects.filter(pk=order_no).update(use_coupon=True, batch=batch)
    redemption.follow_orders([order_no], merchants=[merchant.pk], at=at)
    coupon = Coupon.objects.filter(merchant=merchant, order_no=order_no).first()
    if coupon is None:
        raise NotAttachableError(_("None of your coupons can be used for this order."))
    return coupon


@transaction.atomic
def detach(order_no: str, *, merchant: Merchant, at: datetime, by: str) -> Coupon:
    """Record that the merchant's order asks for no coupon any more; the one on it comes back to the wallet.

    Raises FreightOrder.DoesNotExist where the merchant has placed no such order by `at`, NotAttachableError where there
    is no coupon on it, or the order is paid or cancelled.
    """
    orders = FreightOrder.objects.select_for_update(no_key=True)
    order = orders.get(pk=order_no, merchant=merchant, placed_at__lte=at)
    if reason := _over(order, at=at):
        raise NotAttachableError(reason)
    coupon = redemption.take_off(order_no, at=at, by=by)
    if coupon is None:
        raise NotAttachableError(_("There is no coupon on this order."))
    batch = ImportBatch.objects.create(source=f"detached: {by}"[:200], recorded_at=at, rows=1, changed=1)
    FreightOrder.objects.filter(pk=order_no).update(use_coupon=False, batch=batch)
    return coupon


def cannot(order: FreightOrder, *, at: datetime) -> str:
    """Why the order cannot ask for a coupon at `at`; empty where it can."""
    return _over(order, at=at) or (_("The order asked for a coupon when it was placed.") if order.use_coupon else "")


def _over(order: FreightOrder, *, at: datetime) -> str:
    """Why the order's coupon cannot change any more at `at`; empty where it can."""
    if order.cancelled_at and order.cancelled_at <= at:
        return _("The order is cancelled.")
    return _("The order is paid.") if order.paid_at and order.paid_at <= at else ""
