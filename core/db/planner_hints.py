"""What PostgreSQL's planner must be told: it plans by tables as they were, and a tick changes them by the million."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models

from core.db import prepared_statements

MANY = 10_000


def _set(parameter: str, value: str) -> None:
    """For this transaction. Nothing on other databases."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL {parameter} = {value}")


def read_to_the_end() -> None:
    """Plan cursors for all of their rows, not for the first."""
    _set("cursor_tuple_fraction", "1.0")


@contextmanager
def for_many(many: bool) -> Iterator[None]:
    """Hash instead of looping where every subject is asked.

    A decision table that is empty now would be read from its start for each subject while this very statement fills it.
    """
    if many:
        _set("enable_nestloop", "off")
    yield
    if many:
        _set("enable_nestloop", "on")
        prepared_statements.discard_plans()  # what was planned without loops is not for those who ask about few


def learn(written: int, *tables: type[models.Model]) -> None:
    """Count the tables anew where so many rows were written to them: the next plan must know of them."""
    if written >= MANY and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(table._meta.db_table for table in tables)}")
