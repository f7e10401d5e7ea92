"""Next steps: single changes that give a subject more points, cheapest first. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal

from core.money import CENT
from definitions.scorecards.parts import Part, plain_conditions
from definitions.scorecards.scoring import Inputs, PartScore, Scored, Scorer

MOST_PERCENT = Decimal(100)


@dataclass(frozen=True)
class NextStep:
    """Change of one number to `target`, or of an answer where there is no number, and what it brings.

    `gain` are the points that the top part `of` gets more. `reaches` says whether that part, or the score, then has
    the next level.
    """

    of: Part
    item: Part
    found: Decimal | None
    target: Decimal | None
    gain: Decimal
    reaches: bool

    @property
    def missing(self) -> Decimal | None:
        """Return how far the number is from its target."""
        return None if self.target is None else abs(self.target - (self.found or Decimal(0)))

    @property
    def effort(self) -> Decimal:
        """Return the missing share of the target: the measure by which steps are compared."""
        if self.target is None:
            return Decimal(0)
        return (self.missing or Decimal(0)) / max(self.target, self.found or CENT, CENT)


def next_steps(scorer: Scorer, inputs: Inputs) -> list[NextStep]:
    """Return the steps towards the next level: those that reach it first, then certain ones, then the least effort.

    Where the lowest part decides the level, only steps of the parts that hold it count. None at the highest level.
    """
    scored = scorer.score(inputs)
    if scored.level + 1 >= len(scorer.terms.levels):
        return []
    found: dict[tuple[str, str], NextStep] = {}
    for n, part in enumerate(scored.parts):
        if scorer.terms.level == "lowest" and scorer.level_of(part.points) > scored.level:
            continue
        for step in _steps(scorer, inputs, scored, n):
            key = (step.of.name, step.item.name)
            if key not in found or (step.reaches and not found[key].reaches):
                found[key] = step
    return sorted(found.values(), key=lambda step: (not step.reaches, not step.item.certain, step.effort, -step.gain))


def _steps(scorer: Scorer, inputs: Inputs, scored: Scored, n: int) -> Iterator[NextStep]:
    """Yield what each item of a top part can bring, its nearest target first."""
    part = scored.parts[n]
    for item in _leaves(part):
        for target, changed in _changes(scorer, inputs, item, lacking=_lacking(scorer, scored, n)):
            after = scorer.score(changed)
            gain = after.parts[n].points - part.points
            if gain > 0:
                reaches = _reached(scorer, after, n) > scored.level
                yield NextStep(part.part, item.part, item.found, target, gain, reaches)


def _reached(scorer: Scorer, after: Scored, n: int) -> int:
    return after.level if scorer.terms.level == "score" else scorer.level_of(after.parts[n].points)


def _lacking(scorer: Scorer, scored: Scored, n: int) -> Decimal:
    """Return the points that a part, or the score, lacks for the next level."""
    bound = scorer.terms.levels[scored.level + 1].from_ or Decimal(0)
    if scorer.terms.level == "lowest":
        return bound - scored.parts[n].points
    return (bound - scored.score) * (len(scored.parts) if scorer.terms.score == "mean" else 1)


def _leaves(score: PartScore) -> Iterator[PartScore]:
    if not score.items:
        yield score
    for item in score.items:
        yield from _leaves(item)


def _changes(
    scorer: Scorer, inputs: Inputs, item: PartScore, *, lacking: Decimal
) -> Iterator[tuple[Decimal | None, Inputs]]:
    """Yield the targets of an item, nearest first, with the inputs that they make."""
    if item.part.measure is None and item.part.fact is None:
        if item.failed:
            yield None, _answered(scorer, inputs, item.part)
        return
    for target in _targets(item, lacking):
        most = _most(item.part)
        if most is None or target <= most:
            yield target, with_number(inputs, item.part, target)


def _targets(item: PartScore, lacking: Decimal) -> Iterator[Decimal]:
    part, found = item.part, item.found or Decimal(0)
    if part.times is not None:
        needed = found + (lacking / part.times).quantize(CENT, ROUND_CEILING)
        is_whole = part.measure is not None and part.measure.is_whole
        most = _most(part)
        wanted = needed.to_integral_value(ROUND_CEILING) if is_whole else needed
        yield wanted if most is None else min(wanted, most)
    elif item.required is not None:
        if found < item.required:
            yield item.required
    else:
        yield from (band.bound for band in item.further_bands())


def _most(part: Part) -> Decimal | None:
    """Return how high a number can count: a percentage no more than 100, weights and capped points to their limit."""
    if part.times is not None and part.at_most is not None:
        return (part.at_most / part.times).quantize(CENT, ROUND_CEILING)
    if part.measure is None:
        return None
    most = getattr(part.measure, "at_most", None)
    return MOST_PERCENT if part.measure.kind == "percent" else None if most is None else Decimal(most)


def with_number(inputs: Inputs, part: Part, number: Decimal) -> Inputs:
    """Return the inputs with another number for the measure or fact of a part."""
    if part.measure is not None:
        return replace(inputs, metrics={**inputs.metrics, part.measure.name: number})
    assert part.fact is not None
    return replace(inputs, facts={**inputs.facts, part.fact: number})


def _answered(scorer: Scorer, inputs: Inputs, part: Part) -> Inputs:
    """Return the inputs with every condition of a part met."""
    wanted = list(plain_conditions(part.where))
    met = [one or scorer.conditions[n] in wanted for n, one in enumerate(inputs.met)]
    return replace(inputs, met=met)
