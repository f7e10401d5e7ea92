"""Warnings: what a definition may mean, but probably does not. Publishing goes on."""

from collections.abc import Iterator

from core.facts import FEES
from core.formatting import format_instant
from definitions.offer_terms import OfferTerms
from definitions.parser import CampaignDefinition
from rules.base import DefinitionModel
from rules.conditions import AnyOf, Comparison, Condition, Counting
from rules.time_windows import Bound, Window


def find_warnings(text: CampaignDefinition) -> list[str]:
    """What an operator should look at before publishing: one line each, naming the offer and the place."""
    found = [f"{offer.code}: {doubt}" for offer in text.offers for doubt in _of_offer(offer)]
    found += [f"windows.{name}: {doubt}" for name, window in text.windows.items() for doubt in _twins(window)]
    found += _shared_fees(text.offers)
    return list(dict.fromkeys(found))


def _of_offer(offer: OfferTerms) -> Iterator[str]:
    yield from _twins(offer)
    yield from _nobody((*offer.scope, *offer.asked))
    cap, limit = offer.quota.per_merchant, offer.quota.limit
    if cap is not None and limit is not None and cap > limit:
        yield f"quota: {cap} for each merchant is more than the {limit} there are"
    deadline = offer.settlement.deadline
    for window in _windows(offer.asked):
        if deadline is not None and deadline.after <= window.start:
            yield f"settlement.deadline: {deadline.at} lies before claims can be made"


def _twins(word: DefinitionModel) -> Iterator[str]:
    """Bounds whose twin on the other clock is a different instant. The zone of the bound decides."""
    for bound in _bounds(word):
        if bound.twin is not None and bound.twin.instant != bound.instant:
            shows = format_instant(bound.instant, bound.twin.zone)
            yield f"{bound.at} {bound.zone} is {shows}, but the twin says {bound.twin.at}; the first decides"


def _bounds(value: object) -> Iterator[Bound]:
    if isinstance(value, Bound):
        yield value
    elif isinstance(value, DefinitionModel):
        for name in type(value).model_fields:
            yield from _bounds(getattr(value, name))
    elif isinstance(value, tuple):
        for one in value:
            yield from _bounds(one)


def _windows(conditions: tuple[Condition, ...]) -> Iterator[Window]:
    for condition in conditions:
        if isinstance(condition, Comparison) and condition.within is not None:
            yield condition.within


def _nobody(conditions: tuple[Condition, ...]) -> Iterator[str]:
    """Conditions that cannot hold together: an audience of nobody."""
    allowed: dict[str, set[str]] = {}
    for condition in conditions:
        match condition:
            case AnyOf() | Counting():
                continue
            case Comparison(fact=fact, is_=only) if only is not None:
                values = {only}
            case Comparison(fact=fact, in_=several) if several is not None:
                values = set(several.values)
            case _:
                continue
        allowed[fact] = allowed.get(fact, values) & values
        if not allowed[fact]:
            yield f"conditions: no value of {fact} meets all of them: an audience of nobody"
    yield from _crossed(conditions)


def _crossed(conditions: tuple[Condition, ...]) -> Iterator[str]:
    """Windows on one instant that do not meet, and amounts whose least is above their most."""
    simple = [condition for condition in conditions if isinstance(condition, Comparison)]
    for fact in {condition.fact for condition in simple}:
        mine = [condition for condition in simple if condition.fact == fact]
        starts = [c.within.start for c in mine if c.within]
        ends = [c.within.end for c in mine if c.within] + [c.by.after for c in mine if c.by]
        least = [c.at_least for c in mine if c.at_least is not None]
        most = [c.at_most for c in mine if c.at_most is not None]
        if (starts and ends and max(starts) >= min(ends)) or (least and most and max(least) > min(most)):
            yield f"conditions: no value of {fact} meets all of them: an audience of nobody"


def _shared_fees(offers: tuple[OfferTerms, ...]) -> Iterator[str]:
    """Offers on one fee whose subjects can be the same: only the larger discount will be given."""
    for n, one in enumerate(offers):
        for other in offers[n + 1 :]:
            if one.fee and one.fee == other.fee and not list(_nobody((*_all(one), *_all(other)))):
                label = FEES[one.fee].name
                yield f"{one.code} and {other.code} both reduce the {label}: of one subject the larger discount wins"


def _all(offer: OfferTerms) -> tuple[Condition, ...]:
    return (*offer.scope, *offer.asked)
