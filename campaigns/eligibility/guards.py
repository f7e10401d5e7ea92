"""Guards: how a step of the tick runs its work on many subjects or merchants.

Normally the work simply runs. After it failed, the engine repeats it under a guard that finds the items at fault
(`campaigns.engine.diagnosis`).
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from django.db.models import Q, QuerySet

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

    def evaluable(self, stage: str, evaluate: Callable[[Q], object], among: Rows, /) -> Q:
        """Return the condition of those rows that can be evaluated; empty for all.

        `among` selects the rows, without any evaluation, and `evaluate` evaluates those that meet a condition.
        """
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

    def evaluable(self, _stage: str, _evaluate: Callable[[Q], object], _among: Rows, /) -> Q:
        return Q()


PLAIN: Guard = _Plain()
