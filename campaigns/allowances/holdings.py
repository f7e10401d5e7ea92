"""Holdings: each allowance as a merchant has it at an instant, with the conditions that decide it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import DateTimeField, Value

from campaigns.allowances.published import PublishedAllowance, published
from campaigns.eligibility.condition_results import ConditionResult, condition_result
from campaigns.models import Allowance
from definitions.case_numbers import NumberByCases, conditions_of, number_expression
from merchants.models import Merchant
from rules.periods import bounds_of, key_of
from rules.query_row import as_boolean

MOST_COLUMNS = 500
"""Columns of one query. PostgreSQL allows 1,664 and SQLite 2,000."""


class State(StrEnum):
    """State of an allowance for a merchant at an instant."""

    HAD = "had"
    COLLECTABLE = "collectable"
    NOT_ELIGIBLE = "not_eligible"
    OUTSIDE_PERIOD = "outside_period"


@dataclass(frozen=True, slots=True)
class Holding:
    """An allowance of a merchant in the part of the period that holds an instant.

    `units` are None where they depend on the request that collects them. Outside of the period there are no bounds.
    """

    allowance: PublishedAllowance
    state: State
    period: str
    starts_at: datetime | None
    ends_at: datetime | None
    units: int | None
    used: int
    collected_at: datetime | None
    conditions: tuple[ConditionResult, ...]

    @property
    def code(self) -> str:
        return self.allowance.code

    @property
    def name(self) -> str:
        return str(self.allowance.terms.names)

    @property
    def left(self) -> int:
        """Units that can be used now."""
        return (self.units or 0) - self.used if self.state is State.HAD else 0

    @property
    def last_instant(self) -> datetime | None:
        """Last instant at which units can be used: the one before the end."""
        return self.ends_at - timedelta(microseconds=1) if self.ends_at else None

    @property
    def failed(self) -> list[ConditionResult]:
        """Conditions that do not hold."""
        return [condition for condition in self.conditions if not condition.passed]


def holdings(merchant: Merchant, *, at: datetime) -> list[Holding]:
    """Return every published allowance as the merchant has it at an instant: two queries for up to a hundred."""
    allowances = published()
    if not allowances:
        return []
    found = evaluate(merchant, allowances, at)
    rows = {
        (row.document_id, row.period): row
        for row in Allowance.objects.filter(merchant=merchant, starts_at__lte=at, ends_at__gt=at)
    }
    return list(_holdings(allowances, found, rows, at))


def _holdings(
    allowances: Sequence[PublishedAllowance],
    found: dict[str, Any],
    rows: dict[tuple[int, str], Allowance],
    at: datetime,
) -> Iterator[Holding]:
    for n, allowance in enumerate(allowances):
        period, bounds = key_of(allowance.terms.in_, at) or "", bounds_of(allowance.terms.in_, at)
        row = rows.get((allowance.id, period))
        results = tuple(_results(allowance, n, found))
        units = found.get(f"units_{n}")
        number = row.units if row else None if units is None else int(units)
        yield Holding(
            allowance=allowance,
            state=_state(allowance, row, bounds is not None, results, has_units=number is not None),
            period=period,
            starts_at=bounds[0] if bounds else None,
            ends_at=bounds[1] if bounds else None,
            units=number,
            used=row.used if row else 0,
            collected_at=row.collected_at if row else None,
            conditions=results,
        )


def _state(
    allowance: PublishedAllowance,
    row: Allowance | None,
    is_inside: bool,
    results: Sequence[ConditionResult],
    *,
    has_units: bool,
) -> State:
    if not is_inside:
        return State.OUTSIDE_PERIOD
    if row is not None and row.collected_at is not None:
        return State.HAD
    if not all(result.passed for result in results):
        return State.NOT_ELIGIBLE
    if allowance.terms.collected:
        return State.COLLECTABLE
    return State.HAD if has_units else State.NOT_ELIGIBLE


def evaluate(merchant: Merchant, allowances: Sequence[PublishedAllowance], at: datetime) -> dict[str, Any]:
    """Return the results of all conditions and the units, by names that count the allowances."""
    wanted: dict[str, Any] = {}
    for n, allowance in enumerate(allowances):
        row = allowance.terms.row_of_merchant
        for m, condition in enumerate(allowance.terms.asked_of_merchant):
            wanted[f"passed_{n}_{m}"] = as_boolean(condition.q(row))
            wanted[f"found_{n}_{m}"] = condition.observed(row)
        if _depends_on_merchant(allowance):
            wanted[f"units_{n}"] = number_expression(allowance.terms.units, row)
    rows: Any = Merchant.objects.filter(pk=merchant.pk).annotate(seen_at=Value(at, output_field=DateTimeField()))
    names = list(wanted)
    found: dict[str, Any] = {}
    for n in range(0, len(names), MOST_COLUMNS):
        some = names[n : n + MOST_COLUMNS]
        columns = {f"x_{name}": wanted[name] for name in some}
        values = rows.annotate(**columns).values_list(*columns).first()
        found |= zip(some, values or (), strict=False)
    return found


def _depends_on_merchant(allowance: PublishedAllowance) -> bool:
    units = allowance.terms.units
    asked = set(map(id, allowance.terms.of_merchant(tuple(conditions_of(units)))))
    return not isinstance(units, NumberByCases) or len(asked) == len(list(conditions_of(units)))


def _results(allowance: PublishedAllowance, n: int, found: dict[str, Any]) -> Iterator[ConditionResult]:
    row = allowance.terms.row_of_merchant
    for m, condition in enumerate(allowance.terms.asked_of_merchant):
        passed = bool(found.get(f"passed_{n}_{m}"))
        if not (condition in allowance.terms.asked[len(allowance.terms.stated) :] and passed):
            yield condition_result(condition, row, found=found.get(f"found_{n}_{m}"), passed=passed)
