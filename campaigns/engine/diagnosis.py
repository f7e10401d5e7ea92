"""Diagnosis: find the subjects and merchants that make a step of the tick fail.

The step runs once more in a transaction that is rolled back at its end. Work on many items that fails is repeated on
each half of them, in savepoints, down to single items: one fault among n items costs some 2 log n attempts, and at most
three times the work on all of them. Nothing of this is kept but the names of the culprits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Q

from campaigns.eligibility.guards import Done, Guard, Item, Rows
from core.db.errors import is_transient
from core.db.transactions import repeatable

MOST = 500
"""Number of culprits after which a diagnosis ends: so many faults are no fault of single items."""
IN_VAIN = 10
"""Number of culprits after which it ends if nothing else worked either."""


class NotIsolatedError(Exception):
    """The fault does not lie in single items."""


@dataclass(frozen=True)
class Culprit:
    """A subject or merchant whose processing failed in `stage`."""

    stage: str
    key: str
    error: str


class Diagnosis:
    """Guard that collects `culprits` and leaves them out. `error` is what did not come from single items."""

    def __init__(self) -> None:
        self.culprits: list[Culprit] = []
        self.error: Exception | None = None
        self._worked: set[str] = set()

    @property
    def failures_in_vain(self) -> list[Culprit]:
        """The culprits of the first stage in which nothing worked."""
        stages = [culprit.stage for culprit in self.culprits if culprit.stage not in self._worked]
        return [culprit for culprit in self.culprits if culprit.stage == stages[0]] if stages else []

    def run(
        self,
        stage: str,
        items: Sequence[Item],
        work: Callable[[list[Item]], Done],
        key: Callable[[Item], str] = str,
        /,
    ) -> list[Done]:
        """Do the work on all items but those that fail. Raises NotIsolatedError for too many of these."""
        if not items:
            return []
        try:
            with repeatable():
                done = work(list(items))
                _check_deferred_constraints()
        except Exception as error:
            if is_transient(error):
                raise
            if len(items) == 1:
                self._add(stage, key(items[0]), error)
                return []
            half = len(items) // 2
            return self.run(stage, items[:half], work, key) + self.run(stage, items[half:], work, key)
        self._worked.add(stage)
        return [done]

    def evaluable(self, stage: str, evaluate: Callable[[Q], object], among: Rows, /) -> Q:
        """Return the condition of all rows but those that fail. What `evaluate` writes is rolled back.

        Raises NotIsolatedError if it fails without any row: then the statement itself is at fault.
        """
        if _error_of(evaluate, Q()) is None:
            return Q()
        if (error := _error_of(evaluate, Q(pk__gt="", pk__lte=""))) is not None:
            raise NotIsolatedError from error
        before = len(self.culprits)
        self._search(stage, evaluate, Q(), among.order_by("pk").values_list("pk", flat=True))
        return ~Q(pk__in=[culprit.key for culprit in self.culprits[before:]])

    def _search(self, stage: str, evaluate: Callable[[Q], object], only: Q, keys: Rows) -> None:
        """Find the rows that fail among those that meet `only`, whose keys are `keys`."""
        if (error := _error_of(evaluate, only)) is None:
            self._worked.add(stage)
            return
        count = keys.count()
        if count == 0:
            return
        if count == 1:
            self._add(stage, keys[0], error)
            return
        middle = keys[count // 2 - 1]
        for half in (Q(pk__lte=middle), Q(pk__gt=middle)):
            self._search(stage, evaluate, only & half, keys.filter(half))

    def _add(self, stage: str, key: str, error: Exception) -> None:
        self.culprits.append(Culprit(stage, key, message(error)))
        if len(self.culprits) >= MOST or len(self.failures_in_vain) >= IN_VAIN:
            raise NotIsolatedError from error


def diagnose(work: Callable[[Guard], object]) -> Diagnosis:
    """Do the work of a step under a diagnosis, and roll it back. Raises transient errors."""
    diagnosis = Diagnosis()
    try:
        with repeatable():
            work(diagnosis)
            transaction.set_rollback(True)
    except Exception as error:
        if is_transient(error):
            raise
        diagnosis.error = error.__cause__ if isinstance(error, NotIsolatedError) else error  # type: ignore[assignment]
    return diagnosis


def message(error: BaseException | None) -> str:
    """Return an error in one line for people: its kind and its text."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:500]


def _error_of(evaluate: Callable[[Q], object], only: Q) -> Exception | None:
    """Return the error of an evaluation, None without one. What it wrote is rolled back."""
    try:
        with repeatable():
            evaluate(only)
            _check_deferred_constraints()
            transaction.set_rollback(True)
    except Exception as error:
        if is_transient(error):
            raise
        return error
    return None


def _check_deferred_constraints() -> None:
    """Check what would be checked at the commit. SQLite can only check whole tables: left out."""
    if connection.vendor == "postgresql":
        connection.check_constraints()
