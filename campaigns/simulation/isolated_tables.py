"""Isolated tables: empty copies that hide the tables which the engine writes.

Imported records are read where they are, so the real engine runs on real facts; its results are visible only to the
connections that see the copies, and go with them.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

from campaigns.models import (
    Allowance,
    AllowanceEntry,
    Attachment,
    AuditEvent,
    BandCounter,
    Campaign,
    Coupon,
    Decision,
    Document,
    DocumentVersion,
    Grant,
    Issuance,
    JournalEntry,
    MerchantQuota,
    Offer,
    OutboxEvent,
    QuarantineEntry,
    QuotaBand,
    Tag,
    TickRun,
    TickStep,
    UsageDecision,
    UseProgress,
    Version,
)
from core.db import prepared_statements
from declarations.models import DeclaredAttribute, DeclaredEvent
from imports.models import ImportBatch
from ratings.models import Evaluation, Rating, RatingChange
from recurring.models import MerchantPeriod, WrittenPeriod

# All that publishing, claims and ticks write.
WRITTEN_MODELS: tuple[type[models.Model], ...] = (
    Campaign,
    Offer,
    Version,
    Document,
    DocumentVersion,
    Rating,
    Evaluation,
    RatingChange,
    Issuance,
    AuditEvent,
    Decision,
    Tag,
    Grant,
    MerchantQuota,
    QuotaBand,
    BandCounter,
    Coupon,
    Attachment,
    JournalEntry,
    OutboxEvent,
    TickRun,
    TickStep,
    QuarantineEntry,
    UseProgress,
    Allowance,
    UsageDecision,
    AllowanceEntry,
    DeclaredAttribute,
    DeclaredEvent,
    MerchantPeriod,
    WrittenPeriod,
)
# A tick marks import batches as processed: the real ones must stay as they are.
ISOLATED_MODELS: tuple[type[models.Model], ...] = (*WRITTEN_MODELS, ImportBatch)
REFERENCE = re.compile(r'\s+REFERENCES "\w+" \("\w+"\)( DEFERRABLE INITIALLY DEFERRED)?')


class IsolationError(Exception):
    """The real tables are not hidden: nothing may be written."""


@contextmanager
def isolated_tables() -> Iterator[None]:
    """Hide ISOLATED_MODELS behind temporary tables until the block ends, for the default connection of this thread.

    Raises IsolationError. Must not be nested.
    """
    is_sqlite = connection.vendor == "sqlite"
    mode = getattr(connection, "transaction_mode", None)
    try:
        if is_sqlite:
            connection.transaction_mode = None  # type: ignore[attr-defined]  # temporary tables need no write lock
        _create_temporary_tables(_names(ISOLATED_MODELS))
        _check_hidden(ISOLATED_MODELS)
        with prepared_statements.without_prepared_statements():  # those prepared before use the real tables
            yield
    finally:
        _drop_temporary_tables(_names(ISOLATED_MODELS))
        if is_sqlite:
            connection.transaction_mode = mode  # type: ignore[attr-defined]


@contextmanager
def isolated_schema() -> Iterator[None]:
    """Hide WRITTEN_MODELS behind the tables of a new schema until the block ends, for all threads of this process.

    For claims over many connections, which cannot share temporary tables. PostgreSQL only. Raises IsolationError.
    """
    schema = f"drill_{os.getpid()}"
    options = connections.settings[DEFAULT_DB_ALIAS].setdefault("OPTIONS", {})
    before = options.get("options")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
        for name in _names(WRITTEN_MODELS):
            cursor.execute(f'CREATE TABLE {schema}."{name}" (LIKE public."{name}" INCLUDING ALL)')
    try:
        options["options"] = f"{before or ''} -c search_path={schema},public"
        connection.close()  # the next connection has the search path
        _check_hidden(WRITTEN_MODELS)
        yield
    finally:
        options.pop("options")
        if before is not None:
            options["options"] = before
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA {schema} CASCADE")


def _names(hidden: Iterable[type[models.Model]]) -> list[str]:
    return [model._meta.db_table for model in hidden]


def _check_hidden(hidden: Iterable[type[models.Model]]) -> None:
    if any(model._default_manager.exists() for model in hidden):
        raise IsolationError("the tables are not hidden")


def _create_temporary_tables(names: list[str]) -> None:
    with connection.cursor() as cursor:
        for name in names:
            if connection.vendor == "postgresql":
                cursor.execute(f'CREATE TEMPORARY TABLE "{name}" (LIKE public."{name}" INCLUDING ALL)')
            else:
                for statement in _sqlite_statements(name):
                    cursor.execute(statement)


def _sqlite_statements(name: str) -> list[str]:
    """Return SQLite's own statements for a table and its indexes, made temporary.

    Without foreign keys: those of a temporary table look for temporary tables too.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM main.sqlite_master WHERE tbl_name = %s AND type = 'table'", [name])
        [(table,)] = cursor.fetchall()
        condition = "tbl_name = %s AND type = 'index' AND sql IS NOT NULL"
        cursor.execute(f"SELECT sql FROM main.sqlite_master WHERE {condition}", [name])  # noqa: S608  constant
        indexes = [sql for (sql,) in cursor.fetchall()]
    temporary = REFERENCE.sub("", table).replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1)
    return [temporary, *(re.sub(r'INDEX "', 'INDEX temp."', sql, count=1) for sql in indexes)]


def _drop_temporary_tables(names: list[str]) -> None:
    """Drop the temporary tables, or else close the connection that sees them."""
    schema = "pg_temp" if connection.vendor == "postgresql" else "temp"
    if connection.in_atomic_block and connection.needs_rollback:
        return  # the rollback drops them
    try:
        with connection.cursor() as cursor:
            for name in names:
                cursor.execute(f'DROP TABLE IF EXISTS {schema}."{name}"')
    except Exception:
        connection.close()
        raise
