"""Statements that are asked again and again: PostgreSQL keeps them with their plans while the connection lives.

Each session of PostgreSQL has its own, so behind a pooler that changes sessions between transactions they are switched
off (`FAIRGROUND_PREPARED`). Elsewhere this is a plain cursor.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.pq import PipelineStatus, TransactionStatus

MOST = 1_000
"""Statements that a session keeps; those not asked for longest make room."""
NEVER = 2**62
PREPARED = "fairground_prepared"
FRESH = 10.0
"""For so many seconds plans are used before they are made anew."""
UNWANTED = ("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "enable_material", "jit")
# Generic plans, of what is kept: the rest is planned each time. Said again each time, for a rollback takes it back.
ANEW = ("DISCARD PLANS", "SET plan_cache_mode = force_generic_plan")
SETTINGS = ", ".join(f"set_config('{way}', '{{0}}', false)" for way in UNWANTED)
OFF, ON = (f"SELECT {SETTINGS.format(switch)}" for switch in ("off", "on"))


class Cursor(psycopg.Cursor[Any]):
    """The server binds its parameters, and keeps each statement from the first time on."""

    keeps: bool = True

    def execute(self, query: Any, params: Any = None, **options: Any) -> "Cursor":
        """As in psycopg."""
        return super().execute(query, params, **{"prepare": self.keeps, **options})


class Prepared:
    """What a session keeps, and its cursors: `aside` for what gives no rows, whose answers need not be waited for."""

    def __init__(self, session: "psycopg.Connection[Any]") -> None:
        self.session = session
        self.asking, self.aside = Cursor(session), Cursor(session)
        self.known: set[str] = set()
        self.fresh_until = 0.0
        self.keep(settings.PREPARED)

    def keep(self, keeps: bool) -> None:
        """Whether anything is kept from now on."""
        self.keeps = self.asking.keeps = self.aside.keeps = keeps


def ask(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement on the default connection; returns its rows as the driver has them."""
    with _cursor(statement) as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def tell(statement: str, values: Sequence[Any]) -> None:
    """Run a statement that gives no rows on the default connection. `together`, its answer is not waited for."""
    with _cursor(statement, aside=True) as cursor:
        cursor.execute(statement, values)


@contextmanager
def together() -> Iterator[None]:
    """Send statements as they come, without waiting for the answers of those before that give no rows.

    What is wrong with one of them is raised by a later one, or at the end of the block: it belongs into a transaction.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def are_together() -> bool:
    """Whether this runs in such a block, where COPY is not to be had."""
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "postgresql" or connection.connection is None:
        return False
    return bool(connection.connection.info.pipeline_status != PipelineStatus.OFF)


@contextmanager
def forgotten() -> Iterator[None]:
    """Keep nothing meanwhile, and use nothing that was kept: names may stand for other tables than they did."""
    connection = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    if connection.vendor != "postgresql":
        yield
        return
    made = _of(connection.connection)
    made.keep(False)
    try:
        yield
    finally:
        made.keep(settings.PREPARED)


def plan_anew() -> None:
    """Have what is kept planned again when it is asked next. Nothing on other databases."""
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "postgresql" and connection.connection is not None:
        _of(connection.connection).fresh_until = 0.0


def _of(session: "psycopg.Connection[Any]") -> Prepared:
    known = vars(session)  # so that it goes when the session does
    if PREPARED not in known:
        session.prepared_max = MOST
        session.prepare_threshold = NEVER  # of itself; without one the driver would keep nothing at all
        known[PREPARED] = Prepared(session)
    made: Prepared = known[PREPARED]
    return made


@contextmanager
def _cursor(statement: str, *, aside: bool = False) -> Iterator[Any]:
    connection = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    if connection.vendor != "postgresql":
        with connection.cursor() as plain:
            yield plain
        return
    made = _of(connection.connection)
    wrap: Any = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with _planning(made, statement):
        yield wrap(made.aside if aside else made.asking)


@contextmanager
def _planning(made: Prepared, statement: str) -> Iterator[None]:
    """Plan a statement that is new for the few rows that indexes lead to, whatever the tables' statistics say.

    At the start of a season they say that the tables are empty, and a plan made for that reads the growing tables from
    their start each time. What is as good on an empty table shows on a larger one, so plans last for some seconds only.
    """
    if not made.keeps:
        yield
        return
    if monotonic() > made.fresh_until:
        for setting in ANEW:
            made.session.execute(setting)
        made.known.clear()
        made.fresh_until = monotonic() + FRESH
    if statement in made.known:
        yield
        return
    made.session.execute(OFF)
    try:
        yield
        made.known.add(statement)
    finally:
        if made.session.info.transaction_status != TransactionStatus.INERROR:  # else the rollback undoes it
            made.session.execute(ON)
