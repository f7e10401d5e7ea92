"""Wallet: the merchant's coupons, the orders they fit, their validity and history."""

from django.db.models import Count
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET

from campaigns.models import Coupon, JournalEntry
from campaigns.offers.published_offers import terms_of
from core import clock, pagination
from core.formatting import join_and
from dashboard import coupon_use
from dashboard.rendering import render_page
from logistics.facts import FREIGHT_ORDERS
from merchants.access import MemberRequest, for_members
from rules.query_row import QueryRow
from rules.sentences import describe_comparison

Status = Coupon.Status
UNSPENT = (Status.ISSUED, Status.LOCKED)


@require_GET
@for_members
def index(request: MemberRequest) -> HttpResponse:
    """List coupons in one state, or all that can still be used, with the count in each state."""
    owned = Coupon.objects.filter(merchant=request.merchant)
    counts = dict(owned.order_by().values_list("status").annotate(n=Count("pk")))
    wanted = request.GET.get("state", "")
    if wanted and wanted not in Status.values:
        raise Http404
    matching = owned.filter(status__in=[wanted] if wanted else UNSPENT)
    rows = matching.select_related("offer", "grant__version")
    page = pagination.newest(rows, after=request.GET.get("after", ""))
    states = [(status.value, status.label, counts.get(status.value, 0)) for status in Status]
    coupons = [(coupon, eligible_orders(coupon)) for coupon in page.rows]
    context = {"coupons": coupons, "page": page, "states": states, "wanted": wanted}
    return render_page(request, "dashboard/wallet.html", at=clock.now(), **context)


@require_GET
@for_members
def detail(request: MemberRequest, code: str) -> HttpResponse:
    """Show a coupon and its history."""
    coupons = Coupon.objects.filter(merchant=request.merchant).select_related("offer", "grant__version")
    coupon = coupons.filter(code=code).first()
    if coupon is None:
        raise Http404
    entries = JournalEntry.objects.filter(coupon=coupon).order_by("pk")
    history = [(entry, Status(entry.target).label) for entry in entries]
    at = clock.now()
    use = coupon_use.for_coupon(request, coupon, at=at)
    context = {"coupon": coupon, "eligible_orders": eligible_orders(coupon), "history": history, "coupon_use": use}
    return render_page(request, "dashboard/coupon.html", at=at, **context)


def eligible_orders(coupon: Coupon) -> str:
    """Describe the freight orders that the coupon fits, by the campaign version that granted it."""
    bundle = terms_of(coupon.grant.version).bundle
    assert bundle is not None
    row = QueryRow(FREIGHT_ORDERS)
    return join_and(describe_comparison(condition, row) for condition in bundle.where)
