"""Facts, collections and states that the terms of an offer name: a change of one may change what was decided."""

from collections.abc import Iterable, Iterator

from core.facts import MERCHANT_PREFIX
from definitions.benefits import Discount
from definitions.claim_terms import ClaimAt
from definitions.offer_terms import OfferTerms, Settlement
from rules.conditions import AnyOf, Comparison, Condition, Counting, InForce, Measured, Rated
from rules.lookups import Lookup
from rules.measures import Measure, RowMeasure
from rules.moments import Moment, case_fact, moment_facts


def claim_facts(terms: OfferTerms) -> set[str]:
    """Return the facts that decide if and when a row claims."""
    moments = [terms.claim.at] if isinstance(terms.claim, ClaimAt) else []
    return {*compared(terms.scope), *facts_of_moments(moments)}


def benefit_facts(terms: OfferTerms) -> set[str]:
    """Return the facts that hold the value of the benefit. Its fee is a fact of the subject's own row."""
    return {terms.benefit.fact} - {""} if isinstance(terms.benefit, Discount) else set()


def measures_of(terms: OfferTerms) -> list[RowMeasure]:
    """Return the measures of rows that conditions and benefit name."""
    measures = list(measured(conditions_of(terms)))
    if isinstance(terms.benefit, Discount):
        values = (terms.benefit.of.measure if terms.benefit.of is not None else None, terms.benefit.measure)
        measures += [measure for measure in values if measure is not None]
    return [part for measure in measures for part in measure.rows()]


def lookups_of(terms: OfferTerms, names: Iterable[str]) -> Iterator[Lookup]:
    """Yield the lookups whose rows have some of the facts in `names`."""
    used = {name.partition(".")[0] for name in names}
    yield from (lookup for name, lookup in terms.lookups.items() if name in used)


def measured(conditions: Iterable[Condition]) -> Iterator[Measure]:
    """Yield the measures that conditions name."""
    for condition in conditions:
        match condition:
            case Measured(measure=measure):
                yield measure
            case AnyOf(any=alternatives):
                yield from measured(alternatives)


def rated(conditions: Iterable[Condition]) -> Iterator[Rated]:
    """Yield the conditions on ratings."""
    for condition in conditions:
        match condition:
            case Rated():
                yield condition
            case AnyOf(any=alternatives):
                yield from rated(alternatives)


def facts_of_moments(moments: Iterable[Moment]) -> set[str]:
    """Return the facts of moments, and those that select a case of one."""
    moments = list(moments)
    cases = {case[0] for moment in moments if (case := case_fact(moment))}
    return {name for moment in moments for name in moment_facts(moment)} | cases


def is_of_merchant(name: str) -> bool:
    """Return whether a fact is one of the merchant."""
    return name.startswith(MERCHANT_PREFIX)


def conditions_of(terms: OfferTerms) -> tuple[Condition, ...]:
    """Return every condition that the terms ask of a subject: of its scope, its claim and its settlement."""
    return (*terms.scope, *terms.asked, *terms.settlement.requires)


def counted(conditions: Iterable[Condition]) -> Iterator[tuple[str, set[str]]]:
    """Yield the collections that conditions count, with the facts of their rows that they name."""
    for condition in conditions:
        match condition:
            case Counting(count=name, where=where):
                yield name, set(compared(where))
            case AnyOf(any=alternatives):
                yield from counted(alternatives)


def compared(conditions: Iterable[Condition]) -> Iterator[str]:
    """Yield the facts of a row that conditions compare."""
    for condition in conditions:
        match condition:
            case AnyOf(any=alternatives):
                yield from compared(alternatives)
            case Comparison():
                yield from condition.facts
            case InForce(at=str(name)):
                yield name


def states(conditions: Iterable[Condition]) -> Iterator[str]:
    """Yield the states of merchants that conditions ask for."""
    for condition in conditions:
        match condition:
            case InForce():
                yield condition.state.name
            case AnyOf(any=alternatives):
                yield from states(alternatives)


def settlement_moments(settlement: Settlement) -> Iterator[Moment]:
    """Yield the moments after a claim."""
    for moment in (settlement.locked_at, settlement.fulfilled_at, settlement.released_by, settlement.revoked_by):
        if moment is not None:
            yield moment
    if not settlement.at_claim:
        yield settlement.at
