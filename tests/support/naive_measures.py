"""Naive evaluation of measures in plain Python, to compare with the queries."""

from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from core.facts import Collection
from rules.comparisons import Comparison
from rules.measure_periods import Over
from rules.measures import Measure, PercentMeasure, RowMeasure
from rules.periods import AnyPeriod, FirstDays, LastDays, OwnPeriod, Sessions, bounds_of
from rules.time_windows import Window
from tests.support.naive_facts import merchant_of, rows_of

Meets = Callable[[Comparison, Any, Collection, datetime], bool]
Value = Callable[[Any, str], Any]


def measure_value(measure: Measure, row: Any, at: datetime, meets: Meets, value: Value) -> Decimal:  # noqa: PLR0911  a table
    """Return the number of a row's merchant as of `at`. `meets` evaluates comparisons and `value` returns facts."""
    if isinstance(measure, PercentMeasure):
        part, base = (measure_value(one, row, at, meets, value) for one in (measure.percent, measure.of))
        return rounded(part * 100, base, measure.otherwise)
    rows = _rows(measure, row, at, meets, value)
    if measure.form == "share":
        met = [each for each in rows if all(meets(part, each, measure.collection, at) for part in measure.where)]
        return rounded(len(met) * 100, len(rows), measure.otherwise)
    if measure.fact is None:
        return Decimal(len(rows))
    if measure.form == "conversion":
        return _conversion(measure, rows, at, meets, value)
    found = [(value(each, measure.fact.name), each) for each in rows]
    known = [(raw, each) for raw, each in found if raw is not None and raw != ""]
    values: list[Any] = [raw for raw, _each in known]
    if measure.form == "average":
        return rounded(sum(values, Decimal(0)) * measure.times, len(values), measure.otherwise)
    if measure.form == "greatest":
        return Decimal(max(values, default=measure.otherwise or 0))
    if measure.weight is not None:
        weight = measure.weight
        once = {raw: value(each, weight.by) for raw, each in known}
        total = sum(weight.cases.get(str(case), weight.otherwise) for case in once.values())
        return Decimal(total if measure.at_most is None else min(total, measure.at_most))
    if measure.over is None or measure.form != "latest":
        return Decimal(len(set(values)) if measure.form == "distinct" else sum(values, Decimal(0)))
    instant = measure.over.instant
    last = max(known, key=lambda pair: (value(pair[1], instant), pair[1].pk), default=None)
    return Decimal(last[0] if last else measure.otherwise or 0)


def rounded(part: Decimal | int, base: Decimal | int, otherwise: Decimal | None) -> Decimal:
    """Return the quotient rounded half up to two decimals, or the value without a base."""
    if base == 0:
        return Decimal(otherwise or 0)
    hundredths = Fraction(part) / Fraction(base) * 100
    return Decimal(int(hundredths + Fraction(1, 2))).quantize(Decimal(1), ROUND_HALF_UP) / 100


def _conversion(measure: RowMeasure, rows: list[Any], at: datetime, meets: Meets, value: Value) -> Decimal:
    """Return the share of the values of which a row of the first kind comes before one of the second."""
    assert measure.fact is not None and measure.over is not None
    begun: dict[Any, list[datetime]] = {}
    later: dict[Any, list[datetime]] = {}
    for each in rows:
        for conditions, instants in ((measure.among, begun), (measure.followed_by, later)):
            if all(meets(part, each, measure.collection, at) for part in conditions):
                instants.setdefault(value(each, measure.fact.name), []).append(value(each, measure.over.instant))
    went_on = [key for key, first in begun.items() if any(one < two for one in first for two in later.get(key, []))]
    return rounded(len(went_on) * 100, len(begun), measure.otherwise)


def _rows(measure: RowMeasure, row: Any, at: datetime, meets: Meets, value: Value) -> list[Any]:
    every = rows_of(measure.collection, merchant_of(row))
    asked = measure.among if measure.form == "share" else measure.where
    return [
        each
        for each in every
        if all(meets(part, each, measure.collection, at) for part in asked)
        and (measure.over is None or _lies(measure.over, each, row, at, value))
    ]


def _lies(over: Over, each: Any, row: Any, at: datetime, value: Value) -> bool:
    found = value(each, over.instant)
    if found is None or found > at:
        return False
    if over.earlier is not None and (found, each.pk) >= (at, row.pk):
        return False
    if over.earlier is not None and isinstance(over.period, LastDays):
        return bool(at - over.period.length <= found)
    assert not isinstance(over.period, OwnPeriod)  # the subjects here are no periods
    return over.period is None or in_period(over.period, found, at, each, value)


def in_period(period: AnyPeriod, found: datetime, at: datetime, each: Any, value: Value) -> bool:
    """Return whether an instant of a row lies in a period as of `at`."""
    match period:
        case LastDays():
            return at - period.length <= found < at
        case FirstDays():
            start = value(each, period.after)
            return start is not None and start <= found < start + period.length
        case Window() | Sessions():
            return bounds_of(period, found) is not None
    part = bounds_of(period, found)
    return part is not None and (part == bounds_of(period, at) or type(period).__name__ == "Weekdays")
