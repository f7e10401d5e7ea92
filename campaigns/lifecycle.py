"""When an offer opens and closes, from its terms alone."""

from collections.abc import Iterable, Iterator

from campaigns.definition.offer import ClaimAt, ClaimNth, Offer
from campaigns.rules.conditions import Comparison, Condition
from campaigns.rules.moments import facts_of
from campaigns.rules.times import Bound, Window


def opens(terms: Offer) -> Bound | None:
    """The bound from which claims can be made; None where the terms name none."""
    return max(_starts(terms), key=lambda bound: bound.instant, default=None)


def closes(terms: Offer) -> Bound | None:
    """The bound up to which, itself included, claims can be made; None where the terms name none."""
    return max(_ends(terms), key=lambda bound: bound.instant, default=None)


def _starts(terms: Offer) -> Iterator[Bound]:
    yield from (window.from_ for window in _windows(terms))
    yield from (condition.from_ for condition in _about_claim(terms) if condition.from_)


def _ends(terms: Offer) -> Iterator[Bound]:
    yield from (window.to for window in _windows(terms))
    yield from (condition.by for condition in _about_claim(terms) if condition.by)


def _windows(terms: Offer) -> Iterator[Window]:
    if terms.threshold is not None:
        yield terms.threshold.window
    yield from (condition.within for condition in _about_claim(terms) if condition.within)


def _about_claim(terms: Offer) -> Iterator[Comparison]:
    """Comparisons of the instants that make the claim time."""
    match terms.claim:
        case ClaimNth(nth=nth):
            yield from _comparing(nth.where, {nth.at})
        case ClaimAt(at=moment):
            yield from _comparing((*terms.scope, *terms.asked), set(facts_of(moment)))


def _comparing(conditions: Iterable[Condition], facts: set[str]) -> Iterator[Comparison]:
    return (one for one in conditions if isinstance(one, Comparison) and one.fact in facts)
