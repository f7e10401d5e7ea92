"""Measures over pairs of a holder and another row, such as each merchant and the buyers that visited it.

A pair counts once, however many rows it has: the rows are grouped by pair first, and the pairs by holder.
"""

from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Case, F, IntegerField, Max, Min, QuerySet, Subquery, Value, When
from django.db.models.lookups import Exact

from rules.comparisons import meet_all
from rules.query_row import QueryRow
from rules.quotients import NUMBER, quotient_sql

if TYPE_CHECKING:
    from rules.measures import RowMeasure

WENT_ON = "COUNT(CASE WHEN pairs.began < pairs.went_on THEN 1 END) * 100"


class PairsOfHolder(Subquery):
    """SQL expression: the number that the pairs of one holder make."""

    def __init__(self, rows: QuerySet[Any], *, measure: "RowMeasure") -> None:
        super().__init__(rows, output_field=IntegerField() if measure.is_whole else NUMBER)
        self.measure = measure

    def as_sql(self, compiler: Any, connection: Any, template: str | None = None, **extra: Any) -> Any:
        number = _aggregate(self.measure, connection.vendor)
        template = f"(SELECT {number} FROM (%(subquery)s) AS pairs)"  # noqa: S608  # own words
        return super().as_sql(compiler, connection, template=template, **extra)


def pairs(measure: "RowMeasure", rows: Any, inner: QueryRow) -> Any:
    """Return the pairs of the rows of one holder, each with its weight or with when it began and went on."""
    assert measure.fact is not None
    items = rows.order_by().annotate(item=inner.expression(measure.fact.name))
    if measure.weight is not None:
        return items.annotate(weight=weight_of(measure, inner)).values("item", "weight").distinct()
    return items.values("item").annotate(**_course(measure, inner)).values("item", "began", "went_on")


def pairs_by_holder(measure: "RowMeasure", rows: QuerySet[Any], inner: QueryRow) -> tuple[str, tuple[Any, ...]]:
    """Return the statement, with its parameters, that selects each `holder_key` of the rows and its number."""
    assert measure.fact is not None
    items = rows.order_by().annotate(item=inner.expression(measure.fact.name))
    number = _aggregate(measure, connection.vendor)
    if measure.weight is None:
        grouped = items.values("holder_key", "item").annotate(**_course(measure, inner))
        selected, parameters = grouped.values("holder_key", "began", "went_on").query.sql_with_params()
        return f"SELECT holder_key, {number} FROM ({selected}) AS pairs GROUP BY holder_key", parameters  # noqa: S608
    selected, parameters = items.values("holder_key", "item").distinct().query.sql_with_params()
    items_, of_items = _items(measure, inner)
    weight, of_weight = _case(measure)
    statement = f"""
        WITH items AS MATERIALIZED ({items_})
        SELECT holder_key, {number} FROM (
            SELECT holder_key, {weight} AS weight FROM ({selected}) AS found JOIN items ON items.item = found.item
        ) AS pairs GROUP BY holder_key
    """  # noqa: S608  # compiled queries
    return statement, (*of_items, *of_weight, *parameters)


def _case(measure: "RowMeasure") -> tuple[str, tuple[Any, ...]]:
    """Return the weight of an item by its fact `weighed`, as SQL."""
    assert measure.weight is not None
    cases = [(str(case), int(weight)) for case, weight in measure.weight.cases.items()]
    whens = " ".join(["WHEN %s THEN %s"] * len(cases))
    of_cases = [value for case in cases for value in case]
    return f"CASE CAST(items.weighed AS text) {whens} ELSE %s END", (*of_cases, int(measure.weight.otherwise))


def _items(measure: "RowMeasure", inner: QueryRow) -> tuple[str, tuple[Any, ...]]:
    """Return the statement that selects the key of each item and the fact that weighs it.

    PostgreSQL would look that up for each pair and each case, were it not materialized: 2.4 of 3 seconds.
    """
    assert measure.fact is not None and measure.weight is not None
    reference = inner.collection.reference_of(measure.fact.name)
    assert reference is not None
    items = QueryRow(reference.collection, at=inner.at, declared=inner.declared)
    by = measure.weight.by.removeprefix(f"{reference.name}.")
    every = items.collection.model._default_manager.order_by().annotate(item=F("pk"), weighed=items.expression(by))
    statement, parameters = every.values("item", "weighed").query.sql_with_params()
    return statement, parameters


def weight_of(measure: "RowMeasure", row: QueryRow) -> Any:
    """Return the weight of a row by a fact; `otherwise` where no case fits."""
    assert measure.weight is not None
    name = measure.weight.by
    typed = int if row.fact(name).kind == "number" else str
    # An expression for each case: Django resolves the instant in a subquery again each time that it is used.
    whens = [
        When(Exact(row.expression(name), typed(case)), then=Value(weight))
        for case, weight in measure.weight.cases.items()
    ]
    return Case(*whens, default=Value(measure.weight.otherwise), output_field=IntegerField())


def _course(measure: "RowMeasure", inner: QueryRow) -> dict[str, Any]:
    """Return the first instant at which a pair began, and the last at which it went on."""
    assert measure.over is not None
    at = inner.expression(measure.over.instant)
    began, went_on = (meet_all(conditions, inner) for conditions in (measure.among, measure.followed_by))
    return {"began": Min(at, filter=began), "went_on": Max(at, filter=went_on)}


def _aggregate(measure: "RowMeasure", vendor: str) -> str:
    if measure.weight is None:
        return quotient_sql(WENT_ON, "COUNT(pairs.began)", vendor)
    total = "SUM(pairs.weight)"
    most = measure.at_most
    return total if most is None else f"CASE WHEN {total} > {int(most)} THEN {int(most)} ELSE {total} END"
