"""Sentences of an offer's terms, in the language in force.

They are generated from the terms that the engine evaluates, so the two cannot disagree.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.facts import Collection
from core.formatting import CITIES, format_money, format_number, join_and
from definitions.band_sentences import describe_band, describe_each
from definitions.benefit_sentences import describe_benefit, describe_funding
from definitions.claim_terms import ClaimAt, ClaimNth, Threshold
from definitions.offer_terms import OfferTerms, Settlement
from definitions.quotas import Limits
from rules.lookup_sentences import describe_lookup
from rules.moments import ByCase, DayAfter, LatestOf, Moment
from rules.query_row import QueryRow
from rules.sentences import (
    describe,
    describe_bound,
    describe_choice,
    describe_comparison,
    describe_event,
    describe_window,
)


@dataclass(frozen=True)
class TermSentences:
    """Terms of an offer as sentences, by part."""

    benefit: str
    claim: str
    conditions: tuple[str, ...]
    quota: str
    settlement: tuple[str, ...]
    funding: str = ""


def describe_terms(offer: OfferTerms) -> TermSentences:
    """Return all terms of an offer."""
    scope = [*map(describe_lookup, offer.lookups.values())]
    scope += [describe(condition, offer.row) for condition in offer.telling_scope]
    return TermSentences(
        benefit=describe_benefit(offer.benefit, offer.collection),
        claim=describe_claim(offer),
        conditions=tuple(scope + [describe(condition, offer.row) for condition in offer.stated]),
        quota=describe_quota(offer.limits, offer.collection),
        settlement=tuple(describe_settlement(offer)),
        funding=describe_funding(offer.funded_by),
    )


def describe_claim(offer: OfferTerms) -> str:
    """Return the order in which claims get places: the instant that counts as claim time."""
    match offer.claim:
        case ClaimAt(each=each) if each is not None:
            text = _recurring(offer.claim, offer.collection)
        case ClaimAt(at=moment):
            text = _("first come, first served by when it was %(moment)s") % {
                "moment": describe_moment(moment, offer.collection)
            }
        case ClaimNth(nth=nth):
            collection = nth.row.collection
            which = join_and(describe_comparison(condition, nth.row) for condition in nth.where)
            text = _("first come, first served by when number %(n)d of these %(rows)s was %(event)s: %(which)s") % {
                "event": describe_event(collection.facts[nth.at]),
                "n": nth.number,
                "rows": collection.label,
                "which": which,
            }
        case _:
            text = _over_threshold(offer.threshold, offer.row)
    if offer.decided_at is not None:
        text = _("%(claim)s; decided at %(at)s") % {"claim": text, "at": describe_bound(offer.decided_at)}
    if offer.settling_hours:
        late = ngettext("%(n)d hour", "%(n)d hours", offer.settling_hours) % {"n": offer.settling_hours}
        text = _("%(claim)s; decided %(late)s later") % {"claim": text, "late": late}
    return text


def _recurring(claim: ClaimAt, collection: Collection) -> str:
    assert claim.each is not None
    words = {
        "each": describe_each(claim.each),
        "moment": describe_moment(claim.at, collection),
        "window": describe_window(claim.during) if claim.during else "",
    }
    if claim.during:
        return _("each merchant, %(each)s of those that start %(window)s: when it has %(moment)s") % words
    return _("each merchant, %(each)s: when it has %(moment)s") % words


def _over_threshold(threshold: Threshold | None, row: QueryRow) -> str:
    assert threshold is not None
    return _(
        "once receipts booked %(window)s on orders with: %(which)s have reached %(height)s, each further order claims "
        "at its first booking"
    ) % {
        "window": describe_window(threshold.window),
        "which": join_and(describe_comparison(condition, row) for condition in threshold.where),
        "height": format_money(threshold.height, "USD"),
    }


def describe_quota(limits: Limits, collection: Collection) -> str:
    """Return the number of places, and every other band."""
    rows = str(collection.label)
    parts = []
    if limits.total is not None:
        shown = format_number(limits.total)
        parts.append(_("the first %(n)s %(rows)s") % {"n": shown, "rows": rows})
    if limits.per_merchant is not None:
        parts.append(_("at most %(n)d for each merchant") % {"n": limits.per_merchant})
    parts += [describe_band(band, collection) for band in limits.bands]
    return join_and(parts) if parts else _("no limit to the number of %(rows)s") % {"rows": rows}


def describe_settlement(offer: OfferTerms) -> Iterator[str]:
    """Yield the events after the claim."""
    settlement, collection = offer.settlement, offer.collection
    if settlement.at_claim:
        yield _("settled at once")
    else:
        yield from _followed(settlement, offer.row)
    if settlement.released_by:
        happens = describe_event(collection.facts[settlement.released_by])
        after = _("also after settlement") if settlement.released_after_settlement else _("before settlement")
        yield _("the quota comes back when %(event)s (%(when)s)") % {"event": happens, "when": after}
    if settlement.revoked_by:
        happens = describe_event(collection.facts[settlement.revoked_by])
        yield _("taken away when %(event)s before settlement") % {"event": happens}


def describe_next_steps(offer: OfferTerms) -> tuple[str, ...]:
    """Return the events that a grant waits for until it is settled."""
    return tuple(_awaited(offer.settlement, offer.row)) if not offer.settlement.at_claim else ()


def _followed(settlement: Settlement, row: QueryRow) -> Iterator[str]:
    if settlement.locked_at:
        happens = describe_event(row.collection.facts[settlement.locked_at])
        yield _("reserved at the claim, locked when %(event)s") % {"event": happens}
    if hours := settlement.lock_within_hours:
        text = ngettext(
            "the quota is given back if it is not locked within %(n)d hour of the claim",
            "the quota is given back if it is not locked within %(n)d hours of the claim",
            hours,
        )
        yield text % {"n": hours}
    yield from _awaited(settlement, row)


def _awaited(settlement: Settlement, row: QueryRow) -> Iterator[str]:
    collection = row.collection
    yield _("settled when %(event)s") % {"event": describe_moment(settlement.at, collection)}
    if settlement.deadline:
        done = describe_moment(settlement.fulfilled_at or settlement.at, collection)
        yield _("forfeited unless %(done)s no later than %(deadline)s") % {
            "done": done,
            "deadline": describe_bound(settlement.deadline),
        }
    for condition in settlement.requires:
        yield _("required at settlement: %(condition)s") % {"condition": describe(condition, row)}


def describe_moment(moment: Moment, collection: Collection) -> str:
    """Return the event at a moment."""
    match moment:
        case LatestOf(latest_of=names):
            several = join_and(describe_event(collection.facts[name]) for name in names)
            return _("the last of: %(facts)s") % {"facts": several}
        case DayAfter(day_after=name, zone=zone):
            city = CITIES.get(zone, zone)
            return _("00:00 %(city)s on the day after it was %(fact)s") % {
                "city": city,
                "fact": describe_event(collection.facts[name]),
            }
        case ByCase(by=by, cases=cases, otherwise=otherwise):
            fact = collection.facts[by]
            parts = [
                _("%(name)s (%(meaning)s)")
                % {"name": describe_moment(one, collection), "meaning": describe_choice(fact, case)}
                for case, one in cases.items()
            ]
            if otherwise is not None:
                parts.append(_("otherwise %(moment)s") % {"moment": describe_moment(otherwise, collection)})
            return _("; ").join(parts)
        case name:
            return _("the claim") if name == "claim" else describe_event(collection.facts[str(name)])
