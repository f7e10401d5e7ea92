"""Orders: the benefit each one got, or the reason why not and what was missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET

from campaigns.coupons import attachment, fitting
from campaigns.eligibility import explanations
from campaigns.models import Coupon
from campaigns.offers import published_offers
from core import clock, pagination
from core.facts import COUPON_FEES, Label
from dashboard import counted_orders, coupon_use
from dashboard.counted_orders import Counted
from dashboard.offer_results import OfferResult
from dashboard.order_filters import OrderFilterForm
from dashboard.order_types import OrderType, order_types
from dashboard.rendering import render_page
from dashboard.wallet import COUPON_TONES, LABELS
from definitions.claim_terms import ClaimNth
from merchants.access import MemberRequest, for_members
from merchants.models import Merchant

MOST_ELSEWHERE = 5


@dataclass(frozen=True, kw_only=True)
class OrderRow:
    """One order with the results of all offers, the coupon attached to it, and the offers it counts for."""

    kind: str
    order: Any
    latest_event: str
    summary: list[str]
    results: list[OfferResult]
    coupon: Coupon | None
    counts_for: list[Counted]
    takes_coupon: bool
    """The merchant has an unused coupon, and the order can still take one."""

    @property
    def coupon_tone(self) -> str:
        return COUPON_TONES[Coupon.Status(self.coupon.status)] if self.coupon else ""

    @property
    def coupon_label(self) -> Label:
        return LABELS[Coupon.Status(self.coupon.status)] if self.coupon else ""

    @property
    def charge(self) -> coupon_use.Charge | None:
        """The fee that coupons reduce, without and with the attached one; None for an order that takes none."""
        return coupon_use.charge(self.kind, self.order, self.coupon)

    @property
    def shown(self) -> list[OfferResult]:
        """Results that concern this order, what it has first."""
        return [result for result in self.results if result.is_applicable and not result.is_excluded]

    @property
    def folded(self) -> list[OfferResult]:
        """Results that are the same for every order of the merchant, or do not apply."""
        return [result for result in self.results if result not in self.shown]

    @property
    def excluded(self) -> list[OfferResult]:
        """Results of offers for such orders that the merchant is excluded from."""
        return [result for result in self.folded if result.is_applicable]

    @property
    def has_no_offer(self) -> bool:
        return not (self.coupon or self.counts_for or self.shown)


@require_GET
@for_members
def index(request: MemberRequest, order_type: str = "freight") -> HttpResponse:
    """List the merchant's orders of one type, newest first, each with its benefits or what was missing."""
    shown, at = _order_type(order_type), clock.now()
    filters = OrderFilterForm(request.GET)
    orders = filters.apply(shown.rows(request.merchant, at), request.merchant, shown.subject)
    page = pagination.newest_by("listed_at", orders, after=request.GET.get("after", ""))
    rows = _rows(shown, page.rows, request.merchant, at)
    context = {
        "filters": filters,
        "order_types": order_types().values(),
        "order_type": shown,
        "rows": rows,
        "excluded": {result.explanation.offer: result for row in rows for result in row.excluded}.values(),
        "page": page,
        "elsewhere": [] if page.rows else list(_elsewhere(filters, shown, request.merchant, at)),
        "may_change": coupon_use.may_change(request),
    }
    return render_page(request, "dashboard/orders.html", at=at, current="orders", **context)


def _elsewhere(
    filters: OrderFilterForm, shown: OrderType, merchant: Merchant, at: datetime
) -> Iterator[tuple[OrderType, list[str]]]:
    """Yield the other types of order in which the number looked for is found, with the first orders of each."""
    for order_type in order_types().values() if filters.number else ():
        if order_type.name != shown.name:
            rows = order_type.rows(merchant, at).filter(pk__icontains=filters.number).order_by("-listed_at", "-pk")
            if keys := list(rows.values_list("pk", flat=True)[:MOST_ELSEWHERE]):
                yield order_type, keys


@require_GET
@for_members
def detail(request: MemberRequest, order_type: str, number: str) -> HttpResponse:
    """Show one order: its facts, and the result of every offer, condition by condition."""
    shown, at = _order_type(order_type), clock.now()
    order = shown.rows(request.merchant, at).filter(pk=number).first()
    if order is None:
        raise Http404
    [row] = _rows(shown, [order], request.merchant, at)
    context = {
        "order_type": shown,
        "row": row,
        "details": list(shown.details(order, at)),
        "coupon_use": coupon_use.for_order(request, shown.subject, order, at=at),
    }
    return render_page(request, "dashboard/order.html", at=at, current="orders", **context)


def _order_type(name: str) -> OrderType:
    found = order_types().get(name)
    if found is None:
        raise Http404
    return found


def _rows(order_type: OrderType, orders: list[Any], merchant: Merchant, at: datetime) -> list[OrderRow]:
    """Collect the results of the orders: two queries, and one for each offer that covers or counts such orders."""
    keys = [order.pk for order in orders]
    results: dict[str, list[OfferResult]] = {key: [] for key in keys}
    counts_for: dict[str, list[Counted]] = {key: [] for key in keys}
    for offer in published_offers.published() if keys else []:
        if offer.terms.subject == order_type.subject:
            for explanation in explanations.explain_all(offer, keys, at=at):
                results[explanation.subject].append(OfferResult(explanation, offer))
        claim = offer.terms.claim
        if isinstance(claim, ClaimNth) and claim.nth.of == order_type.collection.name:
            for key, events in counted_orders.awaited(claim.nth, keys, at=at).items():
                if not events or not offer.row.stopped_at:
                    counts_for[key].append(Counted(offer, events))
    kind = order_type.subject
    attached = Coupon.objects.filter(merchant=merchant, order_kind=kind, order_no__in=keys)
    coupons = {coupon.order_no: coupon for coupon in attached if kind in COUPON_FEES}
    has_unused = kind in COUPON_FEES and any(not attachment.cannot(order, at=at) for order in orders)
    has_unused = has_unused and fitting.unused(merchant, kind).filter(valid_until__gt=at).exists()
    return [
        OrderRow(
            kind=kind,
            order=order,
            latest_event=order_type.latest(order, at),
            summary=order_type.summary(order),
            results=sorted(results[order.pk], key=attrgetter("rank")),
            coupon=coupons.get(order.pk),
            counts_for=counts_for[order.pk],
            takes_coupon=has_unused and order.pk not in coupons and not attachment.cannot(order, at=at),
        )
        for order in orders
    ]
