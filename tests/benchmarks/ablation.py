"""Each layer of the claim path switched off alone: how much slower a claim gets without it.

Blocks of claims alternate between the variants, so that a machine that wavers treats all alike. A layer that gains less
than 15 % is not worth its code.
"""

import gc
import random
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from statistics import median
from time import perf_counter
from typing import Any
from unittest.mock import patch

from tests.benchmarks import claiming, facts
from tests.benchmarks.databases import execute, options, own
from tests.benchmarks.figures import say

BLOCK = 40
Variant = Callable[[], Any]


def without_pipeline() -> Any:
    """Wait for the result of each statement."""
    from core.db.prepared_statements import current_session

    session = current_session()
    assert session is not None
    return patch.object(session.connection, "pipeline", nullcontext)


def without_combining() -> Any:
    """Send each write as a statement of its own."""
    from core.db.prepared_statements import Session

    return patch.object(Session, "combined", property(lambda _self: None, lambda _self, _value: None), create=True)


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


@contextmanager
def without_planner_switches() -> Iterator[None]:
    """Prepare with forced generic plans, and rely on ANALYZE alone."""
    from core.db import prepared_statements

    session = prepared_statements.current_session()
    assert session is not None
    execute("ANALYZE")
    session.connection.execute("DISCARD PLANS")
    session.connection.execute("SET plan_cache_mode = force_generic_plan")

    @contextmanager
    def plain(_session: object, _statement: str) -> Iterator[None]:
        yield

    with patch.object(prepared_statements, "_planning", plain):
        yield
    session.fresh_until = 0.0


@contextmanager
def without_json() -> Iterator[None]:
    """Insert few rows as VALUES with a parameter for each cell."""
    from core.db import bulk_insert, pipeline

    def write(table: str, columns: Sequence[str], rows: list[Sequence[object]]) -> int:
        if rows:
            row = f"({', '.join(['%s'] * len(columns))})"
            names = ", ".join(f'"{column}"' for column in columns)
            values = ", ".join([row] * len(rows))
            pipeline.execute(f'INSERT INTO "{table}" ({names}) VALUES {values}', [cell for row in rows for cell in row])
        return len(rows)

    with patch.object(bulk_insert, "_write_few", write):
        yield


@contextmanager
def without_compiling() -> Iterator[None]:
    """Build each statement with Django anew."""
    from campaigns.engine import instant_claims
    from core.db.compiled_queries import CompiledQuery

    caches = [
        cache for cache in gc.get_objects()
        if isinstance(cache, OrderedDict) and cache and all(isinstance(one, CompiledQuery) for one in cache.values())
    ]  # fmt: skip
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
    "no planner switches (ANALYZE)": without_planner_switches,
    "no pipeline": without_pipeline,
    "no combined statement": without_combining,
    "no JSON insert": without_json,
}


class Claims:
    """Claims of prepared orders, one batch after the other."""

    def __init__(self) -> None:
        self.next = 0

    def block(self, size: int) -> float:
        """Return the median milliseconds of a batch of `size` claims."""
        from campaigns.engine import instant_claims

        took = []
        for _ in range(BLOCK):
            keys = [f"H{n}" for n in range(self.next, self.next + size)]
            self.next += size
            began = perf_counter()
            instant_claims.claim_all(keys, of="freight_order", at=facts.DECIDED)
            took.append(perf_counter() - began)
        return median(took[5:]) * 1_000


def main() -> None:
    """Single claims and batches of eight."""
    chosen = options(__doc__, rounds=12)
    with own("ablation"):
        needed = chosen.rounds * len(VARIANTS) * BLOCK * 9 + 1_000
        claiming.prepare(needed)
        claims = Claims()
        for size in (1, 8):
            claims.block(size)
            found: dict[str, list[float]] = {name: [] for name in VARIANTS}
            for _ in range(chosen.rounds):
                for name in random.sample(list(VARIANTS), len(VARIANTS)):
                    with ExitStack() as stack:
                        stack.enter_context(VARIANTS[name]())
                        found[name].append(claims.block(size))
            full = found["everything on"]
            say(f"claims in a batch: {size}")
            for name, times in found.items():
                ratio = median(time / one for time, one in zip(times, full, strict=True))
                say(f"  {name:<32} {median(times):6.2f} ms  {ratio:5.2f} times")


if __name__ == "__main__":
    main()
