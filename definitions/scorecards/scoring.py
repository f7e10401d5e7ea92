"""Scoring: the points, levels and score that the rules of a scorecard give for the inputs of a subject. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from core.money import round_to_cents
from definitions.scorecards.parts import Band, Part, plain_conditions
from definitions.scorecards.terms import ScorecardTerms
from rules.conditions import AnyOf, Condition, Measured
from rules.measures import Measure

ZERO = Decimal(0)
MOST_POINTS = Decimal("9999999.99")  # the largest score that a rating holds


@dataclass(frozen=True, slots=True)
class Inputs:
    """Numbers and answers about one subject.

    `metrics` are its measures by name, `facts` its own numbers, `met` the answers to the conditions of the rules.
    """

    metrics: Mapping[str, Decimal]
    facts: Mapping[str, Decimal | None]
    met: Sequence[bool]


@dataclass(slots=True)  # not frozen: setting fields of a frozen one takes three times as long
class PartScore:
    """Points of a part: `raw` before cap and gate; `failed` are the positions of its conditions that do not hold.

    `found` is its number, `band` the position of the band that was reached, `required` the number that fixed points
    ask for at the level of the part around them.
    """

    part: Part
    points: Decimal
    raw: Decimal
    failed: tuple[int, ...] = ()
    found: Decimal | None = None
    band: int | None = None
    required: Decimal | None = None
    items: tuple["PartScore", ...] = ()

    @property
    def is_capped(self) -> bool:
        """Return whether the cap took points away."""
        return not self.failed and self.points < self.raw

    def further_bands(self) -> Iterator[Band]:
        """Yield the bands that the number has not reached, nearest first. A number that is missing counts as 0."""
        found = self.found or ZERO
        if self.part.bands and self.part.bands[0].from_ is None:
            yield from (band for band in reversed(self.part.bands) if band.bound < found)
        else:
            yield from (band for band in self.part.bands if band.bound > found)


@dataclass(frozen=True, slots=True)
class Scored:
    """Result for one subject: its parts, the position of its level, and its score."""

    parts: tuple[PartScore, ...]
    level: int
    score: Decimal


@dataclass(frozen=True)
class Scorer:
    """The rules of a scorecard at a position, with what they ask about a subject."""

    terms: ScorecardTerms
    number: int

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Return the parts, in order."""
        return self.terms.parts_of(self.number)

    @cached_property
    def measures(self) -> dict[str, Measure]:
        """Return the measures that points rest on, and those that a rating only keeps, by name."""
        named = (measure for part in self.parts for measure in part.measures())
        return {measure.name: measure for measure in (*named, *self.terms.metrics)}

    @cached_property
    def facts(self) -> tuple[str, ...]:
        """Return the numbers of the subject itself."""
        named = (item.fact for part in self.parts for item in part.walk() if item.fact is not None)
        return tuple(dict.fromkeys(named))

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """Return the conditions on the subject itself, each once."""
        found: list[Condition] = []
        for part in self.parts:
            for item in part.walk():
                found += [one for one in plain_conditions(item.where) if one not in found]
        return tuple(found)

    @cached_property
    def _positions(self) -> dict[int, int]:
        items = (item for part in self.parts for item in part.walk())
        return {id(one): self.conditions.index(one) for item in items for one in plain_conditions(item.where)}

    def score(self, inputs: Inputs) -> Scored:
        """Return the points, level and score for the inputs of a subject."""
        parts = tuple(self._top(part, inputs) for part in self.parts)
        total = sum((part.points for part in parts), ZERO)
        score = min(MOST_POINTS, round_to_cents(total / len(parts) if self.terms.score == "mean" else total))
        if self.terms.level == "score":
            return Scored(parts, self.level_of(score), score)
        return Scored(parts, min(self.level_of(part.points) for part in parts), score)

    def level_of(self, points: Decimal) -> int:
        """Return the position of the level of a number of points."""
        return bisect_right(self._bounds, points)

    @cached_property
    def _bounds(self) -> list[Decimal]:
        return [level.from_ for level in self.terms.levels[1:] if level.from_ is not None]

    def holds(self, condition: Condition, inputs: Inputs) -> bool:
        """Return whether a condition of a part holds."""
        match condition:
            case Measured(measure=measure):
                return compare(condition.operator, inputs.metrics[measure.name], condition.bound)
            case AnyOf(any=alternatives):
                return any(self.holds(one, inputs) for one in alternatives)
        return inputs.met[self._positions[id(condition)]]

    def _top(self, part: Part, inputs: Inputs) -> PartScore:
        scored = self._part(part, inputs, None)
        return PartScore(
            part,
            round_to_cents(min(scored.points, MOST_POINTS)),
            scored.raw,
            scored.failed,
            scored.found,
            scored.band,
            items=scored.items,
        )

    def _part(self, part: Part, inputs: Inputs, level: int | None) -> PartScore:
        """Return the points of a part; `level` is that of the part around it, without those that depend on it."""
        failed: tuple[int, ...] = ()
        if part.where:
            failed = tuple(n for n, one in enumerate(part.where) if not self.holds(one, inputs))
        found = self._number(part, inputs)
        band = required = None
        items: tuple[PartScore, ...] = ()
        if part.add:
            items = self._items(part, inputs)
            raw = sum((item.points for item in items), ZERO)
        elif part.bands:
            band = _band(part, found)
            raw = ZERO if band is None else part.bands[band].points
        elif part.times is not None:
            raw = (found or ZERO) * part.times
        else:
            raw = part.points or ZERO
            if part.at_least_by_level:
                required = part.at_least_by_level.get(self.terms.levels[level or 0].level)
                raw = raw if required is not None and found is not None and found >= required else ZERO
        points = ZERO if failed else raw if part.at_most is None else min(raw, part.at_most)
        return PartScore(part, points, raw, failed, found, band, required, items)

    def _items(self, part: Part, inputs: Inputs) -> tuple[PartScore, ...]:
        """Return the points of the items; those that depend on the level of the part come after all others."""
        if not any(item.at_least_by_level for item in part.add):
            return tuple([self._part(item, inputs, None) for item in part.add])
        plain = {n: self._part(item, inputs, None) for n, item in enumerate(part.add) if not item.at_least_by_level}
        without = sum((item.points for item in plain.values()), ZERO)
        level = self.level_of(round_to_cents(without if part.at_most is None else min(without, part.at_most)))
        return tuple(plain[n] if n in plain else self._part(item, inputs, level) for n, item in enumerate(part.add))

    @staticmethod
    def _number(part: Part, inputs: Inputs) -> Decimal | None:
        if part.measure is not None:
            return inputs.metrics[part.measure.name]
        return inputs.facts[part.fact] if part.fact is not None else None


def _band(part: Part, found: Decimal | None) -> int | None:
    """Return the position of the band of a number: the highest `from`, or the lowest `to`, that holds it."""
    if found is None:
        return None
    bounds = part.bounds
    n = bisect_right(bounds, found) - 1 if part.bands[0].from_ is not None else bisect_left(bounds, found)
    return n if 0 <= n < len(bounds) else None


def compare(operator: str, number: Decimal, bound: Decimal) -> bool:
    """Return whether a number meets the bound of a condition."""
    match operator:
        case "at_least":
            return number >= bound
        case "more_than":
            return number > bound
        case "at_most":
            return number <= bound
    return number < bound
