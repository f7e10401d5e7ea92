"""Many rows into a table at once, on the default connection.

PostgreSQL takes them as binary COPY: its C dumpers are given the column types once, which measured 4 times the rate of
text COPY built here row by row; a few of them as one prepared INSERT, which is fewer ways there and back. SQLite takes
them as chunks of one prepared INSERT.
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
PASSING = {"intake_stage"}  # temporary tables, whose columns differ from use to use
TYPES: dict[tuple[str, str], list[int]] = {}


def write(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Append `rows` to `table` and return how many there were. Instants must be aware; dicts and lists are JSON.

    `rows` is consumed as it comes, in flat memory. It must not query the default connection meanwhile: COPY has it.
    A constraint of the table refuses the whole call with `IntegrityError`.
    """
    if connection.vendor == "postgresql":
        if in_pipeline():
            return _append_few(table, columns, list(rows))
        if isinstance(rows, list) and len(rows) <= FEW:
            return _append_few(table, columns, rows)
        return append(table, columns, rows)
    with transaction.atomic():
        return append(table, columns, rows)


def append(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """As `write`, but on SQLite a transaction a chunk: its only write lock is not held while rows are awaited."""
    with connection.cursor() as cursor:
        names = ", ".join(connection.ops.quote_name(column) for column in columns)
        target = f"{connection.ops.quote_name(table)} ({names})"
        if connection.vendor == "postgresql":
            return _copy(cursor, table=table, names=names, target=target, rows=rows)
        return _insert(cursor, target=target, width=len(columns), rows=rows)


def _copy(cursor: CursorWrapper, *, table: str, names: str, target: str, rows: Iterable[Sequence[object]]) -> int:
    types = _types(cursor, table, names)
    count = 0
    raw: Any = cursor  # `copy` is psycopg's own, reached through Django's wrapper
    with connection.wrap_database_errors, raw.copy(f"COPY {target} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(types)
        write_row = copy.write_row
        for row in rows:
            write_row(row)
            count += 1
    return count


def _append_few(table: str, columns: Sequence[str], rows: list[Sequence[object]]) -> int:
    """One statement and one parameter, which Python and PostgreSQL both take apart in C."""
    if not rows:
        return 0
    told = json.dumps([dict(zip(columns, row, strict=True)) for row in rows], default=str)
    execute(_insertion(table, tuple(columns)), [told])
    return len(rows)


@lru_cache
def _insertion(table: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(map(connection.ops.quote_name, columns))
    into = connection.ops.quote_name(table)
    return f"INSERT INTO {into} ({names}) SELECT {names} FROM json_populate_recordset(NULL::{into}, %s)"  # noqa: S608  quoted names


def _types(cursor: CursorWrapper, table: str, names: str) -> list[int]:
    """The columns' types: asked once a process of a table that stays, each time of a temporary one."""
    if (table, names) not in TYPES:
        cursor.execute(f"SELECT {names} FROM {connection.ops.quote_name(table)} LIMIT 0")  # noqa: S608  # quoted names
        types = [column[1] for column in cursor.description or ()]
        if table not in PASSING:
            TYPES[table, names] = types
        return types
    return TYPES[table, names]


def _insert(cursor: CursorWrapper, *, target: str, width: int, rows: Iterable[Sequence[object]]) -> int:
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


# What Django itself stores in SQLite for these types; the rest the driver takes as it is.
ADAPTERS: dict[type, Callable[[Any], object]] = {
    datetime: _instant,
    Decimal: str,
    dict: json.dumps,
    list: json.dumps,
}
