"""Steps of the tick that isolate what makes them fail: the subjects or merchants at fault are quarantined.

The claims of competing offers have a step of their own (`campaigns.engine.claim_step`): there offers may be at fault.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from campaigns.eligibility.guards import PLAIN, Guard
from campaigns.eligibility.held import Held
from campaigns.engine import quarantine_entries
from campaigns.engine.diagnosis import Culprit, diagnose
from campaigns.engine.quarantine_entries import Kind, NewEntry, StepEntries
from campaigns.models import QuarantineEntry
from campaigns.offers.published_offers import PublishedOffer
from core.db.errors import is_transient
from core.db.transactions import repeatable

MOST_DIAGNOSES = 20
"""Number of diagnoses in one run of a step. Each removes at least one cause."""
T = TypeVar("T")


def nothing_changed(_keys: Collection[str]) -> Iterable[str]:
    """Return no keys."""
    return ()


def is_unknown(_subject: str) -> None:
    """Return no merchant."""


@dataclass(frozen=True)
class IsolatingStep(Generic[T]):
    """A step: its name, and what it does without the exceptions of quarantine.

    `load` returns its entries, given how to find those that changed. `changed` returns those among the keys of `unit`
    whose facts have changed: they are tried at once. `merchant_of` returns the merchant of a subject. `progress` is
    the instant up to which the step ran before. `failed` collects those that failed meanwhile. A step that is not
    `atomic` commits its work piece by piece.
    """

    name: str
    at: datetime
    work: Callable[[Held, Guard], T]
    load: Callable[["IsolatingStep[T]"], StepEntries]
    unit: str = Kind.MERCHANT
    changed: Callable[[Collection[str]], Iterable[str]] = nothing_changed
    merchant_of: Callable[[str], str | None] = is_unknown
    progress: datetime | None = None
    atomic: bool = True
    failed: set[str] = field(default_factory=set)

    def run(self) -> T:
        """Do the work without what is in quarantine. Raises an error that is not isolated."""
        for diagnoses in range(MOST_DIAGNOSES + 1):
            try:
                return self._run()
            except Exception as error:
                if is_transient(error) or diagnoses == MOST_DIAGNOSES or not self._set_aside():
                    raise
        raise AssertionError("the last attempt returns or raises")

    def entries_changed(self, entries: Sequence[QuarantineEntry]) -> set[int]:
        """Return the keys of those entries whose subject or merchant has changed."""
        keys = {entry.key: entry.pk for entry in entries if entry.kind == self.unit and entry.key not in self.failed}
        return {keys[key] for key in self.changed(keys)} if keys else set()

    def _run(self) -> T:
        with repeatable() if self.atomic else nullcontext():
            entries = self.load(self)
            done = self.work(entries.exceptions, PLAIN)
            quarantine_entries.release(entries.due)
            return done

    def _set_aside(self) -> bool:
        """Quarantine what makes the step fail. Returns false if nothing of it was found."""
        diagnosis = diagnose(lambda guard: self.work(self.load(self).exceptions, guard))
        found = [self._entry(culprit) for culprit in {culprit.key: culprit for culprit in diagnosis.culprits}.values()]
        if found and diagnosis.error is None:
            self.failed.update(new.key for new in found)
            quarantine_entries.record(self.name, found, at=self.at, progress=self.progress)
        return bool(found) and diagnosis.error is None

    def _entry(self, culprit: Culprit) -> NewEntry:
        if culprit.stage in quarantine_entries.MERCHANT_STAGES:
            return NewEntry(Kind.MERCHANT, culprit.key, culprit.stage, culprit.error, culprit.key)
        return NewEntry(Kind.SUBJECT, culprit.key, culprit.stage, culprit.error, self.merchant_of(culprit.key))


def of_offers(offers: Sequence[PublishedOffer]) -> Callable[[IsolatingStep[T]], StepEntries]:
    """Return how a step on offers loads its entries."""

    def load(step: IsolatingStep[T]) -> StepEntries:
        new = bool(step.failed)
        return quarantine_entries.load(step.name, at=step.at, offers=offers, changed=step.entries_changed, any_new=new)

    return load


def of_documents(versions: Collection[int]) -> Callable[[IsolatingStep[T]], StepEntries]:
    """Return how a step on versions of documents loads its entries."""

    def load(step: IsolatingStep[T]) -> StepEntries:
        return quarantine_entries.load_of_documents(
            step.name, at=step.at, versions=versions, changed=step.entries_changed
        )

    return load
