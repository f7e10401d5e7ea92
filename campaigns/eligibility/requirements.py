"""Requirements of conditions as values, for programs: operator, required value and unit."""

from dataclasses import dataclass
from typing import Any

from core.facts import Fact
from rules import operators
from rules.base import ValueList
from rules.calendar_periods import CalendarPeriod, MonthFrom, Weekdays
from rules.conditions import AnyOf, Comparison, Condition, Counting, InForce, Measured, Rated
from rules.measures import Measure
from rules.periods import FirstDays, Sessions
from rules.query_row import QueryRow
from rules.rated import LEVEL, NUMERIC
from rules.time_windows import Bound, Window

ISO = "%Y-%m-%dT%H:%M:%SZ"
OPERATORS = (*(operator.word for operator in operators.OPERATORS.values()), "in_force", "not_in_force", "any")
"""Operators of requirements: those of comparisons, and those of states and alternatives."""


@dataclass(frozen=True)
class Requirement:
    """Operator, required `value` and `unit`: a currency, `%`, `hours`, or the name of the rows that are counted.

    A window is a pair of instants: the first inside and the first after it. An alternative has no value. Other periods
    are described as `_of_period` says.
    """

    operator: str
    value: Any = None
    unit: str | None = None


def requirement(condition: Condition, fact: Fact | None) -> Requirement:  # noqa: PLR0911  one return for each form
    """Return the requirement of a condition. `fact` is the fact that a comparison is about."""
    match condition:
        case InForce():
            return Requirement("in_force" if condition.in_force else "not_in_force", condition.of)
        case Counting(at_least=least):
            word, bound = ("at_most", condition.at_most) if least is None else ("at_least", least)
            return Requirement(word, bound, condition.count)
        case AnyOf():
            return Requirement("any")
        case Measured(measure=measure):
            return Requirement(condition.operator, condition.bound, unit_of(measure))
        case Rated():
            return _of_rating(condition)
    assert fact is not None
    operator, operand = condition.operator, condition.operand
    if operator.name == "within_hours":
        return Requirement(operator.word, operand, "hours")
    if condition.within is not None and not isinstance(condition.within, Window):
        return Requirement(operator.word, *_of_period(condition.within))
    unit = fact.currency or None if fact.kind == "money" else None
    return Requirement(operator.word, _value(operator.name, operand, fact), unit)


def _of_period(period: CalendarPeriod | MonthFrom | Sessions | Weekdays | FirstDays) -> tuple[Any, str]:
    """Return the value and the unit of a period: so many days, a part of the calendar, or a list of intervals."""
    match period:
        case FirstDays(first_days=number):
            return number, "days"
        case CalendarPeriod(calendar=part):
            return part, "calendar"
        case MonthFrom(month_from=day):
            return day, "month_from"
        case Weekdays():
            return tuple(f"{day} {period.from_}/{period.to}" for day in period.weekdays), "weekdays"
        case Sessions(sessions=windows):
            return tuple(f"{window.start:{ISO}}/{window.end:{ISO}}" for window in windows), "sessions"


def _of_rating(condition: Rated) -> Requirement:
    """Return the requirement of a condition on a rating. The unit of a level is `level`."""
    operand = condition.operand
    value = operand.values if isinstance(operand, ValueList) else operand
    if condition.of == LEVEL and condition.operator.name in NUMERIC:
        value = int(operand)
    return Requirement(condition.operator.word, value, LEVEL if condition.of == LEVEL else None)


def unit_of(measure: Measure) -> str | None:
    """Return the unit of a measure: a currency, `%`, or the rows that are counted."""
    if measure.kind == "percent":
        return "%"
    rows = next(measure.rows())
    return measure.currency or (rows.collection.name if rows.form == "count" else None)


def fact_of(condition: Condition, row: QueryRow) -> Fact | None:
    """Return the fact that a comparison is about, None for other conditions."""
    return row.fact(condition.fact) if isinstance(condition, Comparison) else None


def _value(operator: str, operand: Any, fact: Fact) -> Any:
    match operand:
        case Window(start=start, end=end):
            return (start, end)
        case Bound():
            # "by" includes the whole second in which the bound lies.
            return operand.after if operator == "by" else operand.instant
        case ValueList(values=values):
            return values
    if operator in ("empty", "happened"):
        return operand
    if fact.kind == "flag":
        return operators.FLAGS[str(operand)]
    return int(operand) if fact.kind == "number" and not fact.decimals else operand
