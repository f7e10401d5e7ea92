"""Time limit of statements on PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import DatabaseError, connection


@contextmanager
def limited_statements(seconds: int) -> Iterator[None]:
    """Let PostgreSQL end each statement of the block that takes longer. 0: no limit. Nothing is done on SQLite.

    The limit belongs to the session: transactions may begin and end in the block.
    """
    if not seconds or connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{seconds}s"])
    try:
        yield
    finally:
        # A connection that is lost, or a transaction that failed, has no limit any more after its end.
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
