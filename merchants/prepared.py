"""Statements that are asked again and again: PostgreSQL keeps them with their plans while the connection lives.

Each session of PostgreSQL has its own, so behind a pooler that changes sessions between transactions they are switched
off (`FAIRGROUND_PREPARED`). Elsewhere this is a plain cursor.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.pq import TransactionStatus

MOST = 1_000
"""Statements that a session keeps; those not asked for longest make room."""
NEVER = 2**62
FRESH = 10.0
"""For so many seconds plans are used before they are made anew."""
UNWANTED = ("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "enable_material", "jit")
# Generic plans, of what is kept: the rest is planned each time. Said again each time, for a rollback takes it back.
ANEW = "DISCARD PLANS; SET plan_cache_mode = force_generic_plan"
OFF, ON = ("; ".join(f"SET {way} = {switch}" for way in UNWANTED) for switch in ("off", "on"))
_CURSORS: "WeakKeyDictionary[psycopg.Connection[Any], Prepared]" = WeakKeyDictionary()


class Prepared(psycopg.Cursor[Any]):
    """A session's own cursor: the server binds its parameters, and keeps each statement from the first time on."""

    def __init__(self, session: "psycopg.Connection[Any]") -> None:
        super().__init__(session)
        self.known: set[str] = set()
        self.fresh_until = 0.0
        self.keeps: bool = settings.PREPARED

    def execute(self, query: Any, params: Any = None, **options: Any) -> "Prepared":
        """As in psycopg."""
        return super().execute(query, params, **{"prepare": self.keeps, **options})


def ask(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement on the default connection; returns its rows, if it gives any, as the driver has them."""
    connection = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    if connection.vendor != "postgresql":
        with connection.cursor() as plain:
            plain.execute(statement, values)
            return plain.fetchall() if plain.description else []
    made = _of(connection.connection)
    wrap: Any = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with _planning(made, statement):
        wrap(made).execute(statement, values)
    return made.fetchall() if made.description else []


@contextmanager
def forgotten() -> Iterator[None]:
    """Keep nothing meanwhile, and use nothing that was kept: names may stand for other tables than they did."""
    connection = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    if connection.vendor != "postgresql":
        yield
        return
    made = _of(connection.connection)
    made.keeps = False
    try:
        yield
    finally:
        made.keeps = settings.PREPARED


def plan_anew() -> None:
    """Have what is kept planned again when it is asked next. Nothing on other databases."""
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "postgresql" and connection.connection in _CURSORS:
        _CURSORS[connection.connection].fresh_until = 0.0


def _of(session: "psycopg.Connection[Any]") -> Prepared:
    if session not in _CURSORS:
        session.prepared_max = MOST
        session.prepare_threshold = NEVER  # of itself; without one the driver would keep nothing at all
        _CURSORS[session] = Prepared(session)
    return _CURSORS[session]


@contextmanager
def _planning(cursor: Prepared, statement: str) -> Iterator[None]:
    """Plan a statement that is new for the few rows that indexes lead to, whatever the tables' statistics say.

    At the start of a season they say that the tables are empty, and a plan made for that reads the growing tables from
    their start each time. What is as good on an empty table shows on a larger one, so plans last for some seconds only.
    """
    if not cursor.keeps:
        yield
        return
    if monotonic() > cursor.fresh_until:
        cursor.connection.execute(ANEW)
        cursor.known.clear()
        cursor.fresh_until = monotonic() + FRESH
    if statement in cursor.known:
        yield
        return
    cursor.connection.execute(OFF)
    try:
        yield
        cursor.known.add(statement)
    finally:
        if cursor.connection.info.transaction_status != TransactionStatus.INERROR:  # else the rollback undoes it
            cursor.connection.execute(ON)
