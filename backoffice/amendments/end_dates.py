"""End dates of an offer that an operator may move later, and their labels."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from backoffice.overview import OfferSummary
from campaigns.offers.schedule import DATE_LABELS
from core.formatting import city_name, format_minute, join_and
from definitions import offer_edits
from definitions.claim_terms import ClaimNth
from definitions.offer_edits import EditError, EndDate, Place
from definitions.offer_terms import OfferTerms
from rules.sentences import describe_event
from rules.time_windows import LOCAL

KINDS = {"deadline": "deadline", "decided_at": "decided", "valid": "coupons_to"}
"""Kinds of the dates that stand in a field of their own."""


def movable_ends(line: OfferSummary) -> list[EndDate]:
    """Return the end dates of an offer that have not passed; none if the text of its campaign does not have it."""
    try:
        ends = offer_edits.end_dates(line.offer.row.campaign.source, line.offer.code)
    except EditError:
        return []
    return [end for end in ends if instant_of(end) > line.at]


def instant_of(end: EndDate) -> datetime:
    """Return the instant of an end date."""
    local = datetime.strptime(end.at, LOCAL)  # noqa: DTZ007  local by intention; the zone stands beside it
    return local.replace(tzinfo=ZoneInfo(end.zone))


def label_of(end: EndDate, terms: OfferTerms) -> str:
    """Return what an end date limits, such as `Placed until`."""
    labels = dict.fromkeys(_label(place, fact, terms) for place, fact in zip(end.places, end.facts, strict=True))
    text = join_and(labels)
    return f"{text[:1].upper()}{text[1:]}"


def _label(place: Place, fact: str, terms: OfferTerms) -> str:
    for field, kind in KINDS.items():
        if field in place:
            return str(DATE_LABELS[kind])
    if "over_threshold" in place:
        return _("receipts booked until")
    is_nth = place[:2] == ("claim", "nth") and isinstance(terms.claim, ClaimNth)
    row = terms.claim.nth.row if is_nth and isinstance(terms.claim, ClaimNth) else terms.row
    return _("%(event)s until") % {"event": describe_event(row.fact(fact))}


def hint_of(end: EndDate, names: Mapping[str, str]) -> str:
    """Return the zone of an end date, its present value, and the other offers that use the window, by `names`."""
    words = {"city": city_name(end.zone), "at": format_minute(instant_of(end), end.zone)}
    if not end.also_in:
        return _("%(city)s time; now %(at)s.") % words
    offers = join_and(names[code] for code in end.also_in)
    return _("%(city)s time; now %(at)s. The window is also used by: %(offers)s.") % {**words, "offers": offers}
