"""Statements on the default connection, and pipelines: send several without waiting for each result.

A pipeline saves the round trip of every statement but the last. Without it a claim takes up to 1.5 times as long
(`tests.benchmarks.ablation`), and longer if the database is on another machine. Outside of one, and on other databases
than PostgreSQL, each statement is answered before the next is sent.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from core.db.prepared_statements import current_session, run

Rows = list[tuple[Any, ...]]


def execute_deferred(statement: str, values: Sequence[Any]) -> Callable[[], Rows]:
    """Start a statement and return a function that waits for its rows. Outside a pipeline the rows are read at once."""
    session = current_session()
    cursor = run(session, statement, values)
    if session is not None and session.pipeline is not None:
        fetch: Callable[[], Rows] = cursor.fetchall
        return fetch
    rows: Rows = cursor.fetchall()
    return lambda: rows


def execute(statement: str, values: Sequence[Any]) -> None:
    """Run a statement that returns no rows. In a pipeline its result is not waited for."""
    run(current_session(), statement, values)


@contextmanager
def pipeline() -> Iterator[None]:
    """Send the statements of the block without waiting for the results of earlier ones.

    The error of a statement is raised by a later one, or at the end of the block: use it inside a transaction. COPY and
    server-side cursors do not work in a pipeline: see `outside_pipeline`.
    """
    session = current_session()
    if session is None or session.pipeline is not None:
        yield
        return
    with connections[DEFAULT_DB_ALIAS].wrap_database_errors, ExitStack() as stack:
        stack.enter_context(session.connection.pipeline())
        session.pipeline = stack
        try:
            yield
        finally:
            session.pipeline = None


@contextmanager
def outside_pipeline() -> Iterator[None]:
    """Leave the current pipeline for the block: statements of any kind, each answered before the next."""
    session = current_session()
    if session is None or session.pipeline is None:
        yield
        return
    stack, session.pipeline = session.pipeline, None
    with connections[DEFAULT_DB_ALIAS].wrap_database_errors:
        stack.close()
        try:
            yield
        finally:
            session.pipeline = stack
        stack.enter_context(session.connection.pipeline())


def in_pipeline() -> bool:
    """Return true inside a `pipeline` block, unless `outside_pipeline` has left it."""
    session = current_session()
    return session is not None and session.pipeline is not None
