"""Attachment: a merchant attaches a coupon to an order that is placed and not paid yet, or detaches it.

The act holds until an import changes the order's column `use_coupon`: the later act wins, and an import that repeats
the value imported before is no act.
"""

from datetime import datetime
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from campaigns.coupons import fitting, issuing, redemption
from campaigns.ledger import journal
from campaigns.models import Attachment, Coupon
from core.facts import COUPON_FEES
from imports.models import ImportBatch
from merchants.models import Merchant

IMPORTED = Coalesce("imported_use_coupon", "use_coupon")
"""The value imported last, also of an order that was not recorded by an import of a file."""


class NoOrderError(ObjectDoesNotExist):
    """The merchant has placed no order of that kind and number."""


class NotAttachableError(Exception):
    """The coupon of the order cannot be changed; the text gives the reason. Nothing was changed."""


@transaction.atomic
def attach(order_no: str, *, kind: str, merchant: Merchant, at: datetime, by: str, code: str = "") -> Coupon:
    """Record that the merchant's order asks for a coupon, and lock the one with that code, or the oldest that fits.

    `kind` is the subject whose row the order is, such as freight_order. The request is a fact that arrives late: the
    order gets the coupon that it would have got at its placement, if that is still free; the journal tells when it was
    asked for. Raises NoOrderError if the merchant has placed no such order by `at`, and NotAttachableError if no coupon
    fits or the order cannot ask for one any more.
    """
    order = _lock_order(kind, order_no, merchant, at)
    if reason := cannot(order, at=at):
        raise NotAttachableError(reason)
    batch = ImportBatch.objects.create(source=f"dashboard: {by}"[:200], recorded_at=at, rows=1, changed=1)
    _rows(kind).filter(pk=order_no).update(use_coupon=True, batch=batch, imported_use_coupon=IMPORTED)
    chosen = _chosen(kind, order, merchant, code, at) if code else {}
    redemption.follow_orders([order_no], kind=kind, merchants=[merchant.pk], at=at, chosen=chosen, asked_at=at)
    coupon = Coupon.objects.filter(merchant=merchant, order_kind=kind, order_no=order_no).first()
    if Attachment.objects.filter(order_kind=kind, order_no=order_no, waits=True).exists():
        raise NotAttachableError(_("A discount that this order claimed earlier is not decided yet. Try again later."))
    if coupon is None:
        raise NotAttachableError(_("None of your coupons can be used for this order."))
    return coupon


@transaction.atomic
def detach(order_no: str, *, kind: str, merchant: Merchant, at: datetime, by: str) -> Coupon:
    """Record that the merchant's order asks for no coupon any more, and return its coupon to the wallet.

    Raises NoOrderError if the merchant has placed no such order by `at`, and NotAttachableError if it has no coupon, or
    is paid or cancelled.
    """
    order = _lock_order(kind, order_no, merchant, at)
    if reason := closed(order, at=at):
        raise NotAttachableError(reason)
    coupon = _return_coupon(kind, order_no, merchant=merchant, at=at, by=by)
    if coupon is None:
        raise NotAttachableError(_("There is no coupon on this order."))
    batch = ImportBatch.objects.create(source=f"detached: {by}"[:200], recorded_at=at, rows=1, changed=1)
    _rows(kind).filter(pk=order_no).update(use_coupon=False, batch=batch, imported_use_coupon=IMPORTED)
    return coupon


def _chosen(kind: str, order: Any, merchant: Merchant, code: str, at: datetime) -> dict[str, int]:
    """Return the chosen coupon by its order. Raises NotAttachableError if it does not fit, with the reason."""
    coupon = fitting.unused(merchant, kind).filter(code=code).first()
    if coupon is None:
        raise NotAttachableError(_("This coupon is not in your wallet any more."))
    [fit] = fitting.of_coupon(coupon, [order.pk], at=at)
    if not fit.fits:
        raise NotAttachableError(" ".join(fit.reasons))
    return {order.pk: coupon.pk}


def cannot(order: Any, *, at: datetime) -> str:
    """Return the reason why the order cannot ask for a coupon at `at`; empty if it can."""
    return closed(order, at=at) or (_("The order asked for a coupon when it was placed.") if order.use_coupon else "")


def closed(order: Any, *, at: datetime) -> str:
    """Return the reason why the order's coupon cannot change any more at `at`; empty if it can."""
    if order.cancelled_at and order.cancelled_at <= at:
        return _("The order is cancelled.")
    return _("The order is paid.") if order.paid_at and order.paid_at <= at else ""


def _rows(kind: str) -> "QuerySet[Any]":
    """Return the orders of a kind."""
    return COUPON_FEES[kind].collection.model._default_manager.all()


def _lock_order(kind: str, order_no: str, merchant: Merchant, at: datetime) -> Any:
    orders = _rows(kind).select_for_update(of=("self",), no_key=True)
    order = orders.filter(pk=order_no, merchant=merchant, placed_at__lte=at).first()
    if order is None:
        raise NoOrderError(order_no)
    return order


def _return_coupon(kind: str, order_no: str, *, merchant: Merchant, at: datetime, by: str) -> Coupon | None:
    """Return the merchant's coupon on an order to the wallet, as if the order had never asked for one; else None.

    An order that moved to another merchant keeps the coupon of the wallet that it asked, which is not its owner's.
    """
    coupons = Coupon.objects.select_for_update(of=("self",), no_key=True).select_related("grant", "offer")
    locked = coupons.filter(status=Coupon.Status.LOCKED, valid_until__gt=at)
    coupon = locked.filter(merchant=merchant, order_kind=kind, order_no=order_no).first()
    if coupon is None:
        return None
    Attachment.objects.filter(order_kind=kind, order_no=order_no).delete()
    coupon.value = coupon.face_value  # the journal carries the full value back to the wallet
    entry = issuing.coupon_entry(
        coupon, coupon.grant, target="issued", at=at, by=by, reason="taken off the order", order_no=order_no
    )
    coupon.status, coupon.order_no = Coupon.Status.ISSUED, None
    coupon.save(update_fields=["status", "value", "order_no"])
    journal.record([entry])
    return coupon
