"""Statements that are asked again and again: PostgreSQL keeps them with their plans while the connection lives.

Each session of PostgreSQL has its own, so behind a pooler that changes sessions between transactions they are switched
off (`FAIRGROUND_PREPARED`). Elsewhere this is a plain cursor.
"""

from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper

MOST = 1_000
"""Statements that a session keeps; those not asked for longest make room."""


class Prepared(psycopg.Cursor[Any]):
    """A cursor that has the server bind its parameters, and keep each statement from the first time on."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> "Prepared":
        """As in psycopg."""
        return super().execute(query, params, **{"prepare": settings.PREPARED, **options})


def cursor() -> CursorWrapper:
    """A cursor of the default connection; to be closed like any other."""
    if connection.vendor != "postgresql":
        return connection.cursor()
    connection.ensure_connection()
    session: Any = connection.connection
    session.prepared_max = MOST
    made = Prepared(session)
    return connection.make_debug_cursor(made) if connection.queries_logged else connection.make_cursor(made)
