"""Guards of the database switched off: for impossible states, and for controls of races."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from core.db.roles import append_only_tables


@contextmanager
def unguarded() -> Iterator[None]:
    """Allow changes of append-only records until the block ends."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            tables = append_only_tables()
            # A table with checks to come cannot be altered.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            yield
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%%is append-only%%'")
        triggers = cursor.fetchall()
        for name, _sql in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        yield
        for _name, sql in triggers:
            cursor.execute(sql)


def flush_unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests that commit empty the tables after themselves, the append-only ones too."""
    flush = type(connection.ops).execute_sql_flush

    def unguarded_flush(operations: Any, statements: list[str]) -> None:
        with unguarded():
            flush(operations, statements)

    monkeypatch.setattr(type(connection.ops), "execute_sql_flush", unguarded_flush)


def without_row_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace `select_for_update` by a plain query, so that nobody waits."""

    def plain(rows: "QuerySet[Any]", **_options: object) -> "QuerySet[Any]":
        return rows.all()

    monkeypatch.setattr(QuerySet, "select_for_update", plain)
