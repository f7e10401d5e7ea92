"""Step of the tick for competing offers: follow their grants, then decide their claims, in one transaction.

If the step fails, it is diagnosed: the subjects, merchants or offers at fault are quarantined, and the step runs
without them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from campaigns.eligibility import affected, claims, decision_time
from campaigns.eligibility.changes import Changes
from campaigns.eligibility.guards import PLAIN, Guard
from campaigns.engine import claim_decisions, follow_grants, quarantine_entries
from campaigns.engine.diagnosis import Culprit, diagnose, message
from campaigns.engine.quarantine_entries import Kind, NewEntry, Stage, StepEntries
from campaigns.models import Offer, QuarantineEntry
from campaigns.offers import published_offers
from campaigns.offers.published_offers import PublishedOffer
from core.db import planner_hints
from core.db.errors import is_transient
from core.db.transactions import repeatable
from core.instants import END_OF_INSTANTS

SEVERAL = 3
"""Number of subjects that fail from which on the offer may be at fault."""
MOST_DIAGNOSES = 20
"""Number of diagnoses in one run of the step. Each removes at least one cause."""


@dataclass(frozen=True)
class Work:
    """The work of the step: its name, the competing offers, and the imports that were not processed yet.

    `decides`: claims are decided after the grants were followed. `followed`: a step before has followed the grants.
    `failed` collects the subjects and merchants that failed meanwhile: they are not tried twice in one run.
    `retry_all`: whatever is in quarantine is tried again.
    """

    step: str
    group: list[PublishedOffer]
    batches: tuple[int, ...]
    at: datetime
    decides: bool = True
    followed: bool = False
    failed: set[str] = field(default_factory=set)
    retry_all: bool = False

    def changed(self, entries: Sequence[QuarantineEntry]) -> set[int]:
        """Return the keys of the entries whose subject or merchant the imports changed."""
        collection = self.group[0].terms.collection
        found: set[int] = set()
        for kind, column in ((Kind.SUBJECT, "pk"), (Kind.MERCHANT, collection.merchant)):
            keys = {entry.key: entry.pk for entry in entries if entry.kind == kind and entry.key not in self.failed}
            changed = affected.changed_rows(collection, column, keys, self.batches)
            if kind == Kind.SUBJECT:
                changed = changed.union(*(affected.read_again(offer, keys, self.batches) for offer in self.group))
            found.update(keys[key] for key in changed)
        return found


@dataclass(frozen=True)
class Processed:
    """Result of a step. It is not `complete` if the offers were processed further already, or if claims must wait."""

    complete: bool
    moved: int = 0
    decided: int = 0


def process(work: Work) -> Processed:
    """Bring competing offers up to an instant, without what is in quarantine. Raises an error that is not isolated."""
    for diagnoses in range(MOST_DIAGNOSES + 1):
        try:
            with repeatable():
                return _process(work, PLAIN)
        except Exception as error:
            if is_transient(error) or diagnoses == MOST_DIAGNOSES or not _set_aside(work):
                raise
    raise AssertionError("the last attempt returns or raises")


def _process(work: Work, guard: Guard) -> Processed:
    planner_hints.plan_for_all_rows()
    competing = published_offers.hold(work.group)
    at = END_OF_INSTANTS if work.retry_all else work.at
    entries = quarantine_entries.load(work.step, at=at, offers=competing, changed=work.changed)
    left_out = entries.keys(Kind.OFFER)
    group = [offer for offer in competing if offer.code not in left_out]
    if not group:
        return Processed(complete=True)
    quarantine_entries.prepare_again(entries, group)
    moved = _follow(group, work, entries, guard)
    if moved is None:
        return Processed(complete=False)
    marks: dict[str, object] = {"grants_followed_until": work.at}
    decided = _decide(group, competing, work, entries, guard) if work.decides else None
    if decided is not None:
        marks |= {"claims_decided_until": decision_time.decision_cutoff(group, work.at), "reevaluate_all": False}
    Offer.objects.filter(pk__in=[offer.id for offer in group]).update(**marks)
    if decided is not None:
        quarantine_entries.release(entries.due)
    planner_hints.analyze_filled(moved + (decided or 0))
    return Processed(decided is not None or not work.decides, moved, decided or 0)


def _follow(group: list[PublishedOffer], work: Work, entries: StepEntries, guard: Guard) -> int | None:
    """Follow the grants to the instant of the run. Returns how many changed; None if they were followed further."""
    followed = [offer.row.grants_followed_until for offer in group if offer.row.grants_followed_until is not None]
    if max(followed, default=work.at) > work.at:
        return None
    moved, batches = 0, () if work.followed else work.batches
    for offer in group:
        since = offer.row.grants_followed_until
        moved += follow_grants.follow(offer, Changes(since, work.at, batches, held=entries.exceptions, guard=guard))
    return moved


def _decide(
    group: list[PublishedOffer], competing: list[PublishedOffer], work: Work, entries: StepEntries, guard: Guard
) -> int | None:
    """Decide claims. Returns how many; None if they must wait, as a new version may have a longer settling delay."""
    until = decision_time.decision_cutoff(group, work.at)
    since = [offer.row.claims_decided_until for offer in group if offer.row.claims_decided_until is not None]
    if max(since, default=until) > until:
        return None
    changes = Changes(max(since, default=None), until, work.batches, held=entries.exceptions, guard=guard)
    return claim_decisions.decide(group, changes, at=work.at, competing=competing)


def _set_aside(work: Work) -> bool:
    """Quarantine what makes the step fail. Returns false if nothing of it was found."""
    diagnosis = diagnose(partial(_process, work))
    culprits = {culprit.key: culprit for culprit in reversed(diagnosis.culprits)}  # an order may claim several offers
    found = [_entry(work.group[0], culprit) for culprit in culprits.values()]
    if diagnosis.error is not None or len(found) + _waiting(work) >= SEVERAL:
        found = _failing_offers(work) or found
    if found:
        work.failed.update(new.key for new in found)
        since = [offer.row.claims_decided_until for offer in work.group if offer.row.claims_decided_until]
        quarantine_entries.record(work.step, found, at=work.at, progress=min(since, default=None))
    return bool(found)


def _waiting(work: Work) -> int:
    return QuarantineEntry.objects.filter(step=work.step, kind=Kind.SUBJECT).count()


def _entry(offer: PublishedOffer, culprit: Culprit) -> NewEntry:
    if culprit.stage == Stage.TAG:
        return NewEntry(Kind.MERCHANT, culprit.key, culprit.stage, culprit.error, culprit.key)
    merchant = claims.owners(offer, [culprit.key]).get(culprit.key)
    return NewEntry(Kind.SUBJECT, culprit.key, culprit.stage, culprit.error, merchant)


def _failing_offers(work: Work) -> list[NewEntry]:
    """Return the offers at fault: those that fail without a subject at fault, or for which every subject fails.

    Each is tried alone, with the subjects in quarantine. Subjects that fail for all offers are at fault themselves.
    """
    alone = {
        offer.code: diagnose(partial(_process, replace(work, group=[offer], retry_all=True))) for offer in work.group
    }
    useless = [code for code, diagnosis in alone.items() if len(diagnosis.failures_in_vain) >= SEVERAL]
    failing = []
    for code, diagnosis in alone.items():
        if diagnosis.error is not None or (code in useless and len(useless) < len(alone)):
            error = message(diagnosis.error) if diagnosis.error else diagnosis.culprits[-1].error
            failing.append(NewEntry(Kind.OFFER, code, Stage.DECIDE, error))
    return failing
