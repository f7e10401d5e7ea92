"""Prepared statements on the default connection: parsed and planned once a session, then run with other values.

Without them a claim takes 1.4 times as long, a batch of eight 1.3 times (`tests.benchmarks.ablation`).

A prepared statement belongs to one PostgreSQL session. Behind a pooler that changes sessions between transactions they
are switched off (`FAIRGROUND_PREPARED`). On other databases statements run through Django's own cursor.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

MAX_STATEMENTS = 1_000
"""Number of prepared statements of a session; the least recently used one makes room for the next."""
NEVER = 2**62
ATTRIBUTE = "fairground_prepared"
PLAN_LIFETIME = 2.0
"""Seconds after which a session plans its statements again: a plan made for an empty table reads a growing one whole.

ANALYZE would renew the plans too, but the first claims of a season fill their tables before autovacuum looks at them.
"""
# Generic plans: custom ones would be planned again for each execution. No compiled expressions: compiling takes longer
# than a claim. Set each time, because a rollback undoes SET.
RENEW_PLANS = ("DISCARD PLANS", "SET plan_cache_mode = force_generic_plan", "SET jit = off")


class PreparingCursor(psycopg.Cursor[Any]):
    """Cursor whose parameters the server binds, and which prepares a statement when it runs it for the first time."""

    def __init__(self, session: "Session") -> None:
        super().__init__(session.connection)
        self.prepares = session.prepares

    def execute(self, query: Any, params: Any = None, **options: Any) -> "PreparingCursor":
        """Execute as psycopg does, with `prepare` set."""
        return super().execute(query, params, **{"prepare": self.prepares, **options})


class Session:
    """State of one PostgreSQL session: whether it prepares statements, and its pipeline (`core.db.pipeline`).

    `fresh_until` is the instant of the monotonic clock until which its plans are used.
    """

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection = connection
        self.prepares: bool = settings.PREPARED
        self.fresh_until = 0.0
        self.pipeline: ExitStack | None = None


def current_session() -> Session | None:
    """Return the state of the default connection's session; None on other databases than PostgreSQL."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "postgresql":
        return None
    if connection.connection is None:
        connection.ensure_connection()
    attributes = vars(connection.connection)  # kept on psycopg's connection, so that both end together
    session: Session | None = attributes.get(ATTRIBUTE)
    if session is None:
        connection.connection.prepared_max = MAX_STATEMENTS
        connection.connection.prepare_threshold = NEVER  # only PreparingCursor prepares; None would forbid it too
        session = attributes[ATTRIBUTE] = Session(connection.connection)
    return session


def run(session: Session | None, statement: str, values: Sequence[Any]) -> Any:
    """Run a statement on the default connection and return its cursor, with what the driver gives for its rows."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    if session is None:
        cursor = connection.cursor()
        cursor.execute(statement, values)
        return cursor
    if session.prepares and monotonic() > session.fresh_until:
        # `_renew_plans` uses the driver directly: its errors must become Django's too, or a lost connection is a 500.
        with connection.wrap_database_errors:
            _renew_plans(session)
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    cursor = wrap(PreparingCursor(session))
    cursor.execute(statement, values)
    return cursor


@contextmanager
def without_prepared_statements() -> Iterator[None]:
    """Neither prepare statements nor use prepared ones: table names may stand for other tables than before."""
    session = current_session()
    if session is None:
        yield
        return
    session.prepares = False
    try:
        yield
    finally:
        session.prepares = settings.PREPARED


def discard_plans() -> None:
    """Have every prepared statement planned again when it next runs. Does nothing on other databases."""
    if session := current_session():
        session.fresh_until = 0.0


def _renew_plans(session: Session) -> None:
    for command in RENEW_PLANS:
        session.connection.execute(command)
    session.fresh_until = monotonic() + PLAN_LIFETIME
