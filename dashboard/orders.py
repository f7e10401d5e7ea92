"""Orders: the benefit each one got, or the reason why not and what was missing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from campaigns.coupons import attachment
from campaigns.eligibility import claims, explanations
from campaigns.eligibility.condition_results import ConditionResult
from campaigns.eligibility.explanations import Explanation
from campaigns.models import Coupon, Grant
from campaigns.offers import published_offers
from campaigns.offers.published_offers import PublishedOffer
from core import clock, pagination
from core.facts import Label
from core.formatting import format_money
from dashboard.order_types import OrderType, order_types
from dashboard.rendering import render_page
from definitions.claim_terms import ClaimNth
from logistics.models import FreightOrder
from merchants.access import MemberRequest, for_members
from merchants.models import Merchant

MAX_REASONS_IN_LIST = 2
OUTCOMES: dict[str, Label] = {
    "granted": gettext_lazy("granted"),
    "refused": gettext_lazy("requirement not met"),
    "superseded": gettext_lazy("a larger benefit on the same fee was granted"),
    "merchant_cap": gettext_lazy("limit per merchant reached"),
    "quota_exhausted": gettext_lazy("quota used up"),
    "stopped": gettext_lazy("offer stopped"),
    "pending": gettext_lazy("claimed, awaiting decision"),
    "before_opening": gettext_lazy("before the offer opened"),
    "no_claim": gettext_lazy("not claimed yet"),
    "not_a_subject": gettext_lazy("does not apply to this order"),
}


@dataclass(frozen=True)
class OfferResult:
    """Outcome of one offer for one order, with the texts for pages."""

    explanation: Explanation

    @property
    def outcome(self) -> str:
        if self.explanation.quarantined_since:
            return _("being checked by the marketplace; you need not do anything, and nothing is lost")
        return str(OUTCOMES[self.explanation.outcome])

    @property
    def status(self) -> str:
        """Label of the grant's status, empty without a grant."""
        return str(Grant.Status(self.explanation.status).label) if self.explanation.status else ""

    @property
    def is_granted(self) -> bool:
        return self.explanation.outcome == "granted"

    @property
    def is_applicable(self) -> bool:
        return self.explanation.outcome != "not_a_subject"

    @property
    def missing(self) -> list[ConditionResult]:
        """Conditions that the order does not meet."""
        return [condition for condition in self.explanation.conditions if not condition.passed]

    @property
    def main_reasons(self) -> list[ConditionResult]:
        """Missing conditions that a list shows: those that refused the claim, or the threshold it waits for."""
        if self.explanation.outcome == "refused":
            return self.missing[:MAX_REASONS_IN_LIST]
        if self.explanation.outcome == "no_claim":
            return [condition for condition in self.missing if condition.name == "threshold"]
        return []

    @property
    def has_more_reasons(self) -> bool:
        """True if the list shows only some of the missing conditions."""
        return len(self.missing) > len(self.main_reasons) > 0


@dataclass(frozen=True, kw_only=True)
class OrderRow:
    """One order with the results of all offers, the coupon attached to it, and the offers it counts for."""

    order: Any
    latest_event: str
    summary: list[str]
    results: list[OfferResult]
    coupon: Coupon | None
    counts_for: list[PublishedOffer]

    @property
    def has_no_offer(self) -> bool:
        return not (self.coupon or self.counts_for or any(result.is_applicable for result in self.results))


@require_GET
@for_members
def index(request: MemberRequest, order_type: str = "freight") -> HttpResponse:
    """List the merchant's orders of one type, newest first, each with its benefits or what was missing."""
    shown, at = _order_type(order_type), clock.now()
    page = pagination.newest_by("listed_at", shown.rows(request.merchant, at), after=request.GET.get("after", ""))
    context = {
        "order_types": order_types().values(),
        "order_type": shown,
        "rows": _rows(shown, page.rows, request.merchant, at),
        "page": page,
    }
    return render_page(request, "dashboard/orders.html", at=at, **context)


@require_GET
@for_members
def detail(request: MemberRequest, order_type: str, number: str) -> HttpResponse:
    """Show one order: its facts, and the result of every offer, condition by condition."""
    shown, at = _order_type(order_type), clock.now()
    order = shown.rows(request.merchant, at).filter(pk=number).first()
    if order is None:
        raise Http404
    [row] = _rows(shown, [order], request.merchant, at)
    member = request.member
    may_attach = shown.name == "freight" and member is not None and member.may_attach
    context = {
        "order_type": shown,
        "row": row,
        "details": list(shown.details(order, at)),
        "may_attach": may_attach and not attachment.cannot(order, at=at),
    }
    return render_page(request, "dashboard/order.html", at=at, **context)


@require_POST
@for_members
def attach(request: MemberRequest, number: str) -> HttpResponse:
    """Attach a coupon from the wallet to a freight order."""
    if request.member is None or not request.member.may_attach:
        raise PermissionDenied
    try:
        coupon = attachment.attach(number, merchant=request.merchant, at=clock.now(), by=str(request.member))
    except FreightOrder.DoesNotExist as error:
        raise Http404 from error
    except attachment.NotAttachableError as refusal:
        messages.error(request, str(refusal))
    else:
        value = format_money(coupon.value, coupon.currency)
        messages.success(request, _("Coupon of %(value)s attached to this order.") % {"value": value})
    return redirect("order", order_type="freight", number=number)


def _order_type(name: str) -> OrderType:
    found = order_types().get(name)
    if found is None:
        raise Http404
    return found


def _rows(order_type: OrderType, orders: list[Any], merchant: Merchant, at: datetime) -> list[OrderRow]:
    """Collect the results of the orders: two queries, and one for each offer that covers or counts such orders."""
    keys = [order.pk for order in orders]
    results: dict[str, list[OfferResult]] = {key: [] for key in keys}
    counts_for: dict[str, list[PublishedOffer]] = {key: [] for key in keys}
    for offer in published_offers.published() if keys else []:
        if offer.terms.subject == order_type.subject:
            for explanation in explanations.explain_all(offer, keys, at=at):
                results[explanation.subject].append(OfferResult(explanation))
        claim = offer.terms.claim
        if isinstance(claim, ClaimNth) and claim.nth.of == order_type.collection.name:
            for order in claims.counting(claim.nth, at=claims.constant(at)).filter(pk__in=keys):
                counts_for[order.pk].append(offer)
    coupons = {coupon.order_no: coupon for coupon in Coupon.objects.filter(merchant=merchant, order_no__in=keys)}
    return [
        OrderRow(
            order=order,
            latest_event=order_type.latest(order, at),
            summary=order_type.summary(order),
            results=results[order.pk],
            coupon=coupons.get(order.pk),
            counts_for=counts_for[order.pk],
        )
        for order in orders
    ]
