"""Concurrent calls in threads, each with its own connections: released together, or made to meet in guarded code."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import wraps
from threading import Barrier, Event, get_ident
from typing import Any, ParamSpec, TypeVar

from django.db import connection, connections

from tests.support.processes import lock_waiters
from tests.support.servers import PATIENCE, wait_until

T = TypeVar("T")
P = ParamSpec("P")


def at_once(works: Sequence[Callable[[], T]]) -> list[T]:
    """Call all functions at the same time. Return their results in order; an error of one is raised."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], T]) -> T:
        try:
            barrier.wait(timeout=PATIENCE)
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


class Race:
    """Concurrent calls whose interleaving is forced at points inside a guarded section, on PostgreSQL.

    A thread that reaches a point stops until every other thread has reached it too, waits for a lock of the database,
    or has returned. With the guard one thread is at the point and the others wait or were refused; without it all are
    at the point before one goes on. So a control fails each time, and no result depends on the speed of the machine.
    A thread stops once at each point.
    """

    def __init__(self, threads: int = 0) -> None:
        """Prepare a race of `run`, or of `threads` threads that something else starts."""
        self._threads = threads
        self._at: dict[str, set[int]] = {}
        self._returned: set[int] = set()
        self._first = Event()

    def stop(self, point: str) -> None:
        """Stop this thread at a point, until no other thread can come nearer to it."""
        here = self._at.setdefault(point, set())
        if get_ident() in here:
            return
        here.add(get_ident())
        self._first.set()
        # Two readings must agree: the server does not read all its sessions at one instant.
        wait_until(lambda: self._all_met(here) and self._all_met(here), "each thread has stopped, waits or returned")

    def _all_met(self, here: set[int]) -> bool:
        missing = self._threads - len(here | self._returned)
        return missing <= 0 or lock_waiters() >= missing

    def stop_before(self, function: Callable[P, T]) -> Callable[P, T]:
        """Return a function to put in the place of `function`: it stops and then calls it."""

        @wraps(function)
        def stopping(*args: P.args, **kwargs: P.kwargs) -> T:
            self.stop(function.__qualname__)
            return function(*args, **kwargs)

        return stopping

    def stop_before_statement(self, start: str) -> AbstractContextManager[None]:
        """Stop this thread before it executes a statement of Django that begins with `start`."""

        def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
            if sql.startswith(start):
                self.stop(start)
            return run(sql, params, many, context)

        return connection.execute_wrapper(execute)

    def after_first(self, work: Callable[[], T]) -> Callable[[], T]:
        """Return a function that calls `work` when another thread has reached a point."""

        def waiting() -> T:
            assert self._first.wait(PATIENCE), "no thread has reached a point"
            return work()

        return waiting

    def run(self, works: Sequence[Callable[[], T]]) -> list[T]:
        """Call all functions at the same time. Return their results in order; an error of one is raised."""
        self._threads = len(works)

        def run(work: Callable[[], T]) -> T:
            try:
                return work()
            finally:
                self._returned.add(get_ident())

        return at_once([lambda work=work: run(work) for work in works])  # type: ignore[misc]  # a default
