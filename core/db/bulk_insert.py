"""Insert many rows at once, on the default connection.

PostgreSQL gets many rows by binary COPY, at 4 times the rate of text COPY that Python formats row by row, and few rows
by one prepared INSERT with a JSON parameter: with a parameter for each cell, a batch of eight claims takes 1.2 times as
long, and one of 32 1.3 times (`tests.benchmarks.ablation`). SQLite gets chunks of one prepared INSERT.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from core.db.pipeline import execute, in_pipeline

CHUNK = 5_000
FEW = 200
TYPES: dict[tuple[str, str], list[int]] = {}


def write(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Insert `rows` into `table` and return their number. Instants must be aware; dicts and lists are stored as JSON.

    `rows` is read as a stream, and must not use the default connection: COPY occupies it. All rows are inserted or
    none. Raises `IntegrityError` when a constraint of the table does not hold.
    """
    if connection.vendor == "postgresql":
        if in_pipeline():
            return _write_few(table, columns, list(rows))
        if isinstance(rows, list) and len(rows) <= FEW:
            return _write_few(table, columns, rows)
        return write_in_chunks(table, columns, rows)
    with transaction.atomic():
        return write_in_chunks(table, columns, rows)


def write_in_chunks(
    table: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, temporary: bool = False
) -> int:
    """Insert like `write`, but on SQLite in one transaction a chunk: its only write lock is not held between chunks.

    `temporary` says that the columns of the table may differ from one call to the next.
    """
    with connection.cursor() as cursor:
        names = ", ".join(connection.ops.quote_name(column) for column in columns)
        target = f"{connection.ops.quote_name(table)} ({names})"
        if connection.vendor == "postgresql":
            types = _types(cursor, table, names, cached=not temporary)
            return _copy(cursor, target, types, rows)
        return _insert(cursor, target, width=len(columns), rows=rows)


def _copy(cursor: CursorWrapper, target: str, types: list[int], rows: Iterable[Sequence[object]]) -> int:
    count = 0
    raw: Any = cursor  # `copy` is psycopg's own, reached through Django's wrapper
    with connection.wrap_database_errors, raw.copy(f"COPY {target} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(types)
        write_row = copy.write_row
        for row in rows:
            write_row(row)
            count += 1
    return count


def _write_few(table: str, columns: Sequence[str], rows: list[Sequence[object]]) -> int:
    """Insert by one statement with one JSON parameter, which Python writes and PostgreSQL reads in C."""
    if not rows:
        return 0
    execute(_insert_statement(table, tuple(columns)), [as_json(columns, rows)])
    return len(rows)


def as_json(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows as the JSON parameter of `json_populate_recordset`."""
    return json.dumps([dict(zip(columns, row, strict=True)) for row in rows], default=str)


@lru_cache
def _insert_statement(table: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(map(connection.ops.quote_name, columns))
    into = connection.ops.quote_name(table)
    return f"INSERT INTO {into} ({names}) SELECT {names} FROM json_populate_recordset(NULL::{into}, %s)"  # noqa: S608  quoted names


def _types(cursor: CursorWrapper, table: str, names: str, *, cached: bool) -> list[int]:
    """Return the type OIDs of the columns; for a table that is not temporary, ask for them once a process."""
    if cached and (table, names) in TYPES:
        return TYPES[table, names]
    cursor.execute(f"SELECT {names} FROM {connection.ops.quote_name(table)} LIMIT 0")  # noqa: S608  # quoted names
    types = [column[1] for column in cursor.description or ()]
    if cached:
        TYPES[table, names] = types
    return types


def _insert(cursor: CursorWrapper, target: str, *, width: int, rows: Iterable[Sequence[object]]) -> int:
    statement = f"INSERT INTO {target} VALUES ({', '.join(['%s'] * width)})"  # noqa: S608  # quoted names
    count = 0
    for chunk in _chunks(rows):
        with transaction.atomic():
            cursor.executemany(statement, [_adapted(row) for row in chunk])
        count += len(chunk)
    return count


def _chunks(rows: Iterable[Sequence[object]]) -> Iterator[list[Sequence[object]]]:
    stream = iter(rows)
    while chunk := list(islice(stream, CHUNK)):
        yield chunk


def _adapted(row: Sequence[object]) -> list[Any]:
    return [ADAPTERS[type(value)](value) if type(value) in ADAPTERS else value for value in row]


def _instant(value: datetime) -> str:
    return str(value.astimezone(UTC).replace(tzinfo=None))


# The form in which Django stores these types in SQLite; the driver adapts the others.
ADAPTERS: dict[type, Callable[[Any], object]] = {
    datetime: _instant,
    Decimal: str,
    dict: json.dumps,
    list: json.dumps,
}
