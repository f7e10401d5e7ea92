"""Concurrent calls: threads released together by a barrier, each with its own connections."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def at_once(works: Sequence[Callable[[], T]]) -> list[T]:
    """Call all functions at the same time. Return their results in order; an error of one is raised."""
    barrier = Barrier(len(works))

    def one(work: Callable[[], T]) -> T:
        try:
            barrier.wait(timeout=30)
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))
