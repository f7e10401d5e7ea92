"""The wallet: every coupon, where it can be used and until when, and what became of it."""

from django.db.models import Count
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET

from campaigns.models import Coupon, JournalEntry
from campaigns.offers.published_offers import terms_of
from core import clock, pagination
from core.formatting import join_and
from dashboard.rendering import show
from merchants.access import MemberRequest, for_members
from rules.conditions import Row
from rules.facts import COLLECTIONS
from rules.sentences import comparison

Status = Coupon.Status
UNSPENT = (Status.ISSUED, Status.LOCKED)


@require_GET
@for_members
def listed(request: MemberRequest) -> HttpResponse:
    """The merchant's coupons of one state, or those that can still be used, with how many there are of each."""
    mine = Coupon.objects.filter(merchant=request.merchant)
    counts = dict(mine.order_by().values_list("status").annotate(n=Count("pk")))
    wanted = request.GET.get("state", "")
    if wanted and wanted not in Status.values:
        raise Http404
    chosen = mine.filter(status__in=[wanted] if wanted else UNSPENT)
    rows = chosen.select_related("offer", "grant__version")
    page = pagination.newest(rows, after=request.GET.get("after", ""))
    states = [(status.value, status.label, counts.get(status.value, 0)) for status in Status]
    coupons = [(coupon, where(coupon)) for coupon in page.rows]
    return show(
        request, "dashboard/wallet.html", at=clock.now(), coupons=coupons, page=page, states=states, wanted=wanted
    )  # fmt: skip


@require_GET
@for_members
def one(request: MemberRequest, code: str) -> HttpResponse:
    """A coupon and its history."""
    coupons = Coupon.objects.filter(merchant=request.merchant).select_related("offer", "grant__version")
    coupon = coupons.filter(code=code).first()
    if coupon is None:
        raise Http404
    history = JournalEntry.objects.filter(coupon=coupon).order_by("pk")
    moves = [(entry, Status(entry.target).label) for entry in history]
    return show(
        request, "dashboard/coupon.html", at=clock.now(), coupon=coupon, where=where(coupon), moves=moves
    )  # fmt: skip


def where(coupon: Coupon) -> str:
    """What a freight order must be like for the coupon, by the version that granted it."""
    bundle = terms_of(coupon.grant.version).bundle
    assert bundle is not None
    row = Row(COLLECTIONS["freight_orders"])
    return join_and(comparison(condition, row) for condition in bundle.where)
