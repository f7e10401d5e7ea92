"""One offer for a merchant: its terms, which of them the merchant meets, and its dates, also as a calendar feed."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from campaigns.eligibility import merchant_status
from campaigns.eligibility.merchant_status import depends_on_merchant
from campaigns.offers import schedule
from campaigns.offers.published_offers import PublishedOffer
from core import clock
from dashboard import calendars, due_dates, requests, to_do
from dashboard.calendars import find
from dashboard.offer_lines import OfferLine
from dashboard.offer_results import named_lists
from dashboard.order_types import order_types
from dashboard.rendering import render_page
from definitions import offer_sentences
from definitions.claim_terms import ClaimNth
from merchants.access import MemberRequest, for_members
from rules.sentences import describe
from rules.time_windows import Bound


@require_GET
@for_members
def detail(request: MemberRequest, code: str) -> HttpResponse:
    """Show the offer's terms and which requirements this merchant meets."""
    at, offer = clock.now(), find(code)
    [status] = merchant_status.statuses([offer], request.merchant, at=at)
    line = OfferLine(status, at)
    checked = [*([status.progress] if status.progress else []), *status.reasons]
    lists = named_lists(offer.terms)
    per_order = [each for each in (*offer.terms.telling_scope, *offer.terms.asked) if not depends_on_merchant(each)]
    context: dict[str, Any] = {
        "line": line,
        "tasks": to_do.tasks(
            [line], request.merchant, at=at, may_use=request.member is None or request.member.may_attach
        ),
        "terms": offer_sentences.describe_terms(offer.terms),
        "checked": [(condition, lists.get(condition.name, [])) for condition in checked],
        "asks": [(describe(condition, offer.terms.row), lists[condition.name]) for condition in per_order],
        "met": [condition for condition in checked if condition.passed],
        "dates": [
            (calendars.label(kind, offer), bound, _state(bound, at)) for kind, bound in schedule.dates(offer.terms)
        ],
        "orders": _orders_address(offer),
        "request_address": requests.address(offer),
    }
    return render_page(request, "dashboard/offer.html", at=at, **context)


def _state(bound: Bound, at: datetime) -> str:
    """Return the class of a date in a timeline: past, or soon."""
    if at >= bound.after:
        return "is-done"
    return "is-warn" if due_dates.days_between(at, bound.instant) <= due_dates.SOON_DAYS else ""


def _orders_address(offer: PublishedOffer) -> str:
    """Return the address of the list of orders that an offer is about."""
    claim, name = offer.terms.claim, offer.terms.collection.name
    wanted = claim.nth.of if isinstance(claim, ClaimNth) else name
    listed = next((each.name for each in order_types().values() if each.collection.name == wanted), "freight")
    return reverse("orders", args=(listed,))
