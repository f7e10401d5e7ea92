"""Orders: the benefit each one got, or the reason why not and what was missing."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.http import Http404, HttpResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from campaigns.coupons import attachment, fitting
from campaigns.eligibility import claims, explanations
from campaigns.eligibility.band_results import NAME as QUOTA
from campaigns.eligibility.condition_results import ConditionResult
from campaigns.eligibility.explanations import Explanation
from campaigns.eligibility.merchant_status import depends_on_merchant
from campaigns.models import Coupon, Grant
from campaigns.offers import published_offers
from campaigns.offers.published_offers import PublishedOffer
from core import clock, pagination
from core.facts import Label
from core.formatting import format_money
from dashboard import coupon_use
from dashboard.offer_lines import PENDING
from dashboard.order_filters import OrderFilterForm
from dashboard.order_types import OrderType, order_types
from dashboard.rendering import render_page
from dashboard.wallet import COUPON_TONES, LABELS
from definitions.claim_terms import ClaimNth
from merchants.access import MemberRequest, for_members
from merchants.models import Merchant
from rules.time_windows import Bound

MAX_REASONS_IN_LIST = 2
OUTCOMES: dict[str, Label] = {
    "granted": gettext_lazy("granted"),
    "pending": gettext_lazy("claimed, awaiting decision"),
    "no_claim": gettext_lazy("not claimed yet"),
    "superseded": gettext_lazy("another benefit reduces the same fee"),
    "merchant_cap": gettext_lazy("limit per merchant reached"),
    "holder_cap": gettext_lazy("limit of its holder reached"),
    "quota_exhausted": gettext_lazy("quota used up"),
    "stopped": gettext_lazy("offer stopped"),
    "before_opening": gettext_lazy("before the offer opened"),
    "refused": gettext_lazy("requirement not met"),
    "not_a_subject": gettext_lazy("does not apply to this order"),
}


TONES = {
    "pending": "info",
    "no_claim": "idle",
    "superseded": "idle",
    "merchant_cap": "warn",
    "holder_cap": "warn",
    "quota_exhausted": "warn",
    "stopped": "warn",
    "before_opening": "idle",
    "refused": "bad",
    "not_a_subject": "idle",
}
GRANT_TONES = {
    Grant.Status.RESERVED: "info",
    Grant.Status.LOCKED: "info",
    Grant.Status.SETTLED: "ok",
    Grant.Status.RELEASED: "idle",
    Grant.Status.FORFEITED: "bad",
    Grant.Status.REVOKED: "bad",
}


@dataclass(frozen=True)
class OfferResult:
    """Outcome of one offer for one order, with the texts for pages."""

    explanation: Explanation
    bounds: tuple[Bound, ...] = ()
    is_excluded: bool = False
    """The merchant itself does not meet a condition, so that none of its orders can have the benefit."""

    @property
    def rank(self) -> int:
        """Place among the results of an order: what it has, what it may get, what it missed."""
        return list(OUTCOMES).index(self.explanation.outcome)

    @property
    def outcome(self) -> str:
        if self.explanation.quarantined_since:
            return _("being checked by the marketplace; you need not do anything, and nothing is lost")
        return capfirst(str(OUTCOMES[self.explanation.outcome]))

    @property
    def status(self) -> str:
        """Label of the grant's status as merchants read it, empty without a grant."""
        if self.explanation.status in PENDING:
            return _("On its way")
        return str(capfirst(Grant.Status(self.explanation.status).label)) if self.explanation.status else ""

    @property
    def tone(self) -> str:
        """Tone of the pill: how well it went."""
        if self.is_granted:
            return GRANT_TONES[Grant.Status(self.explanation.status)]
        return TONES[self.explanation.outcome]

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
    def band(self) -> ConditionResult | None:
        """The limit that refused the claim, where the quota has several."""
        return next((condition for condition in self.missing if condition.name == QUOTA), None)

    @property
    def in_part(self) -> str:
        """Amount of the whole benefit where the budget had less left, in words; otherwise empty."""
        if self.explanation.benefit is None:
            return ""
        benefit = format_money(self.explanation.benefit, self.explanation.currency)
        return _("of %(benefit)s, all that was left of the budget") % {"benefit": benefit}

    @property
    def main_reasons(self) -> list[ConditionResult]:
        """Missing conditions that a list shows: those that refused the claim, or the threshold it waits for."""
        if self.explanation.outcome == "refused":
            return self.missing[:MAX_REASONS_IN_LIST]
        if self.band is not None:
            return [self.band]
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
    takes_coupon: bool
    """The merchant has an unused coupon, and the order can still take one."""

    @property
    def coupon_tone(self) -> str:
        return COUPON_TONES[Coupon.Status(self.coupon.status)] if self.coupon else ""

    @property
    def coupon_label(self) -> Label:
        return LABELS[Coupon.Status(self.coupon.status)] if self.coupon else ""

    @property
    def reduced_freight(self) -> Decimal:
        """The freight that is left to pay with the attached coupon."""
        worth = self.coupon.value if self.coupon else Decimal(0)
        return Decimal(self.order.base_freight) - worth

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
        return not (self.coupon or self.counts_for or any(result.is_applicable for result in self.results))


@require_GET
@for_members
def index(request: MemberRequest, order_type: str = "freight") -> HttpResponse:
    """List the merchant's orders of one type, newest first, each with its benefits or what was missing."""
    shown, at = _order_type(order_type), clock.now()
    filters = OrderFilterForm(request.GET)
    orders = filters.apply(shown.rows(request.merchant, at), request.merchant)
    page = pagination.newest_by("listed_at", orders, after=request.GET.get("after", ""))
    context = {
        "filters": filters,
        "order_types": order_types().values(),
        "order_type": shown,
        "rows": _rows(shown, page.rows, request.merchant, at),
        "page": page,
        "may_change": coupon_use.may_change(request),
    }
    return render_page(request, "dashboard/orders.html", at=at, current="orders", **context)


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
        "coupon_use": coupon_use.for_order(request, order, at=at) if shown.name == "freight" else None,
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
    counts_for: dict[str, list[PublishedOffer]] = {key: [] for key in keys}
    for offer in published_offers.published() if keys else []:
        if offer.terms.subject == order_type.subject:
            for explanation in explanations.explain_all(offer, keys, at=at):
                excluded = not explanation.status and _excludes_merchant(offer, explanation)
                results[explanation.subject].append(OfferResult(explanation, offer.terms.bounds, excluded))
        claim = offer.terms.claim
        if isinstance(claim, ClaimNth) and claim.nth.of == order_type.collection.name:
            for order in claims.counting(claim.nth, at=claims.constant(at)).filter(pk__in=keys):
                counts_for[order.pk].append(offer)
    coupons = {coupon.order_no: coupon for coupon in Coupon.objects.filter(merchant=merchant, order_no__in=keys)}
    is_freight = order_type.name == "freight"
    has_unused = is_freight and any(not attachment.cannot(order, at=at) for order in orders)
    has_unused = has_unused and fitting.unused(merchant).filter(valid_until__gt=at).exists()
    return [
        OrderRow(
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


def _excludes_merchant(offer: PublishedOffer, explanation: Explanation) -> bool:
    """Return whether a condition that concerns the merchant alone did not pass."""
    about_merchant = {each.name for each in (*offer.terms.scope, *offer.terms.asked) if depends_on_merchant(each)}
    return any(not result.passed and result.name in about_merchant for result in explanation.conditions)
