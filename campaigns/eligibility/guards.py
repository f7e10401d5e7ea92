"""Guards: how a step of the tick runs its work on many subjects or merchants.

Normally the work simply runs. After it failed, the engine repeats it under a guard that finds the items at fault
(`campaigns.engine.diagnosis`).
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from django.db.models import QuerySet

Item = TypeVar("Item")
Done = TypeVar("Done")
Rows = QuerySet[Any]


class Guard(Protocol):
    """Way to run the work of a step. `stage` names the work in reports."""

    def run(
        self,
        stage: str,
        items: Sequence[Item],
        work: Callable[[list[Item]], Done],
        key: Callable[[Item], str] = str,
        /,
    ) -> list[Done]:
        """Do `work` on the items. Return its results: one, or one for each part that the items were split into.

        `key` names the subject or merchant of an item.
        """
        ...

    def evaluable(self, stage: str, rows: Rows, evaluate: Callable[[Rows], object], among: Rows, /) -> Rows:
        """Return those of `rows` that can be evaluated. `among` selects the same keys, without any evaluation."""
        ...


class _Plain:
    """Guard that runs the work as it is."""

    def run(
        self,
        _stage: str,
        items: Sequence[Item],
        work: Callable[[list[Item]], Done],
        _key: Callable[[Item], str] = str,
        /,
    ) -> list[Done]:
        return [work(list(items))]

    def evaluable(self, _stage: str, rows: Rows, _evaluate: Callable[[Rows], object], _among: Rows, /) -> Rows:
        return rows


PLAIN: Guard = _Plain()
