"""Page of one merchant: master data, status by offer, grants and coupons."""

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from backoffice.explanations import explain_subject
from backoffice.rendering import has_permissions, render_page, staff_view
from campaigns.eligibility import merchant_status
from campaigns.models import Coupon, Grant
from campaigns.offers import published_offers
from core import clock
from merchants import blocks
from merchants.models import Block, Membership, Merchant, Penalty, ServicePackage

MAX_ROWS_SHOWN = 50
STATES: list[tuple[Promise, type[Model]]] = [
    (gettext_lazy("Memberships"), Membership),
    (gettext_lazy("Service packages"), ServicePackage),
    (gettext_lazy("Penalties"), Penalty),
]


@staff_view("view_grant", "merchants.view_merchant", methods=("GET", "HEAD"))
def detail(request: HttpRequest, code: str) -> HttpResponse:
    """Show one merchant."""
    merchant, at = get_object_or_404(Merchant, pk=code), clock.now()
    states = [
        (title, model._default_manager.filter(merchant=merchant).order_by("-starts_at")[:MAX_ROWS_SHOWN])
        for title, model in STATES
    ]
    grants = Grant.objects.filter(merchant=merchant).select_related("offer").order_by("-claimed_at", "-pk")
    coupons = Coupon.objects.filter(merchant=merchant).select_related("offer").order_by("-issued_at", "-pk")
    return render_page(
        request,
        "merchant",
        title=f"{merchant.code} {merchant.name}",
        merchant=merchant,
        states=states,
        standings=merchant_status.statuses(published_offers.published(), merchant, at=at),
        grants=grants[:MAX_ROWS_SHOWN],
        coupons=coupons[:MAX_ROWS_SHOWN],
        answers=explain_subject("merchant", code, at=at),
        merchant_block=blocks.in_force(merchant, at=at),
        proposed_blocks=merchant.blocks.filter(status=Block.Status.PROPOSED),
        may_block=has_permissions(request, "merchants.block_merchant"),
        may_revoke=has_permissions(request, "revoke_grant"),
        live=Grant.objects.filter(merchant=merchant, status__in=Grant.LIVE).exists(),
    )
