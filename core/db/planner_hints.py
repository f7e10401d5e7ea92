"""Hints to PostgreSQL's planner, whose statistics lag behind: a tick writes a million rows in one transaction.

None of them does anything on other databases.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models

from core.db import prepared_statements

MANY = 1_000
"""Rows written to a table after which its statistics are renewed. ANALYZE reads a sample: 0.2 s for a million rows."""
# The role that serves does not own the tables: the function analyzes them with the rights of their owner.
ANALYZE = "SELECT public.fairground_analyze(%s::text::regclass)"
GROWN = """
SELECT quote_ident(pg_class.relname) FROM pg_class LEFT JOIN pg_stat_user_tables AS activity ON relid = pg_class.oid
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND (
    n_mod_since_analyze >= greatest(%s, reltuples / 10)
    OR (reltuples < 0 AND pg_relation_size(pg_class.oid) > 100000)
)
"""

FILLED = """
SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND pg_table_is_visible(oid)
AND pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid) >= greatest(%s, reltuples / 10)
"""


def plan_for_all_rows() -> None:
    """Plan the cursors of this transaction for reading all of their rows, not for a quick first one.

    Without compiling expressions: that took 1 to 10 seconds a statement, more than the statement itself.
    """
    _set("cursor_tuple_fraction", "1.0")
    _set("jit", "off")


@contextmanager
def hash_joins(many: bool) -> Iterator[None]:
    """Plan without nested loops in the block, if the statements are for `many` subjects.

    A statement that fills an empty decision table would otherwise read it from its start for each subject.
    """
    if many:
        _set("enable_nestloop", "off")
    yield
    if many:
        _set("enable_nestloop", "on")
        prepared_statements.discard_plans()  # plans made without nested loops are wrong for a few subjects


def analyze(written: int, *tables: type[models.Model]) -> None:
    """Renew the statistics of the tables if many rows were written to them."""
    if written >= MANY:
        for table in tables:
            analyze_table(table._meta.db_table)


def analyze_filled(written: int = MANY) -> None:
    """Renew the statistics of each table to which this transaction has written many rows, whichever tables those are.

    Nothing is asked where the caller knows that it has `written` few.
    """
    if written >= MANY:
        _analyze_found(FILLED)


def analyze_table(table: str) -> None:
    """Renew the statistics of a table."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(ANALYZE, [table])


def analyze_grown_tables() -> None:
    """Renew the statistics of tables of which many rows changed, or that have none although they hold rows.

    Autovacuum does this in time, where it runs: a tick right after a large import does not wait for it.
    """
    _analyze_found(GROWN)


def _analyze_found(query: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(query, [MANY])
            for (table,) in cursor.fetchall():
                cursor.execute(ANALYZE, [table])


def _set(parameter: str, value: str) -> None:
    """Set a parameter for the current transaction."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL {parameter} = {value}")
