"""Warnings: likely mistakes in a definition. They do not prevent publishing."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations

from django.utils.translation import gettext as _

from core.facts import FEES
from core.formatting import format_instant
from core.money import CENT
from definitions.benefits import Discount
from definitions.offer_terms import OfferTerms
from definitions.parser import CampaignDefinition
from rules.base import DefinitionModel
from rules.conditions import AnyOf, Comparison, Condition, Counting
from rules.offer_facts import BENEFIT
from rules.time_windows import Bound, Window


def find_warnings(campaign: CampaignDefinition) -> list[str]:
    """Return the warnings that an operator should read before publishing, each with its offer and place."""
    warnings = [f"{offer.code}: {warning}" for offer in campaign.offers for warning in _of_offer(offer)]
    for name, window in campaign.windows.items():
        warnings += [f"windows.{name}: {warning}" for warning in _twins(window)]
    warnings += _shared_fees(campaign.offers)
    return list(dict.fromkeys(warnings))


def _of_offer(offer: OfferTerms) -> Iterator[str]:
    yield from _twins(offer)
    yield from _contradictions((*offer.scope, *offer.asked))
    per_merchant, limit = offer.quota.per_merchant, offer.quota.limit
    if per_merchant is not None and limit is not None and per_merchant > limit:
        yield f"quota: {per_merchant} per merchant is more than the limit of {limit}"
    if (per_merchant is not None or limit is not None) and _can_be_worthless(offer):
        yield _(
            "quota: a benefit of 0.00 can take a place; "
            "the condition {fact: benefit, more_than: 0.00} refuses such claims"
        )
    deadline = offer.settlement.deadline
    for window in _windows(offer.asked):
        if deadline is not None and deadline.after <= window.start:
            yield f"settlement.deadline: {deadline.at} is before the first claim"


def _can_be_worthless(offer: OfferTerms) -> bool:
    """Return whether a claim that meets every condition can be granted 0.00."""
    if not isinstance(offer.benefit, Discount):
        return False
    fact, least = FEES[offer.fee].fact, Decimal(0)
    for condition in (*offer.scope, *offer.asked):
        match condition:
            case Comparison(fact=name, more_than=Decimal() as bound):
                bound += CENT
            case Comparison(fact=name, at_least=Decimal() as bound):
                pass
            case _:
                continue
        if name == BENEFIT and bound > 0:
            return False
        least = max(least, bound) if name == fact else least
    return offer.benefit.smallest_value(least) == 0


def _twins(part: DefinitionModel) -> Iterator[str]:
    """Yield a warning for each bound whose twin is a different instant. The zone of the bound decides."""
    for bound in _bounds(part):
        if bound.twin is not None and bound.twin.instant != bound.instant:
            shows = format_instant(bound.instant, bound.twin.zone)
            yield f"{bound.at} {bound.zone} is {shows}, but the twin says {bound.twin.at}; the zone decides"


def _bounds(value: object) -> Iterator[Bound]:
    if isinstance(value, Bound):
        yield value
    elif isinstance(value, DefinitionModel):
        for name in type(value).model_fields:
            yield from _bounds(getattr(value, name))
    elif isinstance(value, tuple):
        for part in value:
            yield from _bounds(part)


def _windows(conditions: tuple[Condition, ...]) -> Iterator[Window]:
    for condition in conditions:
        if isinstance(condition, Comparison) and condition.within is not None:
            yield condition.within


def _contradictions(conditions: tuple[Condition, ...]) -> Iterator[str]:
    """Yield a warning for each fact on which no value meets all conditions."""
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
            yield f"conditions: no value of {fact} meets all of them: nobody can claim"
    yield from _crossed(conditions)


def _crossed(conditions: tuple[Condition, ...]) -> Iterator[str]:
    """Yield a warning for windows on one instant that do not overlap and for contradicting amounts."""
    simple = [condition for condition in conditions if isinstance(condition, Comparison)]
    for fact in {condition.fact for condition in simple}:
        mine = [condition for condition in simple if condition.fact == fact]
        starts = [c.within.start for c in mine if c.within]
        ends = [c.within.end for c in mine if c.within] + [c.by.after for c in mine if c.by]
        least = [c.at_least for c in mine if c.at_least is not None]
        most = [c.at_most for c in mine if c.at_most is not None]
        if (starts and ends and max(starts) >= min(ends)) or (least and most and max(least) > min(most)):
            yield f"conditions: no value of {fact} meets all of them: nobody can claim"


def _shared_fees(offers: tuple[OfferTerms, ...]) -> Iterator[str]:
    """Yield a warning for each two offers on one fee that can have the same subject: the larger discount wins."""
    for offer, other in combinations(offers, 2):
        if offer.fee and offer.fee == other.fee and not list(_contradictions((*_all(offer), *_all(other)))):
            yield f"{offer.code} and {other.code} both reduce the {offer.fee}: for one subject the larger discount wins"


def _all(offer: OfferTerms) -> tuple[Condition, ...]:
    return (*offer.scope, *offer.asked)
