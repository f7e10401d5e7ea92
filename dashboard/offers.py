"""One offer for a merchant: its terms, which of them the merchant meets, and its dates, also as a calendar feed."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from campaigns.eligibility import merchant_status
from campaigns.models import Offer
from campaigns.offers import published_offers, schedule
from campaigns.offers.published_offers import PublishedOffer
from core import clock
from core.formatting import join_and
from dashboard import due_dates, to_do
from dashboard.offer_lines import OfferLine
from dashboard.order_types import order_types
from dashboard.rendering import render_page
from definitions import offer_sentences
from definitions.claim_terms import ClaimNth
from merchants import members
from merchants.access import MemberRequest, for_members
from rules.time_windows import Bound

CALENDAR = "text/calendar; charset=utf-8"
DATES: dict[str, Promise] = {
    "opens": gettext_lazy("Opens"),
    "order_by": gettext_lazy("Order by"),
    "closes": gettext_lazy("Closes"),
    "decided": gettext_lazy("Claims decided"),
    "deadline": gettext_lazy("Fulfilment deadline"),
    "coupons_from": gettext_lazy("Coupons valid from"),
    "coupons_to": gettext_lazy("Coupons valid until"),
}


@require_GET
@for_members
def detail(request: MemberRequest, code: str) -> HttpResponse:
    """Show the offer's terms and which requirements this merchant meets."""
    at, offer = clock.now(), _find(code)
    [status] = merchant_status.statuses([offer], request.merchant, at=at)
    line = OfferLine(status, at)
    checked = [*([status.progress] if status.progress else []), *status.reasons]
    context: dict[str, Any] = {
        "line": line,
        "tasks": to_do.tasks([line], request.merchant, at=at),
        "terms": offer_sentences.describe_terms(offer.terms),
        "checked": checked,
        "met": [condition for condition in checked if condition.passed],
        "dates": [(_label(kind, offer), bound, _state(bound, at)) for kind, bound in schedule.dates(offer.terms)],
        "orders": _orders_address(offer),
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


@require_GET
@for_members
def download_dates(_request: MemberRequest, code: str) -> HttpResponse:
    """Send the dates of one offer as iCalendar."""
    response = HttpResponse(_feed([_find(code)]).to_ical(), content_type=CALENDAR)
    response["Content-Disposition"] = f'attachment; filename="{code}.ics"'
    return response


@require_GET
def calendar(_request: HttpRequest, key: str) -> HttpResponse:
    """Serve the dates of all offers as iCalendar. The secret key in the address identifies the member."""
    member = members.find_by_calendar(key)
    if member is None:
        raise Http404
    with translation.override(member.language):
        response = HttpResponse(_feed(published_offers.published()).to_ical(), content_type=CALENDAR)
    response["Cache-Control"] = "private, max-age=3600"
    return response


def _feed(offers: Iterable[PublishedOffer]) -> icalendar.Calendar:
    feed = icalendar.Calendar()
    feed.add("prodid", "-//Fairground//Deadlines//EN")
    feed.add("version", "2.0")
    feed.add("name", "Fairground")
    for offer in offers:
        assert offer.row.version is not None
        for kind, bound in schedule.dates(offer.terms):
            event = icalendar.Event()
            event.add("uid", f"{offer.code}.{kind}@fairground")
            event.add("dtstamp", offer.row.version.published_at.astimezone(UTC))
            event.add("dtstart", bound.instant)
            event.add("dtend", bound.instant + timedelta(minutes=1))
            event.add("summary", f"{offer.row.name}: {_label(kind, offer)}")
            event.add("transp", "TRANSPARENT")
            feed.add_component(event)
    return feed


def _label(kind: str, offer: PublishedOffer) -> str:
    """Return the name of a date. Where orders close before the offer does, the later date says what is due then."""
    events = schedule.closing_events(offer.terms)
    if kind == "closes" and events and schedule.order_by(offer.terms):
        return capfirst(_("%(event)s by") % {"event": join_and(str(fact.event or fact.label) for fact in events)})
    return str(DATES[kind])


def _find(code: str) -> PublishedOffer:
    try:
        return published_offers.find(code)
    except Offer.DoesNotExist as error:
        raise Http404 from error
