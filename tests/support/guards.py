"""Guards of the database switched off: for impossible states, and for controls of races."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

GUARDED = ("campaigns_auditevent", "campaigns_journalentry")


@contextmanager
def unguarded() -> Iterator[None]:
    """Allow changes of the audit log and the journal until the block ends."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A table with checks to come cannot be altered.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in GUARDED:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")
            yield
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in GUARDED:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_append_only")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%%_append_only'")
        triggers = cursor.fetchall()
        for name, _sql in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        yield
        for _name, sql in triggers:
            cursor.execute(sql)


def without_row_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace `select_for_update` by a plain query, so that nobody waits."""

    def plain(rows: "QuerySet[Any]", **_options: object) -> "QuerySet[Any]":
        return rows.all()

    monkeypatch.setattr(QuerySet, "select_for_update", plain)
