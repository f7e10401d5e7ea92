"""When an offer opens and closes, from its terms alone."""

from collections.abc import Iterable, Iterator

from campaigns.definition.offer import ClaimAt, ClaimNth, Offer
from campaigns.rules.conditions import Comparison, Condition
from campaigns.rules.moments import facts_of
from campaigns.rules.times import Bound


def opens(terms: Offer) -> Bound | None:
    """The bound from which claims can be made; None where the terms name none."""
    return max(_starts(terms), key=lambda bound: bound.instant, default=None)


def closes(terms: Offer) -> Bound | None:
    """The bound up to which, itself included, claims can be made; None where the terms name none."""
    return max(_ends(terms), key=lambda bound: bound.instant, default=None)


def _starts(terms: Offer) -> Iterator[Bound]:
    if terms.threshold is not None:
        yield terms.threshold.window.from_
    for condition in _about_claim(terms):
        if condition.within or condition.from_:
            yield condition.within.from_ if condition.within else condition.from_  # type: ignore[misc]  # one is there


def _ends(terms: Offer) -> Iterator[Bound]:
    if terms.threshold is not None:
        yield terms.threshold.window.to
    for condition in _about_claim(terms):
        if condition.within or condition.by:
            yield condition.within.to if condition.within else condition.by  # type: ignore[misc]  # one is there


def _about_claim(terms: Offer) -> Iterator[Comparison]:
    """Comparisons of the instants that make the claim time."""
    match terms.claim:
        case ClaimNth(nth=nth):
            yield from _comparing(nth.where, {nth.at})
        case ClaimAt(at=moment):
            yield from _comparing((*terms.scope, *terms.asked), set(facts_of(moment)))


def _comparing(conditions: Iterable[Condition], facts: set[str]) -> Iterator[Comparison]:
    return (one for one in conditions if isinstance(one, Comparison) and one.fact in facts)
