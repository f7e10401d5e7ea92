"""Prepared statements on the default connection: parsed and planned once a session, then run with other values.

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
from psycopg.pq import TransactionStatus

MAX_STATEMENTS = 1_000
"""Number of prepared statements of a session; the least recently used one makes room for the next."""
NEVER = 2**62
ATTRIBUTE = "fairground_prepared"
PLAN_LIFETIME = 10.0
"""Seconds after which all plans of a session are discarded."""
DISABLED_PLAN_NODES = (
    "enable_seqscan",
    "enable_bitmapscan",
    "enable_hashjoin",
    "enable_mergejoin",
    "enable_material",
)
# Generic plans: custom ones would be planned again for each execution. No compiled expressions: compiling takes longer
# than a claim, and longer than most statements of a tick. Set each time, because a rollback undoes SET.
RENEW = ("DISCARD PLANS", "SET plan_cache_mode = force_generic_plan", "SET jit = off")
WORKERS = "max_parallel_workers_per_gather"
SETTINGS = ", ".join(f"set_config('{node}', '{{0}}', false)" for node in DISABLED_PLAN_NODES)
OFF, ON = (f"SELECT {SETTINGS.format(switch)}, set_config('{WORKERS}', %s, false)" for switch in ("off", "on"))


class PreparingCursor(psycopg.Cursor[Any]):
    """Cursor whose parameters the server binds, and which prepares a statement when it runs it for the first time."""

    def __init__(self, session: "Session") -> None:
        super().__init__(session.connection)
        self.prepares = session.prepares

    def execute(self, query: Any, params: Any = None, **options: Any) -> "PreparingCursor":
        """Execute as psycopg does, with `prepare` set."""
        return super().execute(query, params, **{"prepare": self.prepares, **options})


class Session:
    """State of one PostgreSQL session: which statements it has prepared, and its pipeline (`core.db.pipeline`).

    `fresh_until` is the instant of the monotonic clock until which its plans are used, `workers` the configured number
    of parallel workers. `combined` collects the statements that will be sent as one.
    """

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection = connection
        self.prepares: bool = settings.PREPARED
        self.planned: set[str] = set()
        self.fresh_until = 0.0
        self.workers: str = ""
        self.pipeline: ExitStack | None = None
        self.combined: list[tuple[str, Sequence[Any]]] | None = None


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
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    cursor = wrap(PreparingCursor(session))
    if not session.prepares or (statement in session.planned and monotonic() <= session.fresh_until):
        # Fast path, taken by every claim: the statement is already prepared and its plan is fresh.
        cursor.execute(statement, values)
    else:
        # `_planning` uses the driver directly: its errors must become Django's too, or a lost connection is a 500.
        with connection.wrap_database_errors, _planning(session, statement):
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


@contextmanager
def _planning(session: Session, statement: str) -> Iterator[None]:
    """Plan the statement that runs in the block for index scans, whatever the statistics of its tables say.

    At the start of a season the statistics say that the tables are empty. A plan made for that would read the growing
    tables from their start for each claim. Plans last only some seconds, because a choice between two indexes that are
    equally good for an empty table turns out right or wrong as the table grows.
    """
    if not session.workers:
        [[session.workers]] = session.connection.execute("SELECT current_setting(%s)", [WORKERS]).fetchall()
    if monotonic() > session.fresh_until:
        for command in RENEW:
            session.connection.execute(command)
        session.planned.clear()
        session.fresh_until = monotonic() + PLAN_LIFETIME
    # PostgreSQL cannot disable a plan node; it adds a huge cost. Disable parallel workers too, or it starts them for an
    # empty table (6 ms).
    session.connection.execute(OFF, ["0"])
    try:
        yield
        session.planned.add(statement)
    finally:
        if session.connection.info.transaction_status != TransactionStatus.INERROR:  # else the rollback undoes it
            session.connection.execute(ON, [session.workers])
