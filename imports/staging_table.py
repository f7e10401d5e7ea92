"""All of the intake's own SQL: a file's rows stand in a temporary table, and are checked and merged there as a set.

Works alike on PostgreSQL and SQLite. Every name is from a model and quoted; every value is a parameter.
"""
# ruff: noqa: S608

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection, models

from core.db import bulk_insert
from imports.cell_parsers import Column
from imports.schema import FileSchema, SplitEvents

STAGE = "intake_stage"
LARGE = 50_000
LINE = "line_in_file"  # freight has a column called line


def _q(name: str) -> str:
    return str(connection.ops.quote_name(name))


def _table(model: type[models.Model]) -> str:
    return _q(model._meta.db_table)


def _distinct(left: str, right: str) -> str:
    word = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    return f"{left} {word} {right}"


def _stored(file: FileSchema) -> list[str]:
    """The columns that a row of this file decides."""
    return [*(column.attname for column in file.columns), *([file.apart.flag] if file.apart else [])]


def _same_key(file: FileSchema) -> str:
    return " AND ".join(f"t.{_q(column.attname)} = s.{_q(column.attname)}" for column in file.key_columns)


def _run(statement: str, parameters: Sequence[Any] = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def _number(statement: str, parameters: Sequence[Any] = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.fetchone()[0] or 0)


@contextmanager
def staged(file: FileSchema, stream: Iterable[Sequence[object]]) -> Iterator[int]:
    """`(line, *values)` of every row, in a temporary table for as long as the block lasts; gives their number."""
    columns = ", ".join(_q(name) for name in _stored(file))
    _run(f"DROP TABLE IF EXISTS {STAGE}")
    _run(
        f"CREATE TEMPORARY TABLE {STAGE} AS SELECT CAST(0 AS bigint) AS {LINE}, {columns} "
        f"FROM {_table(file.model)} WHERE 1 = 0"
    )
    try:
        yield bulk_insert.write_in_chunks(
            STAGE, [LINE, *(column.attname for column in file.columns)], stream, temporary=True
        )
    finally:
        if not connection.needs_rollback:
            _run(f"DROP TABLE IF EXISTS {STAGE}")


def doubled(file: FileSchema) -> Iterator[tuple[int, int, str]]:
    """Rows whose key stands in the file before: their line, the first one's, and the key."""
    keys = ", ".join(_q(column.attname) for column in file.key_columns)
    if not _number(f"SELECT count(*) FROM (SELECT 1 FROM {STAGE} GROUP BY {keys} HAVING count(*) > 1 LIMIT 1) AS d"):
        return
    ranked = f"SELECT {LINE}, min({LINE}) OVER (PARTITION BY {keys}) AS earliest, {keys} FROM {STAGE}"
    for line, earliest, *values in _streamed(f"SELECT * FROM ({ranked}) AS d WHERE {LINE} > earliest ORDER BY {LINE}"):
        yield line, earliest, ", ".join(str(value) for value in values)


def orphans(column: Column, parent: type[models.Model]) -> Iterator[tuple[int, str]]:
    """Rows that name a parent which is not there: their line, and the name."""
    key = _q(parent._meta.pk.attname)
    named = _q(column.attname)
    yield from _streamed(
        f"SELECT s.{LINE}, s.{named} FROM {STAGE} s LEFT JOIN {_table(parent)} p ON p.{key} = s.{named} "
        f"WHERE p.{key} IS NULL ORDER BY s.{LINE}"
    )


def _streamed(statement: str) -> Iterator[tuple[Any, ...]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement)
        while chunk := cursor.fetchmany(bulk_insert.CHUNK):
            yield from chunk


def future(file: FileSchema, now: datetime) -> int:
    """How many rows tell of an instant that is still to come."""
    moments = [f"{_q(column.attname)} > %s" for column in file.instants]
    if not moments:
        return 0
    at = connection.ops.adapt_datetimefield_value(now)
    return _number(f"SELECT count(*) FROM {STAGE} WHERE {' OR '.join(moments)}", [at] * len(moments))


def lock(file: FileSchema) -> None:
    """Let one import at a time write this table; readers go on. SQLite has one writer anyway."""
    if connection.vendor == "postgresql":
        _run(f"LOCK TABLE {_table(file.model)} IN SHARE ROW EXCLUSIVE MODE")


def join_apart(file: FileSchema, apart: SplitEvents) -> None:
    """Put into staged rows what stored rows already told of the other of two events."""
    first, later, flag = _q(apart.first), _q(apart.later), _q(apart.flag)
    _run(f"UPDATE {STAGE} SET {flag} = ({first} IS NULL)")
    _run(
        f"UPDATE {STAGE} AS s SET {first} = COALESCE(s.{first}, t.{first}), "
        f"{later} = CASE WHEN t.{flag} THEN COALESCE(s.{later}, t.{later}) ELSE s.{later} END, "
        f"{flag} = (s.{flag} OR (t.{flag} AND s.{later} IS NULL)) "
        f"FROM {_table(file.model)} AS t WHERE {_same_key(file)}"
    )


def sample(file: FileSchema, most: int) -> list[tuple[str, tuple[Any, ...]]]:
    """The first staged rows, those that do something before the others, each with what it would do."""
    names = [column.attname for column in file.columns]
    key = _q(file.key_columns[0].attname)
    differs = " OR ".join(_distinct(f"t.{_q(name)}", f"s.{_q(name)}") for name in names)
    state = f"CASE WHEN t.{key} IS NULL THEN 'new' WHEN {differs} THEN 'update' ELSE 'skip' END"
    values = ", ".join(f"s.{_q(name)}" for name in names)
    found = _streamed(
        f"SELECT {state} AS state, {values} FROM {STAGE} s LEFT JOIN {_table(file.model)} t ON {_same_key(file)} "
        f"ORDER BY CASE WHEN t.{key} IS NULL OR {differs} THEN 0 ELSE 1 END, s.{LINE} LIMIT {most:d}"
    )
    return [(state, tuple(values)) for state, *values in found]


def update(file: FileSchema, batch: int) -> int:
    """Bring the stored rows that differ from staged ones up to them, under `batch`; the others are not touched."""
    told = [name for name in _stored(file) if name not in {column.attname for column in file.key_columns}]
    if not told:
        return 0
    changes = ", ".join(f"{_q(name)} = s.{_q(name)}" for name in told)
    differs = " OR ".join(_distinct(f"t.{_q(name)}", f"s.{_q(name)}") for name in told)
    return _run(
        f"UPDATE {_table(file.model)} AS t SET {changes}, batch_id = %s FROM {STAGE} s "
        f"WHERE {_same_key(file)} AND ({differs})",
        [batch],
    )


def insert(file: FileSchema, batch: int) -> int:
    """Store the staged rows whose key is not there yet, under `batch`."""
    columns = ", ".join(_q(name) for name in _stored(file))
    return _run(
        f"INSERT INTO {_table(file.model)} ({columns}, batch_id) SELECT {columns}, %s FROM {STAGE} s "
        f"WHERE NOT EXISTS (SELECT 1 FROM {_table(file.model)} t WHERE {_same_key(file)})",
        [batch],
    )


@contextmanager
def filling(file: FileSchema, count: int) -> Iterator[None]:
    """Around the inserts. The first load of an empty table, where it is large, is done without its indexes and
    foreign keys, which are built again behind it: 1,000,000 freight orders took 12 seconds so, and 52 row by row.

    It locks the table, and those it refers to, against readers meanwhile: that is why a table in use is not done so.
    """
    table = _table(file.model)
    if connection.vendor != "postgresql" or count < LARGE or _number(f"SELECT count(*) FROM (TABLE {table} LIMIT 1) t"):
        yield
        return
    _run("SET CONSTRAINTS ALL IMMEDIATE")
    keys = _pairs(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'",
        table,
    )
    indexes = _pairs(
        "SELECT relname, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
        "WHERE indrelid = %s::regclass AND NOT indisunique",
        table,
    )
    for name, _definition in keys:
        _run(f"ALTER TABLE {table} DROP CONSTRAINT {_q(name)}")
    for name, _definition in indexes:
        _run(f"DROP INDEX {_q(name)}")
    yield
    for _name, definition in indexes:
        _run(definition)
    for name, definition in keys:
        _run(f"ALTER TABLE {table} ADD CONSTRAINT {_q(name)} {definition}")
    _run(f"ANALYZE {table}")


def _pairs(statement: str, parameter: str) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [parameter])
        return [(name, definition) for name, definition in cursor.fetchall()]
