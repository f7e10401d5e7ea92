"""Calendar feeds: the dates of one offer, or of all offers that a merchant can use, with reminders and links."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin

import icalendar
from django.conf import settings
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
from dashboard.offer_lines import Group, OfferLine
from merchants import members
from merchants.access import MemberRequest, for_members
from merchants.models import Merchant

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
DEADLINES = ("order_by", "closes", "deadline", "coupons_to")
"""Dates by which the merchant must have done something: their events remind of it."""
REMINDER = timedelta(days=3)


@require_GET
@for_members
def download_dates(_request: MemberRequest, code: str) -> HttpResponse:
    """Send the dates of one offer as iCalendar."""
    response = HttpResponse(_feed([find(code)]).to_ical(), content_type=CALENDAR)
    response["Content-Disposition"] = f'attachment; filename="{code}.ics"'
    return response


@require_GET
def calendar(_request: HttpRequest, key: str) -> HttpResponse:
    """Serve the dates of the merchant's offers as iCalendar. The secret key in the address identifies the member."""
    member = members.find_by_calendar(key)
    if member is None:
        raise Http404
    with translation.override(member.language):
        response = HttpResponse(_feed(_usable(member.merchant, clock.now())).to_ical(), content_type=CALENDAR)
    response["Cache-Control"] = "private, max-age=3600"
    return response


def _usable(merchant: Merchant, at: datetime) -> list[PublishedOffer]:
    """Return the offers that the merchant is not excluded from."""
    statuses = merchant_status.statuses(published_offers.published(), merchant, at=at)
    return [status.offer for status in statuses if OfferLine(status, at).group != Group.EXCLUDED]


def _feed(offers: Iterable[PublishedOffer]) -> icalendar.Calendar:
    feed = icalendar.Calendar()
    feed.add("prodid", "-//Fairground//Deadlines//EN")
    feed.add("version", "2.0")
    feed.add("name", "Fairground")
    for offer in offers:
        for kind, bound in schedule.dates(offer.terms):
            feed.add_component(_event(offer, kind, bound.instant))
    return feed


def _event(offer: PublishedOffer, kind: str, at: datetime) -> icalendar.Event:
    assert offer.row.version is not None
    event = icalendar.Event()
    event.add("uid", f"{offer.code}.{kind}@fairground")
    event.add("dtstamp", offer.row.version.published_at.astimezone(UTC))
    event.add("dtstart", at)
    event.add("dtend", at + timedelta(minutes=1))
    event.add("summary", f"{offer.row.name}: {label(kind, offer)}")
    event.add("url", urljoin(settings.SITE_URL, reverse("offer", args=(offer.code,))))
    event.add("transp", "TRANSPARENT")
    if kind in DEADLINES:
        reminder = icalendar.Alarm()
        reminder.add("action", "DISPLAY")
        reminder.add("description", event["summary"])
        reminder.add("trigger", -REMINDER)
        event.add_component(reminder)
    return event


def label(kind: str, offer: PublishedOffer) -> str:
    """Return the name of a date. Where orders close before the offer does, the later date says what is due then."""
    events = schedule.closing_events(offer.terms)
    if kind == "closes" and events and schedule.order_by(offer.terms):
        return capfirst(_("%(event)s by") % {"event": join_and(str(fact.event or fact.label) for fact in events)})
    return str(DATES[kind])


def find(code: str) -> PublishedOffer:
    try:
        return published_offers.find(code)
    except Offer.DoesNotExist as error:
        raise Http404 from error
