"""Step of the tick for the ratings of a scorecard, without the subjects in quarantine."""

from collections.abc import Collection
from datetime import datetime

from campaigns.eligibility.guards import Guard
from campaigns.eligibility.held import Held
from campaigns.engine.isolating_step import IsolatingStep, of_documents
from campaigns.engine.quarantine_entries import Kind
from campaigns.offers.documents import PublishedDocument
from campaigns.scorecards import evaluation


def step_name(document: PublishedDocument) -> str:
    """Return the name of the step of a scorecard."""
    return f"ratings: {document.row.code}"


def follow(document: PublishedDocument, batches: tuple[int, ...], *, at: datetime) -> int:
    """Bring the ratings of a scorecard up to an instant. Returns how many were written."""
    collection = evaluation.kind_of(document).collection

    def work(held: Held, guard: Guard) -> int:
        return evaluation.follow(document, at=at, batches=batches, held=held, guard=guard)

    def changed(subjects: Collection[str]) -> set[str]:
        return evaluation.changed(document, subjects, at=at, batches=batches)

    def merchant_of(subject: str) -> str | None:
        rows = collection.model._default_manager.filter(pk=subject)
        return rows.values_list(collection.merchant, flat=True).first()

    step = IsolatingStep(
        step_name(document),
        at,
        work,
        of_documents([document.row.version_id] if document.row.version_id else []),
        unit=Kind.SUBJECT,
        changed=changed,
        merchant_of=merchant_of,
        atomic=False,  # each batch of subjects is a transaction
    )
    return step.run()
