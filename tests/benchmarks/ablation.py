"""Each layer of the claim path switched off alone: how much slower a claim gets without it.

Blocks of claims alternate between the variants, so that a machine that wavers treats all alike. A layer that gains less
than 15 % is not worth its code.
"""

import inspect
import random
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from statistics import median
from time import perf_counter
from types import FunctionType
from typing import Any
from unittest.mock import patch

from tests.benchmarks import claiming, facts
from tests.benchmarks.databases import options, own
from tests.benchmarks.figures import say

BLOCK = 40
SIZES = (1, 8, 32)
Variant = Callable[[], Any]


def without_pipeline() -> Any:
    """Wait for the result of each statement."""
    from core.db.prepared_statements import current_session

    session = current_session()
    assert session is not None
    return patch.object(session.connection, "pipeline", nullcontext)


@contextmanager
def without_preparing() -> Iterator[None]:
    """Let PostgreSQL parse and plan each statement each time."""
    from core.db.prepared_statements import current_session

    session = current_session()
    assert session is not None
    session.prepares = False
    try:
        yield
    finally:
        session.prepares = True


def compiled_queries() -> Iterator[OrderedDict[Any, Any]]:
    """Return the cache of each function that `compiled_query` decorates.

    The garbage collector does not list them: they are frozen at start-up (`core/apps.py`).
    """
    for module in list(sys.modules.values()):
        for function in list(vars(module).values()):
            if isinstance(function, FunctionType) and function.__qualname__.startswith("compiled_query.<locals>"):
                yield inspect.getclosurevars(function).nonlocals["compiled"]


def without_json() -> Any:
    """Insert few rows as VALUES with a parameter for each cell."""
    from core.db import bulk_insert, pipeline

    def write(table: str, columns: Sequence[str], rows: list[Sequence[object]]) -> int:
        if rows:
            row = f"({', '.join(['%s'] * len(columns))})"
            names = ", ".join(f'"{column}"' for column in columns)
            values = ", ".join([row] * len(rows))
            cells = [cell if cell is None else str(cell) for row in rows for cell in row]
            pipeline.execute(f'INSERT INTO "{table}" ({names}) VALUES {values}', cells)
        return len(rows)

    return patch.object(bulk_insert, "_write_few", write)


@contextmanager
def without_compiling() -> Iterator[None]:
    """Build each statement with Django anew."""
    from campaigns.engine import instant_claims

    caches = list(compiled_queries())
    original = instant_claims.claim_all

    def forgetful(*arguments: Any, **options: Any) -> Any:
        for cache in caches:
            cache.clear()
        return original(*arguments, **options)

    with patch.object(instant_claims, "claim_all", forgetful):
        yield


VARIANTS: dict[str, Variant] = {
    "everything on": nullcontext,
    "no compiled queries": without_compiling,
    "no prepared statements": without_preparing,
    "no pipeline": without_pipeline,
    "no JSON insert": without_json,
}


class Claims:
    """Claims of prepared orders, one batch after the other."""

    def __init__(self) -> None:
        self.next = 0

    def block(self, size: int) -> float:
        """Return the median milliseconds of a batch of `size` claims."""
        from campaigns.engine import instant_claims

        seconds = []
        for _ in range(BLOCK):
            keys = [f"H{n}" for n in range(self.next, self.next + size)]
            self.next += size
            began = perf_counter()
            instant_claims.claim_all(keys, of="freight_order", at=facts.DECIDED)
            seconds.append(perf_counter() - began)
        return median(seconds[5:]) * 1_000


def main() -> None:
    """Single claims, and batches as of 8 and of 32 clients."""
    chosen = options(__doc__, rounds=12)
    with own("ablation"):
        needed = chosen.rounds * len(VARIANTS) * BLOCK * sum(SIZES) + 2_000
        claiming.prepare(needed)
        claims = Claims()
        for size in SIZES:
            claims.block(size)
            times_of: dict[str, list[float]] = {name: [] for name in VARIANTS}
            for _ in range(chosen.rounds):
                for name in random.sample(list(VARIANTS), len(VARIANTS)):
                    with ExitStack() as stack:
                        stack.enter_context(VARIANTS[name]())
                        times_of[name].append(claims.block(size))
            complete = times_of["everything on"]
            say(f"claims in a batch: {size}")
            for name, times in times_of.items():
                ratio = median(time / reference for time, reference in zip(times, complete, strict=True))
                say(f"  {name:<32} {median(times):6.2f} ms  {ratio:5.2f} times")


if __name__ == "__main__":
    main()
