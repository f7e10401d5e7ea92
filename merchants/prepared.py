"""Statements that are asked again and again: PostgreSQL keeps them with their plans while the connection lives.

Each session of PostgreSQL has its own, so behind a pooler that changes sessions between transactions they are switched
off (`FAIRGROUND_PREPARED`). Elsewhere this is a plain cursor.
"""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper

MOST = 1_000
"""Statements that a session keeps; those not asked for longest make room."""
_CURSORS: "WeakKeyDictionary[psycopg.Connection[Any], Prepared]" = WeakKeyDictionary()


class Prepared(psycopg.Cursor[Any]):
    """A cursor that has the server bind its parameters, and keep each statement from the first time on."""

    def __init__(self, session: "psycopg.Connection[Any]") -> None:
        super().__init__(session)
        self.known: set[str] = set()

    def execute(self, query: Any, params: Any = None, **options: Any) -> "Prepared":
        """As in psycopg."""
        return super().execute(query, params, **{"prepare": settings.PREPARED, **options})


def ask(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement on the default connection; returns its rows, if it gives any, as the driver has them."""
    connection = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    if connection.vendor != "postgresql":
        with connection.cursor() as plain:
            plain.execute(statement, values)
            return plain.fetchall() if plain.description else []
    cursor = _cursor(connection)
    cursor.execute(statement, values)
    return cursor.fetchall() if cursor.description else []


def _cursor(connection: Any) -> CursorWrapper:
    """The session's own cursor, which one statement after the other uses."""
    session = connection.connection
    if session not in _CURSORS:
        session.prepared_max = MOST
        _CURSORS[session] = Prepared(session)
    made = _CURSORS[session]
    cursor: CursorWrapper = (
        connection.make_debug_cursor(made) if connection.queries_logged else connection.make_cursor(made)
    )
    return cursor
