"""Statements that are asked again and again: PostgreSQL keeps them with their plans while the connection lives.

Each session of PostgreSQL has its own, so behind a pooler that changes sessions between transactions they are switched
off (`FAIRGROUND_PREPARED`). Elsewhere this is a plain cursor.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from time import monotonic
from typing import Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.pq import TransactionStatus

MAX_STATEMENTS = 1_000
"""Statements that a session keeps; those not asked for longest make room."""
NEVER = 2**62
PREPARED = "fairground_prepared"
PLAN_LIFETIME = 10.0
"""For so many seconds plans are used before they are made anew."""
DISABLED_PLAN_NODES = (
    "enable_seqscan",
    "enable_bitmapscan",
    "enable_hashjoin",
    "enable_mergejoin",
    "enable_material",
    "jit",
)
# Generic plans, of what is kept: the rest is planned each time. Said again each time, for a rollback takes it back.
ANEW = ("DISCARD PLANS", "SET plan_cache_mode = force_generic_plan")
WORKERS = "max_parallel_workers_per_gather"
SETTINGS = ", ".join(f"set_config('{way}', '{{0}}', false)" for way in DISABLED_PLAN_NODES)
OFF, ON = (f"SELECT {SETTINGS.format(switch)}, set_config('{WORKERS}', %s, false)" for switch in ("off", "on"))


class Cursor(psycopg.Cursor[Any]):
    """The server binds its parameters, and keeps each statement from the first time on."""

    def __init__(self, made: "Prepared") -> None:
        super().__init__(made.session)
        self.keeps = made.keeps

    def execute(self, query: Any, params: Any = None, **options: Any) -> "Cursor":
        """As in psycopg."""
        return super().execute(query, params, **{"prepare": self.keeps, **options})


class Prepared:
    """What a session keeps, whether its statements are sent together, in `flight`, and which are `gathered` to one."""

    def __init__(self, session: "psycopg.Connection[Any]") -> None:
        self.session = session
        self.keeps: bool = settings.PREPARED
        self.known: set[str] = set()
        self.fresh_until = 0.0
        self.workers: str = ""
        self.flight: ExitStack | None = None
        self.gathered: list[tuple[str, Sequence[Any]]] | None = None


def fetch_all(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement on the default connection; returns its rows as the driver has them."""
    return execute_deferred(statement, values)()


def execute_deferred(statement: str, values: Sequence[Any]) -> Callable[[], list[tuple[Any, ...]]]:
    """Run a statement as `ask`; its rows are had by calling what is returned. `together`, only that call waits."""
    connection, made = _default()
    cursor = _run(connection, made, statement, values)
    if made is not None and made.flight is not None:
        fetch: Callable[[], list[tuple[Any, ...]]] = cursor.fetchall
        return fetch
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return lambda: rows


def execute(statement: str, values: Sequence[Any]) -> None:
    """Run a statement that gives no rows on the default connection. `together`, its answer is not waited for.

    Within `as_one` it is run when that ends.
    """
    connection, made = _default()
    if made is not None and made.gathered is not None:
        made.gathered.append((statement, values))
    else:
        _run(connection, made, statement, values)


@contextmanager
def combined_statement() -> Iterator[None]:
    """Within `together`: what is told in the block is one statement, at its end; on its own each costs its way there.

    None of them may see what another has written, nor change the same row, and nothing else in the block may either.
    """
    connection, made = _default()
    if made is None or made.flight is None or made.gathered is not None:
        yield
        return
    gathered: list[tuple[str, Sequence[Any]]] = []
    made.gathered = gathered
    try:
        yield
    finally:
        made.gathered = None
    if gathered:
        statement = _as_one(tuple(statement for statement, _ in gathered))
        _run(connection, made, statement, [value for _, values in gathered for value in values])


@lru_cache
def _as_one(statements: tuple[str, ...]) -> str:
    *before, last = statements
    named = ", ".join(f"told_{n} AS ({statement})" for n, statement in enumerate(before))
    return f"WITH {named} {last}" if named else last


@contextmanager
def pipeline() -> Iterator[None]:
    """Send statements as they come, without waiting for the answers of those before.

    What is wrong with one of them is raised by a later one, or at the end of the block: it belongs into a transaction.
    There is no COPY in it and no cursor of the server: see `apart`.
    """
    made = _on_default()
    if made is None or made.flight is not None:
        yield
        return
    with connections[DEFAULT_DB_ALIAS].wrap_database_errors, ExitStack() as flight:
        flight.enter_context(made.session.pipeline())
        made.flight = flight
        try:
            yield
        finally:
            made.flight = None


@contextmanager
def outside_pipeline() -> Iterator[None]:
    """Within `together`: statements of any kind, each answered before the next."""
    made = _on_default()
    if made is None or made.flight is None:
        yield
        return
    flight, made.flight = made.flight, None
    with connections[DEFAULT_DB_ALIAS].wrap_database_errors:
        flight.close()
        try:
            yield
        finally:
            made.flight = flight
        flight.enter_context(made.session.pipeline())


def in_pipeline() -> bool:
    """Whether this runs in such a block."""
    made = _on_default()
    return made is not None and made.flight is not None


@contextmanager
def without_prepared_statements() -> Iterator[None]:
    """Keep nothing meanwhile, and use nothing that was kept: names may stand for other tables than they did."""
    made = _on_default()
    if made is None:
        yield
        return
    made.keeps = False
    try:
        yield
    finally:
        made.keeps = settings.PREPARED


def discard_plans() -> None:
    """Have what is kept planned again when it is asked next. Nothing on other databases."""
    if made := _on_default():
        made.fresh_until = 0.0


def _on_default() -> Prepared | None:
    """What the session of the default connection keeps; None where it is none of PostgreSQL's."""
    return _default()[1]


def _default() -> tuple[Any, Prepared | None]:
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "postgresql":
        return connection, None
    if connection.connection is None:
        connection.ensure_connection()
    session = connection.connection
    known = vars(session)  # so that it goes when the session does
    made: Prepared | None = known.get(PREPARED)
    if made is None:
        session.prepared_max = MAX_STATEMENTS
        session.prepare_threshold = NEVER  # of itself; without one the driver would keep nothing at all
        made = known[PREPARED] = Prepared(session)
    return connection, made


def _run(connection: Any, made: Prepared | None, statement: str, values: Sequence[Any]) -> Any:
    """The cursor that has run the statement. What is known runs as it is: this is the way of every claim."""
    if made is None:
        cursor = connection.cursor()
        cursor.execute(statement, values)
        return cursor
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    cursor = wrap(Cursor(made))
    if not made.keeps or (statement in made.known and monotonic() <= made.fresh_until):
        cursor.execute(statement, values)
    else:
        # What is said to the driver itself must fail as what is said through Django does.
        with connection.wrap_database_errors, _planning(made, statement):
            cursor.execute(statement, values)
    return cursor


@contextmanager
def _planning(made: Prepared, statement: str) -> Iterator[None]:
    """Plan a statement that is new for the few rows that indexes lead to, whatever the tables' statistics say.

    At the start of a season they say that the tables are empty, and a plan made for that reads the growing tables from
    their start each time. What is as good on an empty table shows on a larger one, so plans last for some seconds only.
    A way that is unwanted but the only one counts as endlessly dear: to start workers for it would cost most of all.
    """
    if not made.workers:
        [[made.workers]] = made.session.execute("SELECT current_setting(%s)", [WORKERS]).fetchall()
    if monotonic() > made.fresh_until:
        for setting in ANEW:
            made.session.execute(setting)
        made.known.clear()
        made.fresh_until = monotonic() + PLAN_LIFETIME
    made.session.execute(OFF, ["0"])
    try:
        yield
        made.known.add(statement)
    finally:
        if made.session.info.transaction_status != TransactionStatus.INERROR:  # else the rollback undoes it
            made.session.execute(ON, [made.workers])
