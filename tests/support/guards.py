"""Guards of the database switched off: for impossible states, and for controls of races."""

from collections.abc import Iterator, Sequence
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


FEW_ROWS = 5_000
KEPT = ("django_content_type", "auth_permission", "auth_group", "auth_group_permissions")
"""Tables that migrations fill: to fill them again after each test would cost more than most tests."""


def flush_unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests that commit empty the tables after themselves, the append-only ones too.

    On PostgreSQL delete few rows one by one: truncating all tables takes half a second, deleting ten milliseconds.
    """
    operations = type(connection.ops)
    sql_flush, execute = operations.sql_flush, operations.execute_sql_flush

    def flush_others(self: Any, style: Any, tables: Sequence[str], **options: Any) -> list[str]:
        emptied = [name for name in tables if name not in KEPT]
        statements = _deletions(emptied) if connection.vendor == "postgresql" else []
        return statements or sql_flush(self, style, emptied, **options)

    def execute_unguarded(self: Any, statements: list[str]) -> None:
        with unguarded():
            execute(self, statements)

    monkeypatch.setattr(operations, "sql_flush", flush_others)
    monkeypatch.setattr(operations, "execute_sql_flush", execute_unguarded)


def _deletions(tables: list[str]) -> list[str]:
    """Return statements that empty the tables, or nothing if one has many rows. Foreign keys are deferred."""
    counts = " UNION ALL ".join(
        f"SELECT '{name}', count(*) FROM (SELECT FROM {name} LIMIT {FEW_ROWS + 1}) AS few" for name in tables
    )
    with connection.cursor() as cursor:
        cursor.execute(counts)
        rows: dict[str, int] = dict(cursor.fetchall())
    if max(rows.values()) > FEW_ROWS:
        return []
    deferred = "SET CONSTRAINTS ALL DEFERRED"  # the guard was taken off with all constraints immediate
    return [deferred, *(f"DELETE FROM {name}" for name, count in rows.items() if count)]


def forget_statistics() -> None:
    """Truncate the empty tables of a test: autovacuum may have noted after earlier tests that they have no rows."""
    kept = (*KEPT, "django_migrations")
    tables = [name for name in connection.introspection.django_table_names(only_existing=True) if name not in kept]
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(map(connection.ops.quote_name, tables))}")


def without_row_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace `select_for_update` by a plain query, so that nobody waits."""

    def plain(rows: "QuerySet[Any]", **_options: object) -> "QuerySet[Any]":
        return rows.all()

    monkeypatch.setattr(QuerySet, "select_for_update", plain)
