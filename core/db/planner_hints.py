"""Hints to PostgreSQL's planner, whose statistics lag behind: a tick writes a million rows in one transaction.

None of them does anything on other databases.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models

from core.db import prepared_statements

MANY = 10_000


def plan_for_all_rows() -> None:
    """Plan the cursors of this transaction for reading all of their rows, not for a quick first one."""
    _set("cursor_tuple_fraction", "1.0")


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
    if written >= MANY and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(table._meta.db_table for table in tables)}")


def _set(parameter: str, value: str) -> None:
    """Set a parameter for the current transaction."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL {parameter} = {value}")
