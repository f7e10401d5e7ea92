"""Numbers that depend on conditions: that of the first case whose conditions hold."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

from django.db.models import Case, DecimalField, Value, When
from pydantic import Discriminator, Field, Tag

from core.formatting import join_and
from rules.base import DefinitionModel, WrittenNumber
from rules.conditions import Condition, all_of, check_all
from rules.errors import ErrorCollector
from rules.query_row import QueryRow
from rules.sentences import describe

MOST_CASES = 20
MOST_CASE_CONDITIONS = 20
NUMBER = DecimalField(max_digits=14, decimal_places=2)
Number = Annotated[Decimal, WrittenNumber, Field(ge=0, max_digits=14, decimal_places=2)]


class NumberCase(DefinitionModel):
    """One case: the number where all conditions hold."""

    when: tuple[Condition, ...] = Field(min_length=1, max_length=MOST_CASE_CONDITIONS)
    is_: Number = Field(alias="is")


class NumberByCases(DefinitionModel):
    """Number of the first case whose conditions hold, else `otherwise`; without that there is none."""

    cases: tuple[NumberCase, ...] = Field(min_length=1, max_length=MOST_CASES)
    otherwise: Number | None = None


def _form(value: object) -> str:
    return "Cases" if isinstance(value, dict | NumberByCases) else "Number"


NumberOrCases = Annotated[
    Annotated[Number, Tag("Number")] | Annotated[NumberByCases, Tag("Cases")], Discriminator(_form)
]


def numbers_of(value: Decimal | NumberByCases) -> Iterator[tuple[Decimal, tuple[str | int, ...]]]:
    """Yield each number with its place below the value."""
    if isinstance(value, Decimal):
        yield value, ()
        return
    for n, case in enumerate(value.cases):
        yield case.is_, ("cases", n, "is")
    if value.otherwise is not None:
        yield value.otherwise, ("otherwise",)


def conditions_of(value: Decimal | NumberByCases) -> Iterator[Condition]:
    """Yield the conditions of all cases."""
    if isinstance(value, NumberByCases):
        for case in value.cases:
            yield from case.when


def check_cases(value: Decimal | NumberByCases, row: QueryRow, errors: ErrorCollector, *place: str | int) -> None:
    """Check the conditions of each case against the row and collect their errors at `place` and their numbers."""
    if isinstance(value, NumberByCases):
        for n, case in enumerate(value.cases):
            check_all(case.when, row, errors, *place, "cases", n, "when")


def number_expression(value: Decimal | NumberByCases, row: QueryRow) -> Any:
    """Return the number of a row as an expression: NULL where no case holds and there is no `otherwise`."""
    if isinstance(value, Decimal):
        return Value(value, output_field=NUMBER)
    whens = [When(all_of(case.when, row), then=Value(case.is_, output_field=NUMBER)) for case in value.cases]
    return Case(*whens, default=Value(value.otherwise, output_field=NUMBER), output_field=NUMBER)


def describe_cases(value: NumberByCases, row: QueryRow) -> Iterator[tuple[Decimal, str]]:
    """Yield each number with its conditions as a sentence; an empty one for `otherwise`."""
    for case in value.cases:
        yield case.is_, join_and(describe(condition, row) for condition in case.when)
    if value.otherwise is not None:
        yield value.otherwise, ""
