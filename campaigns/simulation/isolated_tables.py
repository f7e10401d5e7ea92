"""Empty tables in place of those that hold what was given, for one connection and a while.

Temporary tables of the same names hide the real ones from this connection alone; facts are read where they are. So the
very engine that gives can be tried, and nothing that it writes is ever seen by anybody else, whatever becomes of it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models

from campaigns.models import (
    Attachment,
    AuditEvent,
    Campaign,
    Coupon,
    Decision,
    Grant,
    Issuance,
    JournalEntry,
    Offer,
    OutboxEvent,
    Tag,
    TickRun,
    TickStep,
    Version,
)
from core.db import prepared_statements
from imports.models import ImportBatch

# Whatever the engine and publishing write. Batches too: those not looked at yet must stay so.
ISOLATED_MODELS: tuple[type[models.Model], ...] = (
    Campaign,
    Offer,
    Version,
    Issuance,
    AuditEvent,
    Decision,
    Tag,
    Grant,
    Coupon,
    Attachment,
    JournalEntry,
    OutboxEvent,
    TickRun,
    TickStep,
    ImportBatch,
)
REFERENCE = re.compile(r'\s+REFERENCES "\w+" \("\w+"\)( DEFERRABLE INITIALLY DEFERRED)?')


class SandboxError(Exception):
    """The sandbox is not there: nothing may be written."""


@contextmanager
def isolated_tables() -> Iterator[None]:
    """Hide the tables in HIDDEN behind empty ones until the block ends. Not to be nested."""
    names = [model._meta.db_table for model in ISOLATED_MODELS]
    waits = getattr(connection, "transaction_mode", None)
    try:
        if connection.vendor == "sqlite":
            connection.transaction_mode = None  # type: ignore[attr-defined]  # what is temporary needs no writer's lock
        _hide(names)
        _make_sure()
        with prepared_statements.without_prepared_statements():  # what was prepared before would find the real tables
            yield
    finally:
        _show(names)
        if connection.vendor == "sqlite":
            connection.transaction_mode = waits  # type: ignore[attr-defined]


def _hide(names: list[str]) -> None:
    with connection.cursor() as cursor:
        for name in names:
            if connection.vendor == "postgresql":
                cursor.execute(f'CREATE TEMPORARY TABLE "{name}" (LIKE public."{name}" INCLUDING ALL)')
            else:
                for statement in _statements(name):
                    cursor.execute(statement)


def _statements(name: str) -> list[str]:
    """SQLite's own text of a table and its indexes, made temporary; references would look for temporary tables too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM main.sqlite_master WHERE tbl_name = %s AND type = 'table'", [name])
        [(table,)] = cursor.fetchall()
        wanted = "tbl_name = %s AND type = 'index' AND sql IS NOT NULL"
        cursor.execute(f"SELECT sql FROM main.sqlite_master WHERE {wanted}", [name])  # noqa: S608  constant
        indexes = [sql for (sql,) in cursor.fetchall()]
    made = REFERENCE.sub("", table).replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1)
    return [made, *(re.sub(r'INDEX "', 'INDEX temp."', sql, count=1) for sql in indexes)]


def _make_sure() -> None:
    """Nothing that was given before can be seen."""
    if Grant.objects.exists() or Offer.objects.exists() or ImportBatch.objects.exists():
        raise SandboxError("the tables are not hidden")


def _show(names: list[str]) -> None:
    """Take the temporary tables away; where that cannot be done, the connection that sees them."""
    where = "pg_temp" if connection.vendor == "postgresql" else "temp"
    if connection.in_atomic_block and connection.needs_rollback:
        return  # the transaction that made them is undone
    try:
        with connection.cursor() as cursor:
            for name in names:
                cursor.execute(f'DROP TABLE IF EXISTS {where}."{name}"')
    except Exception:
        connection.close()
        raise
