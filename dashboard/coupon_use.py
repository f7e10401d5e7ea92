"""Use of coupons: choose one for an order, or an order for one, and take it off again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campaigns.coupons import attachment, fitting
from campaigns.coupons.fitting import Fit
from campaigns.models import Attachment, Coupon, OutboxEvent
from campaigns.notifications.messages import create_read
from core import clock
from core.facts import COUPON_FEES, Label
from core.formatting import format_money
from dashboard.order_types import list_of, order_types
from dashboard.rendering import redirect_back
from merchants.access import MemberRequest, for_members


@dataclass(frozen=True)
class Charge:
    """Fee of an order, named by its `label`: its `amount`, and what it `pays` with its coupon."""

    label: Label
    amount: Decimal
    pays: Decimal
    currency: str


def charge(kind: str, order: Any, coupon: Coupon | None) -> Charge | None:
    """Return the fee of an order of a kind, and what is left of it with its coupon; None if it takes none."""
    fee = COUPON_FEES.get(kind)
    if fee is None or order is None:
        return None
    amount = Decimal(getattr(order, fee.fact))
    currency = getattr(order, fee.currency_fact) if fee.currency_fact else fee.currency
    return Charge(fee.label, amount, amount - (Decimal(coupon.value) if coupon else 0), currency)


@dataclass(frozen=True)
class FitGroup:
    """Coupons that are alike for an order: the fit of the first of them, and their number."""

    fit: Fit
    count: int


@dataclass(frozen=True)
class CouponUse:
    """Choices of a member: coupons or orders that fit, those that do not, and the coupon to take off."""

    may_change: bool
    reason: str
    fits: list[Fit]
    others: list[Fit]
    orders: str
    attached: Coupon | None = None

    @property
    def groups(self) -> list[FitGroup]:
        """The coupons that fit, alike ones as one."""
        return _grouped(self.fits)

    @property
    def other_groups(self) -> list[FitGroup]:
        """The coupons that do not fit, alike ones with the same reasons as one."""
        return _grouped(self.others)

    @property
    def may_detach(self) -> bool:
        return self.may_change and self.attached is not None and self.attached.status == Coupon.Status.LOCKED


def for_order(request: MemberRequest, kind: str, order: Any, *, at: datetime) -> CouponUse | None:
    """Return the use of coupons for an order; None if the merchant has no coupon that could be used or taken off."""
    if kind not in COUPON_FEES or attachment.closed(order, at=at):
        return None
    unused = fitting.unused(request.merchant, kind)
    attached = Coupon.objects.filter(merchant=request.merchant, order_kind=kind, order_no=order.pk).first()
    if attached is None and not unused.exists():
        return None
    fits = [] if attached else fitting.of_order(order, list(unused), at=at)
    if order.use_coupon and not attached:
        # It asked when it was placed, and cannot ask again: coupons that fit now were not free then.
        return _use(request, kind, [fit for fit in fits if not fit.fits], reason=_why_none(kind, order, fits))
    return _use(request, kind, fits, attached=attached)


def _grouped(fits: list[Fit]) -> list[FitGroup]:
    """Group coupons of one offer, value and validity that fit alike; the first to be used stands for them."""
    alike: dict[object, list[Fit]] = {}
    for fit in fits:
        coupon = fit.coupon
        key = (coupon.offer_id, coupon.face_value, coupon.price, coupon.currency, coupon.valid_from, coupon.valid_until)
        alike.setdefault((*key, fit.worth, fit.reasons), []).append(fit)
    return [FitGroup(several[0], len(several)) for several in alike.values()]


def _why_none(kind: str, order: Any, fits: list[Fit]) -> str:
    """Return the reason why an order that asked for a coupon has none."""
    asked = Attachment.objects.filter(order_kind=kind, order_no=order.pk).first()
    if asked is None:
        return _("The order asked for a coupon when it was placed. It gets one within a few minutes, if one fits.")
    if asked.waits:
        return _("A discount that this order claimed earlier is not decided yet. Then the order gets its coupon.")
    if any(fit.fits for fit in fits):
        return _("The order asked for a coupon when it was placed, and no coupon that fits was free then.")
    return _("The order asked for a coupon when it was placed, and none of your coupons fits it.")


def for_coupon(request: MemberRequest, coupon: Coupon, *, at: datetime) -> CouponUse | None:
    """Return the use of a coupon for the newest open orders; None unless it is in the wallet."""
    if coupon.status != Coupon.Status.ISSUED or at >= coupon.valid_until:
        return None
    orders = fitting.open_orders(coupon.order_kind, request.merchant, at=at)[: fitting.MOST_ORDERS]
    return _use(request, coupon.order_kind, fitting.of_coupon(coupon, [order.pk for order in orders], at=at))


def may_change(request: MemberRequest) -> bool:
    """Return whether the reader may use coupons and take them off."""
    return request.member is not None and request.member.may_attach


def _use(
    request: MemberRequest, kind: str, fits: list[Fit], *, attached: Coupon | None = None, reason: str = ""
) -> CouponUse:
    return CouponUse(
        may_change=may_change(request),
        reason=reason,
        fits=[fit for fit in fits if fit.fits],
        others=[fit for fit in fits if not fit.fits],
        orders=list_of(kind),
        attached=attached,
    )


@require_POST
@for_members
def attach(request: MemberRequest, order_type: str, number: str) -> HttpResponse:
    """Attach the chosen coupon from the wallet, or the oldest that fits, to an order."""
    kind = _kind(order_type)

    def change(by: str) -> str:
        code = request.POST.get("coupon", "")
        coupon = attachment.attach(number, kind=kind, merchant=request.merchant, at=clock.now(), by=by, code=code)
        value = format_money(coupon.value, coupon.currency)
        return _("Coupon of %(value)s attached to this order.") % {"value": value}

    return _change(request, kind, number, change, told=OutboxEvent.Kind.COUPON_LOCKED)


@require_POST
@for_members
def use(request: MemberRequest) -> HttpResponseBase:
    """Attach a coupon of the wallet to the chosen order."""
    if not request.POST.get("order"):
        messages.error(request, _("Choose an order."))
        return redirect("wallet")
    coupon = Coupon.objects.filter(merchant=request.merchant, code=request.POST.get("coupon", "")).first()
    if coupon is None:
        raise Http404
    return attach(request, list_of(coupon.order_kind), request.POST["order"])


@require_POST
@for_members
def detach(request: MemberRequest, order_type: str, number: str) -> HttpResponse:
    """Take the coupon off an order that is not paid yet."""
    kind = _kind(order_type)

    def change(by: str) -> str:
        attachment.detach(number, kind=kind, merchant=request.merchant, at=clock.now(), by=by)
        return _("The coupon is back in your wallet.")

    return _change(request, kind, number, change, told=OutboxEvent.Kind.COUPON_RETURNED)


def _kind(order_type: str) -> str:
    """Return the subject of a list of orders that take coupons. Raises Http404 for any other."""
    found = order_types().get(order_type)
    if found is None or found.subject not in COUPON_FEES:
        raise Http404
    return found.subject


def _change(
    request: MemberRequest, kind: str, number: str, change: Callable[[str], str], *, told: OutboxEvent.Kind
) -> HttpResponse:
    """Make a change by the member; `told` is the kind of the event that tells the merchant's other members of it."""
    member = request.member
    if member is None or not member.may_attach:
        raise PermissionDenied
    try:
        with transaction.atomic():
            text = change(str(member))
            create_read(told, number, member=member, at=clock.now())
        messages.success(request, text)
    except attachment.NoOrderError as error:
        raise Http404 from error
    except attachment.NotAttachableError as refusal:
        messages.error(request, str(refusal))
    return redirect_back(request, otherwise=reverse("order", args=(list_of(kind), number)))
