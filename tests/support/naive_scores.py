"""Naive scoring in plain Python: the points, level and score of one merchant, to compare with the ratings."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any

from core.facts import COLLECTIONS
from definitions.scorecards import ScorecardTerms
from definitions.scorecards.parts import Part
from tests.support.naive_facts import fact_value
from tests.support.naive_measures import measure_value
from tests.support.naive_rules import compare, holds

MERCHANTS = COLLECTIONS["merchants"]


def rating(terms: ScorecardTerms, merchant: Any, at: datetime) -> tuple[str, Decimal, dict[str, str]] | None:
    """Return level, score and points by part, None for a merchant that is no subject."""
    if not all(holds(one, merchant, MERCHANTS, at) for one in terms.conditions):
        return None
    parts: dict[str, Part] = {}
    for rules in terms.versions:
        if rules.from_ is None or rules.from_.instant <= at:  # later rules replace parts, the others stay
            parts |= {part.name: part for part in rules.parts}
    each = {name: _cents(_points(part, merchant, at, terms)) for name, part in parts.items()}
    total = sum(each.values(), Decimal(0))
    score = _cents(total / len(each)) if terms.score == "mean" else total
    decisive = min(each.values()) if terms.level == "lowest" else score
    return _level(terms, decisive), score, {name: f"{points:.2f}" for name, points in each.items()}


def _points(part: Part, merchant: Any, at: datetime, terms: ScorecardTerms, level: str = "") -> Decimal:
    if not all(holds(one, merchant, MERCHANTS, at) for one in part.where):
        return Decimal(0)
    points = part.points or Decimal(0)
    if part.add:
        points = sum((_points(one, merchant, at, terms) for one in part.add if not one.at_least_by_level), Decimal(0))
        reached = _level(terms, _cents(_capped(part, points)))
        for one in part.add:
            points += _points(one, merchant, at, terms, reached) if one.at_least_by_level else 0
    elif part.at_least_by_level:
        asked = part.at_least_by_level.get(level)
        points = points if asked is not None and _number(part, merchant, at) >= asked else Decimal(0)
    elif part.times is not None:
        points = _number(part, merchant, at) * part.times
    elif part.bands:
        found = _number(part, merchant, at)
        points = max((band.points for band in part.bands if band.holds(found)), default=Decimal(0))
    return _capped(part, points)


def _capped(part: Part, points: Decimal) -> Decimal:
    return points if part.at_most is None else min(points, part.at_most)


def _number(part: Part, merchant: Any, at: datetime) -> Decimal:
    if part.measure is not None:
        return measure_value(part.measure, merchant, at, compare, partial(fact_value, at=at))
    return Decimal(fact_value(merchant, part.fact or "", at) or 0)


def _level(terms: ScorecardTerms, points: Decimal) -> str:
    return [level.level for level in terms.levels if level.from_ is None or points >= level.from_][-1]


def _cents(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.01"), ROUND_HALF_UP)
