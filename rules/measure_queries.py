"""Queries of measures: the number of one holder beside its row, and the numbers of many holders at once."""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import (
    Count,
    DateTimeField,
    F,
    IntegerField,
    Max,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    Window,
)
from django.db.models.functions import Coalesce, RowNumber
from django.db.models.lookups import IsNull

from core.money import CENT
from rules import operators
from rules.comparisons import meet_all
from rules.measure_pairs import PairsOfHolder, pairs, pairs_by_holder
from rules.query_row import QueryRow, row_count
from rules.quotients import NUMBER, Quotient, parts_of, quotient

if TYPE_CHECKING:
    from rules.measures import PercentMeasure, RowMeasure

Among = Callable[[str], Q]
"""Filter of the holders that are asked about, made from the path to the key of a holder."""


def expression(measure: "RowMeasure", row: QueryRow) -> Any:
    """Return the number of the holder of a row, as of its instant, as an expression that is never NULL."""
    inner = row.inside(measure.collection)
    of_holders = {inner.collection.holder_path(by): OuterRef(row.collection.holder_path(by)) for by in measure.by}
    key = row.collection.path_to(measure.collection) or "pk"
    rows = measure.rows_of(inner, key=key, own=row.collection.bounds).filter(**of_holders)
    holder = next(iter(of_holders))
    if measure.is_of_pairs:
        return _or_empty(measure, PairsOfHolder(pairs(measure, rows, inner), measure=measure))
    match measure.form:
        case "count":
            return row_count(rows, merchant=holder)
        case "latest":
            return _or_empty(measure, _subquery(measure, _latest_first(measure, rows, inner)))
    found = rows.order_by().values(holder).annotate(measured=_aggregate(measure, inner))
    return _or_empty(measure, _subquery(measure, found))


def numbers_of(measure: "RowMeasure | PercentMeasure", *, at: datetime, among: Among) -> dict[str, Decimal]:
    """Return the numbers of the holders among those asked about, as of `at`, without those that have no rows.

    One query for a measure of rows, two for a percentage.
    """
    rows = [dict(_numbers(one, at=at, among=among)) for one in measure.rows()]
    if measure.form != "percent":
        return rows[0]
    part, base = rows
    of_part, of_base = (Decimal(one.otherwise or 0) for one in measure.rows())
    both = {
        key: quotient(_hundredths(part.get(key, of_part)) * 100, _hundredths(base.get(key, of_base)))
        for key in part.keys() | base.keys()
    }
    return {key: number for key, number in both.items() if number is not None}


def _hundredths(number: Decimal) -> int:
    return int(number * 100)


def _numbers(measure: "RowMeasure", *, at: datetime, among: Among) -> Iterator[tuple[str, Decimal]]:
    inner = QueryRow(measure.collection, at=Value(at, output_field=DateTimeField()), declared=measure.declared)
    holder = inner.collection.holder_path(measure.by[0])
    found = measure.rows_of(inner).filter(among(holder)).annotate(holder_key=F(holder))
    if measure.is_of_pairs:
        yield from _numbers_of_pairs(measure, found, inner)
        return
    if measure.form == "latest":
        first = Window(RowNumber(), partition_by=F("holder_key"), order_by=_latest_order(measure, inner))
        known = _known(measure, found, inner).annotate(row_number=first).filter(row_number=1)
    else:
        known = found.order_by().values("holder_key").annotate(measured=_aggregate(measure, inner))
    for key, number in known.values_list("holder_key", "measured"):
        if number is not None:
            yield key, to_decimal(number)


def to_decimal(number: Any) -> Decimal:
    """Return a number of the database as a decimal; SQLite returns floats for numbers with two decimals."""
    return number if isinstance(number, Decimal) else Decimal(str(number)).quantize(CENT)


def _numbers_of_pairs(measure: "RowMeasure", found: QuerySet[Any], inner: QueryRow) -> Iterator[tuple[str, Decimal]]:
    statement, parameters = pairs_by_holder(measure, found, inner)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        for key, number in cursor.fetchall():
            if number is not None:
                yield key, to_decimal(number)


def _aggregate(measure: "RowMeasure", inner: QueryRow) -> Any:
    """Return the aggregate over the rows of one holder."""
    if measure.form == "count":
        return Count("pk")
    if measure.form == "share":
        return Quotient(Count("pk", filter=meet_all(measure.where, inner)) * 100, Count("pk"))
    assert measure.fact is not None
    found = inner.expression(measure.fact.name)
    if measure.form == "distinct":
        return Count(found, filter=operators.empty_q(measure.fact, found, empty=False), distinct=True)
    if measure.is_whole:
        return (Max if measure.form == "greatest" else Sum)(found)
    parts, whole = parts_of(found, decimals=measure.fact.decimals or 2)
    if measure.form == "average":
        return Quotient(Sum(parts) * measure.times, Count(found) * whole)
    return Quotient((Max if measure.form == "greatest" else Sum)(parts), Value(whole))


def _latest_order(measure: "RowMeasure", inner: QueryRow) -> list[Any]:
    assert measure.over is not None
    return [inner.expression(measure.over.instant).desc(), F("pk").desc()]


def _latest_first(measure: "RowMeasure", rows: QuerySet[Model], inner: QueryRow) -> Any:
    return _known(measure, rows, inner).order_by(*_latest_order(measure, inner))


def _known(measure: "RowMeasure", rows: Any, inner: QueryRow) -> Any:
    """Return the rows that have the fact, with it as `measured`."""
    assert measure.fact is not None
    found = inner.expression(measure.fact.name)
    if measure.fact.decimals:
        parts, whole = parts_of(found, decimals=measure.fact.decimals)
        found = Quotient(parts, Value(whole))
    return rows.filter(Q(IsNull(found, False))).annotate(measured=found)


def _subquery(measure: "RowMeasure", rows: QuerySet[Any]) -> Any:
    return Subquery(rows.values("measured")[:1], output_field=_field(measure))


def _field(measure: "RowMeasure") -> Any:
    return IntegerField() if measure.is_whole else NUMBER


def _or_empty(measure: "RowMeasure", found: Any) -> Any:
    """Return a number, or the value without rows."""
    empty = Value(measure.otherwise or 0, output_field=_field(measure))
    return Coalesce(found, empty, output_field=_field(measure))
