"""SQL of the importer: rows are copied into a temporary table, then checked and merged there as a set.

The statements run on PostgreSQL and SQLite. Every name comes from a model and is quoted; every value is a parameter.
In all of them `s` is the staging table and `t` the table of the facts.
"""
# ruff: noqa: S608

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection, models
from django.db.models.expressions import Col

from core.db import bulk_insert, planner_hints
from core.facts import ATTRIBUTES
from declarations.stored_values import value_sql
from imports import staged_attributes
from imports.columns import Column
from imports.models import FormerParent
from imports.schema import FileSchema, SplitEvents

STAGE = "import_stage"
SampleRow = tuple[str, tuple[Any, ...], tuple[Any, ...]]
"""Row of a preview: its effect, its values, and the values that are stored, None for a new row."""
LINE = "line_in_file"  # not "line", which is a column of freight orders


def quoted(name: str) -> str:
    """Return a name as SQL."""
    return str(connection.ops.quote_name(name))


def table_of(model: type[models.Model]) -> str:
    """Return the name of a model's table as SQL."""
    return quoted(model._meta.db_table)


def distinct(left: str, right: str) -> str:
    """Return the comparison that is true where two expressions differ, NULL being a value."""
    word = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    return f"{left} {word} {right}"


def _stored(schema: FileSchema) -> list[str]:
    """Return the names of the table's columns that a row of the file decides."""
    flag = [schema.split_events.flag] if schema.split_events else []
    attributes = [ATTRIBUTES] if schema.attributes else []
    return [*(column.attname for column in schema.own_columns), *flag, *attributes]


def _value(schema: FileSchema, column: Column, table: str) -> str:
    """Return the SQL of a column's value in the table `s` or `t`; that of an attribute lies in a JSON column."""
    if attribute := column.attribute:
        return value_sql(f"{table}.{quoted(ATTRIBUTES)}", attribute.name, attribute.type, connection.vendor)
    if table == "t":
        return _last_imported(schema, column.attname)
    return f"{table}.{quoted(column.attname)}"


def _same_key(schema: FileSchema) -> str:
    return " AND ".join(f"t.{quoted(column.attname)} = s.{quoted(column.attname)}" for column in schema.key_columns)


def _last_imported(schema: FileSchema, name: str) -> str:
    """Return the value of a column that was imported last: a person may have changed the column since."""
    stored = f"t.{quoted(name)}"
    if name == ATTRIBUTES and connection.vendor == "sqlite":
        return f"json({stored})"  # without spaces, as the staged rows are
    return f"COALESCE(t.{quoted(schema.imported[name])}, {stored})" if name in schema.imported else stored


def _differs(schema: FileSchema, names: Iterable[str]) -> str:
    return " OR ".join(distinct(_last_imported(schema, name), f"s.{quoted(name)}") for name in names)


def _run(statement: str, parameters: Sequence[Any] = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def number_of(statement: str, parameters: Sequence[Any] = ()) -> int:
    """Return the number that a statement finds, 0 where it finds none."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.fetchone()[0] or 0)


@contextmanager
def staged(schema: FileSchema, rows: Iterable[Sequence[object]], header: Sequence[str]) -> Iterator[int]:
    """Copy rows, `(line, *values)`, into the staging table, which lasts as long as the block. Yield their number.

    The attributes that are in the `header` become one JSON object a row, with null for those without a value.
    """
    stored = ", ".join(quoted(name) for name in _stored(schema))
    _run(f"DROP TABLE IF EXISTS {STAGE}")
    _run(
        f"CREATE TEMPORARY TABLE {STAGE} AS SELECT CAST(0 AS bigint) AS {LINE}, {stored} "
        f"FROM {table_of(schema.model)} WHERE 1 = 0"
    )
    try:
        columns = [LINE, *(column.attname for column in schema.own_columns)]
        if schema.attributes:
            columns, rows = [*columns, ATTRIBUTES], staged_attributes.with_objects(schema, rows, header)
        count = bulk_insert.write_in_chunks(STAGE, columns, rows, temporary=True)
        if count >= planner_hints.MANY:
            planner_hints.analyze_table(STAGE)
        yield count
    finally:
        if not connection.needs_rollback:
            _run(f"DROP TABLE IF EXISTS {STAGE}")


def merge_attributes(schema: FileSchema) -> None:
    """Complete the attributes of staged rows by those that are stored and the file does not state."""
    vendor, same_key = connection.vendor, _same_key(schema)
    for statement in staged_attributes.merge_statements(STAGE, table_of(schema.model), same_key, vendor=vendor):
        _run(statement)


def streamed(statement: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a statement; not all of them are in memory at once."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, parameters)
        while chunk := cursor.fetchmany(bulk_insert.CHUNK):
            yield from chunk


def count_future(schema: FileSchema, now: datetime) -> int:
    """Return the number of rows with an instant after `now`."""
    comparisons = [f"{_value(schema, column, 's')} > %s" for column in schema.instant_columns]
    if not comparisons:
        return 0
    at = connection.ops.adapt_datetimefield_value(now)
    return number_of(f"SELECT count(*) FROM {STAGE} s WHERE {' OR '.join(comparisons)}", [at] * len(comparisons))


def lock(schema: FileSchema) -> None:
    """Lock the table of facts against other imports; readers continue. SQLite has one writer in any case."""
    if connection.vendor == "postgresql":
        _run(f"LOCK TABLE {table_of(schema.model)} IN SHARE ROW EXCLUSIVE MODE")


def join_split_events(schema: FileSchema, events: SplitEvents) -> None:
    """Complete the staged rows with the other event where a stored row has it."""
    first, later, flag = quoted(events.first), quoted(events.later), quoted(events.flag)
    _run(f"UPDATE {STAGE} SET {flag} = ({first} IS NULL)")
    _run(
        f"UPDATE {STAGE} AS s SET {first} = COALESCE(s.{first}, t.{first}), "
        f"{later} = CASE WHEN t.{flag} THEN COALESCE(s.{later}, t.{later}) ELSE s.{later} END, "
        # A row that repeats both events, as an export does, changes nothing.
        f"{flag} = (s.{flag} OR (t.{flag} AND (s.{later} IS NULL OR s.{later} = t.{later}))) "
        f"FROM {table_of(schema.model)} AS t WHERE {_same_key(schema)}"
    )


def keep_stored_values(schema: FileSchema, header: Sequence[str]) -> None:
    """Give staged rows the stored values of the columns that the file does not have."""
    absent = [column.attname for column in schema.own_columns if column.name not in header]
    if absent:
        values = ", ".join(f"{quoted(name)} = {_last_imported(schema, name)}" for name in absent)
        _run(f"UPDATE {STAGE} AS s SET {values} FROM {table_of(schema.model)} AS t WHERE {_same_key(schema)}")


def count_emptied(schema: FileSchema) -> int:
    """Return the number of stored values that the staged rows erase. A flag or number is never empty."""
    fields = [schema.field(column) for column in schema.own_columns if column not in schema.key_columns]
    nullable = [quoted(field.attname) for field in fields if field.null]
    texts = [quoted(field.attname) for field in fields if not field.null and isinstance(field, models.CharField)]
    erased = [f"(t.{name} IS NOT NULL AND s.{name} IS NULL)" for name in nullable]
    erased += [f"(t.{name} <> '' AND s.{name} = '')" for name in texts]
    erased += staged_attributes.erased(schema)
    if not erased:
        return 0
    counted = " + ".join(f"CASE WHEN {each} THEN 1 ELSE 0 END" for each in erased)
    return number_of(f"SELECT sum({counted}) FROM {STAGE} s JOIN {table_of(schema.model)} t ON {_same_key(schema)}")


def sample(schema: FileSchema, size: int) -> list[SampleRow]:
    """Return the first staged rows, those with an effect first, each as `(effect, values, stored values)`.

    The effect is `new`, `update`, or `skip` for a row that changes nothing.
    """
    names = [name for name in _stored(schema) if not (schema.split_events and name == schema.split_events.flag)]
    key = quoted(schema.key_columns[0].attname)
    differs = _differs(schema, names)
    effect = f"CASE WHEN t.{key} IS NULL THEN 'new' WHEN {differs} THEN 'update' ELSE 'skip' END"
    values = ", ".join(_value(schema, column, "s") for column in schema.columns)
    stored = ", ".join(_value(schema, column, "t") for column in schema.columns)
    rows = streamed(
        f"SELECT {effect} AS effect, {values}, {stored} "
        f"FROM {STAGE} s LEFT JOIN {table_of(schema.model)} t ON {_same_key(schema)} "
        f"ORDER BY CASE WHEN t.{key} IS NULL OR {differs} THEN 0 ELSE 1 END, s.{LINE} LIMIT {size:d}"
    )
    n = len(schema.columns)
    return [
        (effect, tuple(_from_database(schema, both[:n])), tuple(_from_database(schema, both[n:])))
        for effect, *both in rows
    ]


def _from_database(schema: FileSchema, values: Sequence[Any]) -> Iterator[Any]:
    """Convert raw values of the schema's columns as the ORM does: SQLite has no amounts, flags or instants."""
    for column, raw in zip(schema.columns, values, strict=True):
        expression = Col(STAGE, schema.field(column))
        value = raw
        for convert in (*connection.ops.get_db_converters(expression), *expression.get_db_converters(connection)):
            value = convert(value, expression, connection)
        yield value


def record_former_parents(schema: FileSchema, batch: int) -> None:
    """Record the rows that stored rows refer to and staged ones no longer do, each once. Call it before `update`."""
    table = table_of(FormerParent)
    for column, parent in schema.references.items():
        if column not in schema.key_columns:
            reference = quoted(column.attname)
            _run(
                f"INSERT INTO {table} (batch_id, parent, {quoted('key')}) SELECT DISTINCT %s, %s, t.{reference} "
                f"FROM {table_of(schema.model)} AS t JOIN {STAGE} s ON {_same_key(schema)} "
                f"WHERE {distinct(f't.{reference}', f's.{reference}')} AND t.{reference} IS NOT NULL",
                [batch, parent._meta.db_table],
            )


def update(schema: FileSchema, batch: int) -> int:
    """Update the stored rows that differ from staged ones, and note `batch` in them. Return their number."""
    keys = {column.attname for column in schema.key_columns}
    updated = [name for name in _stored(schema) if name not in keys]
    if not updated:
        return 0
    changes = ", ".join(_assignment(schema, name) for name in updated)
    differs = _differs(schema, updated)
    return _run(
        f"UPDATE {table_of(schema.model)} AS t SET {changes}, batch_id = %s FROM {STAGE} s "
        f"WHERE {_same_key(schema)} AND ({differs})",
        [batch],
    )


def _assignment(schema: FileSchema, name: str) -> str:
    if name not in schema.imported:
        return f"{quoted(name)} = s.{quoted(name)}"
    changed = distinct(_last_imported(schema, name), f"s.{quoted(name)}")
    own = f"CASE WHEN {changed} THEN s.{quoted(name)} ELSE t.{quoted(name)} END"
    return f"{quoted(name)} = {own}, {quoted(schema.imported[name])} = s.{quoted(name)}"


def insert(schema: FileSchema, batch: int) -> int:
    """Insert the staged rows whose key is not stored, and note `batch` in them. Return their number."""
    stored = _stored(schema)
    joined = " || '/' || ".join(quoted(column.attname) for column in schema.key_columns)
    columns = ", ".join(map(quoted, [*stored, *schema.imported.values(), *filter(None, [schema.joined_key])]))
    values = ", ".join([*map(quoted, [*stored, *schema.imported]), *([joined] if schema.joined_key else [])])
    return _run(
        f"INSERT INTO {table_of(schema.model)} ({columns}, batch_id) SELECT {values}, %s FROM {STAGE} s "
        f"WHERE NOT EXISTS (SELECT 1 FROM {table_of(schema.model)} t WHERE {_same_key(schema)})",
        [batch],
    )
