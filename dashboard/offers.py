"""An offer as its merchant sees it: the terms in words, ticked or not, and its dates, also for a calendar."""

from collections.abc import Iterable
from datetime import UTC, timedelta

import icalendar
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from campaigns.eligibility import merchant_status
from campaigns.models import Offer
from campaigns.offers import published_offers, schedule
from campaigns.offers.published_offers import PublishedOffer
from core import clock
from dashboard.home import Card
from dashboard.rendering import show
from definitions import offer_sentences
from merchants.access import MemberRequest, for_members
from merchants.models import Member

CLOCKS = ("America/Los_Angeles", "Asia/Shanghai")
DATES: dict[str, Promise] = {
    "opens": gettext_lazy("opens"),
    "closes": gettext_lazy("closes"),
    "decided": gettext_lazy("places are given"),
    "deadline": gettext_lazy("deadline of fulfilment"),
    "coupons_from": gettext_lazy("coupons can be used from"),
    "coupons_to": gettext_lazy("coupons end"),
}


@require_GET
@for_members
def one(request: MemberRequest, code: str) -> HttpResponse:
    """The offer's terms in the language of the page, with what holds for this merchant."""
    at, offer = clock.now(), _find(code)
    [found] = merchant_status.standings([offer], request.merchant, at=at)
    dates = [(DATES[kind], bound) for kind, bound in schedule.dates(offer.terms)]
    member = request.member
    calendar = request.build_absolute_uri(reverse("offer-calendar", args=[member.calendar_key, code])) if member else ""
    return show(
        request, "dashboard/offer.html", at=at, card=Card(found), terms=offer_sentences.terms(offer.terms), dates=dates,
        clocks=CLOCKS, calendar=calendar,
    )  # fmt: skip


@require_GET
def calendar(_request: HttpRequest, key: str, code: str = "") -> HttpResponse:
    """The dates of all offers, or of one, for a member's calendar program, which knows the secret key alone."""
    member = Member.objects.filter(calendar_key=key, disabled_at=None).first()
    if member is None:
        raise Http404
    with translation.override(member.language):
        found = _calendar([_find(code)] if code else published_offers.published())
        response = HttpResponse(found.to_ical(), content_type="text/calendar; charset=utf-8")
    response["Cache-Control"] = "private, max-age=3600"
    return response


def _calendar(several: Iterable[PublishedOffer]) -> icalendar.Calendar:
    found = icalendar.Calendar()
    found.add("prodid", "-//Fairground//Deadlines//EN")
    found.add("version", "2.0")
    found.add("name", "Fairground")
    for offer in several:
        assert offer.row.version is not None
        for kind, bound in schedule.dates(offer.terms):
            event = icalendar.Event()
            event.add("uid", f"{offer.code}.{kind}@fairground")
            event.add("dtstamp", offer.row.version.published_at.astimezone(UTC))
            event.add("dtstart", bound.instant)
            event.add("dtend", bound.instant + timedelta(minutes=1))
            event.add("summary", f"{offer.row.name}: {DATES[kind]}")
            event.add("transp", "TRANSPARENT")
            found.add_component(event)
    return found


def _find(code: str) -> PublishedOffer:
    try:
        return published_offers.find(code)
    except Offer.DoesNotExist as error:
        raise Http404 from error
