"""Wallet: the merchant's coupons, the orders they fit, their validity and history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from campaigns.models import Coupon, JournalEntry
from campaigns.offers.published_offers import terms_of
from core import clock, pagination
from core.facts import COUPON_FEES, Label
from core.formatting import join_and
from dashboard import coupon_use
from dashboard.due_dates import Due
from dashboard.order_types import list_of
from dashboard.rendering import render_page
from definitions.benefits import CouponBundle
from merchants.access import MemberRequest, for_members
from merchants.models import Merchant
from rules.sentences import describe_comparison

Status = Coupon.Status
COUPON_TONES = {
    Status.ISSUED: "ok",
    Status.LOCKED: "info",
    Status.REDEEMED: "ok",
    Status.EXPIRED: "idle",
    Status.VOID: "bad",
}
"""Tone of the pill of each status."""


LABELS: dict[Status, Label] = {
    Status.ISSUED: gettext_lazy("Unused"),
    Status.LOCKED: gettext_lazy("On an order"),
    Status.REDEEMED: gettext_lazy("Used"),
    Status.EXPIRED: gettext_lazy("Expired"),
    Status.VOID: gettext_lazy("Void"),
}
"""Statuses as merchants read them."""


@dataclass(frozen=True, kw_only=True)
class CouponGroup:
    """Coupons that are alike, shown as one: the first of them, their number, and the order of a used one."""

    coupon: Coupon
    count: int
    due: Due
    order: Any = None

    @property
    def value(self) -> Decimal:
        """The value on its order, else the amount that stands on the coupon."""
        return Decimal(self.coupon.value if self.coupon.order_no else self.coupon.stated)

    @property
    def label(self) -> Label:
        return LABELS[Status(self.coupon.status)]

    @property
    def tone(self) -> str:
        return COUPON_TONES[Status(self.coupon.status)]

    @property
    def fits(self) -> str:
        return eligible_orders(self.coupon)

    @property
    def charge(self) -> coupon_use.Charge | None:
        """The fee of its order, without and with the coupon."""
        return coupon_use.charge(self.coupon.order_kind, self.order, self.coupon)

    @property
    def noun(self) -> Label:
        """The kind of order that the coupon is for."""
        return order_noun(self.coupon)

    @property
    def orders(self) -> str:
        """The name in addresses of the list of its orders."""
        return list_of(self.coupon.order_kind)


@require_GET
@for_members
def index(request: MemberRequest) -> HttpResponse:
    """List coupons in one state, those to use unless another is asked for; beside them the orders that fit one."""
    at, owned = clock.now(), Coupon.objects.filter(merchant=request.merchant)
    wanted = request.GET.get("state", Status.ISSUED)
    if wanted not in Status.values:
        raise Http404
    counts = dict(owned.order_by().values_list("status").annotate(n=Count("pk")))
    rows = owned.filter(status=wanted).select_related("offer", "grant__version")
    page = pagination.newest(rows, after=request.GET.get("after", ""))
    chosen = _chosen(request, at) if wanted == Status.ISSUED else None
    context = {
        "groups": _groups(page.rows, request.merchant, at),
        "page": page,
        "states": [(status.value, LABELS[status], counts.get(status.value, 0)) for status in Status],
        "wanted": wanted,
        "chosen": chosen,
        "coupon_use": coupon_use.for_coupon(request, chosen, at=at) if chosen else None,
        "may_change": coupon_use.may_change(request),
    }
    return render_page(request, "dashboard/wallet.html", at=at, current="wallet", **context)


def _chosen(request: MemberRequest, at: datetime) -> Coupon | None:
    """Return the coupon for which the page lists orders: the one asked for, else the one that ends first."""
    held = Coupon.objects.filter(merchant=request.merchant, status=Status.ISSUED, valid_until__gt=at)
    unused = held.select_related("offer", "grant__version")
    if code := request.GET.get("coupon"):
        return unused.filter(code=code).first()
    return unused.order_by("valid_until", "issued_at", "pk").first()


def _groups(coupons: Sequence[Coupon], merchant: Merchant, at: datetime) -> list[CouponGroup]:
    """Group unused coupons that are alike; each other coupon stands alone, with its order."""
    orders = _orders(coupons, merchant)
    alike: dict[object, list[Coupon]] = {}
    for coupon in coupons:
        value = (coupon.face_value, coupon.price, coupon.currency)
        unused = (coupon.offer_id, *value, coupon.valid_from, coupon.valid_until)
        alike.setdefault(unused if coupon.status == Status.ISSUED else coupon.pk, []).append(coupon)
    return [
        CouponGroup(
            coupon=several[-1],  # the oldest
            count=len(several),
            due=Due(_("use"), _bundle(several[-1]).valid.to, at),
            order=orders.get((several[-1].order_kind, several[-1].order_no or "")),
        )
        for several in alike.values()
    ]


def _orders(coupons: Sequence[Coupon], merchant: Merchant) -> dict[tuple[str, str], Any]:
    """Return the orders of coupons by kind and number: one query a kind.

    Not orders that moved to another merchant: these keep the coupon, but their fee is no business of this one.
    """
    found: dict[tuple[str, str], Any] = {}
    for kind, fee in COUPON_FEES.items():
        numbers = [coupon.order_no for coupon in coupons if coupon.order_no and coupon.order_kind == kind]
        rows = fee.collection.model._default_manager.filter(merchant=merchant)
        found |= {(kind, str(key)): row for key, row in (rows.in_bulk(numbers) if numbers else {}).items()}
    return found


@require_GET
@for_members
def detail(request: MemberRequest, code: str) -> HttpResponse:
    """Show a coupon, the orders that it fits, and its history."""
    coupons = Coupon.objects.filter(merchant=request.merchant).select_related("offer", "grant__version")
    coupon = coupons.filter(code=code).first()
    if coupon is None:
        raise Http404
    entries = JournalEntry.objects.filter(coupon=coupon).order_by("pk")
    at = clock.now()
    context = {
        "coupon": coupon,
        "tone": COUPON_TONES[Status(coupon.status)],
        "label": LABELS[Status(coupon.status)],
        "eligible_orders": eligible_orders(coupon),
        "noun": order_noun(coupon),
        "orders": list_of(coupon.order_kind),
        "history": [(entry, LABELS[Status(entry.target)]) for entry in entries],
        "coupon_use": coupon_use.for_coupon(request, coupon, at=at),
        "may_change": coupon_use.may_change(request),
    }
    return render_page(request, "dashboard/coupon.html", at=at, current="wallet", **context)


def order_noun(coupon: Coupon) -> Label:
    """Return the kind of order that a coupon is for, as people read it."""
    return COUPON_FEES[coupon.order_kind].collection.singular


def eligible_orders(coupon: Coupon) -> str:
    """Describe the orders that the coupon fits, by the campaign version that granted it."""
    bundle = _bundle(coupon)
    return join_and(describe_comparison(condition, bundle.row) for condition in bundle.where)


def _bundle(coupon: Coupon) -> CouponBundle:
    bundle = terms_of(coupon.grant.version).bundle
    assert bundle is not None
    return bundle
