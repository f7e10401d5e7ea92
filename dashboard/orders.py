"""Orders: for each, the benefit it got, or why not and how much was missing."""

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
from campaigns.eligibility.explanations import Explanation
from campaigns.models import Coupon, Grant
from campaigns.offers import published_offers
from campaigns.offers.published_offers import PublishedOffer
from core import clock, pagination
from core.formatting import format_money
from dashboard.order_types import SORTS, Label, Sort
from dashboard.rendering import show
from definitions.offer_terms import ClaimNth
from logistics.models import FreightOrder
from merchants.access import MemberRequest, for_members
from merchants.models import Merchant

MOST_IN_A_LIST = 2
OUTCOMES: dict[str, Label] = {
    "granted": gettext_lazy("granted"),
    "refused": gettext_lazy("a condition is not met"),
    "superseded": gettext_lazy("another benefit on the same fee was larger"),
    "merchant_cap": gettext_lazy("you have had your share"),
    "quota_exhausted": gettext_lazy("all places were taken"),
    "stopped": gettext_lazy("the offer had been stopped"),
    "pending": gettext_lazy("claimed, not decided yet"),
    "no_claim": gettext_lazy("no claim yet"),
    "not_a_subject": gettext_lazy("the offer is not about such orders"),
}


@dataclass(frozen=True)
class Answer:
    """What an offer said to an order."""

    told: Explanation

    @property
    def outcome(self) -> str:
        return str(OUTCOMES[self.told.outcome])

    @property
    def status(self) -> str:
        """The state of the grant, in words."""
        return str(Grant.Status(self.told.status).label) if self.told.status else ""

    @property
    def missing(self) -> list[explanations.ConditionResult]:
        return [reason for reason in self.told.conditions if not reason.held]

    @property
    def speaks(self) -> bool:
        """Whether it is worth a line in a list: the offer is about such an order."""
        return self.told.outcome != "not_a_subject"

    @property
    def headline(self) -> list[explanations.ConditionResult]:
        """What a list says of what is missing: what refused a claim, or what a claim still waits for."""
        if self.told.outcome == "refused":
            return self.missing[:MOST_IN_A_LIST]
        waits = self.told.outcome == "no_claim"
        return [reason for reason in self.missing if waits and reason.name == "threshold"]

    @property
    def is_short(self) -> bool:
        """Whether more is missing than the headline says."""
        return len(self.missing) > len(self.headline) > 0


@dataclass(frozen=True)
class Line:
    """An order in a list."""

    order: Any
    latest: str
    summary: list[str]
    answers: list[Answer]
    coupon: Coupon | None
    counts_for: list[PublishedOffer]

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to say of it."""
        return not (self.coupon or self.counts_for or any(answer.speaks for answer in self.answers))


@require_GET
@for_members
def listed(request: MemberRequest, sort: str = "freight") -> HttpResponse:
    """The merchant's orders of a sort, newest first, each with what it got or missed."""
    of, at = _sort(sort), clock.now()
    page = pagination.newest_by("listed_at", of.rows(request.merchant, at), after=request.GET.get("after", ""))
    lines = _lines(of, page.rows, request.merchant, at)
    return show(request, "dashboard/orders.html", at=at, sorts=SORTS.values(), sort=of, lines=lines, page=page)


@require_GET
@for_members
def one(request: MemberRequest, sort: str, number: str) -> HttpResponse:
    """One order: everything known of it, and every offer's answer, condition by condition."""
    of, at = _sort(sort), clock.now()
    order = of.rows(request.merchant, at).filter(pk=number).first()
    if order is None:
        raise Http404
    [line] = _lines(of, [order], request.merchant, at)
    member = request.member
    may_attach = sort == "freight" and member is not None and member.may_attach and not attachment.cannot(order, at=at)
    details = list(of.details(order, at))
    return show(
        request, "dashboard/order.html", at=at, sort=of, line=line, details=details, may_attach=may_attach
    )  # fmt: skip


@require_POST
@for_members
def attach(request: MemberRequest, number: str) -> HttpResponse:
    """Use a coupon for a freight order."""
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
        messages.success(request, _("A coupon of %(value)s is attached to the order.") % {"value": value})
    return redirect("order", sort="freight", number=number)


def _sort(name: str) -> Sort:
    if name not in SORTS:
        raise Http404
    return SORTS[name]


def _lines(of: Sort, orders: list[Any], merchant: Merchant, at: datetime) -> list[Line]:
    """Two queries, and one for each offer about such orders, or for which they count."""
    keys = [order.pk for order in orders]
    answers: dict[str, list[Answer]] = {key: [] for key in keys}
    counts_for: dict[str, list[PublishedOffer]] = {key: [] for key in keys}
    for offer in published_offers.published() if keys else []:
        if offer.terms.subject == of.subject:
            for told in explanations.explain_all(offer, keys, at=at):
                answers[told.subject].append(Answer(told))
        claim = offer.terms.claim
        if isinstance(claim, ClaimNth) and claim.nth.of == of.collection:
            for key in claims.counting(claim.nth, at=claims.constant(at)).filter(pk__in=keys).values_list("pk"):
                counts_for[key[0]].append(offer)
    used = {coupon.order_no: coupon for coupon in Coupon.objects.filter(merchant=merchant, order_no__in=keys)}
    return [
        Line(
            order, of.latest(order, at), of.summary(order), answers[order.pk], used.get(order.pk), counts_for[order.pk]
        )
        for order in orders
    ]
