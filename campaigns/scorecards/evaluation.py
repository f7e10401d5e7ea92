"""Evaluation of scorecards: the ratings that are due by an instant, and those that changed facts concern.

Official evaluations that were missed are made up in order; of predicted ones only the latest. Each batch of subjects
is one transaction that also notes how far the evaluation has come: one that is killed goes on from there.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q

from campaigns.eligibility.guards import PLAIN, Guard, Rows
from campaigns.eligibility.held import NOTHING, Held
from campaigns.models import DocumentVersion, QuarantineEntry
from campaigns.offers.documents import PublishedDocument, terms_of
from campaigns.scorecards import affected, inputs, rating_rows
from core.db import planner_hints
from definitions.scorecards import ScorecardTerms
from definitions.scorecards.scoring import Scorer
from definitions.scorecards.series import DueEvaluation
from ratings.models import Evaluation, Rating, Series

KEPT_PREDICTIONS = 92
"""Predicted evaluations of a scorecard of which the ratings stay for the trend: about three months of days."""


STAGE = QuarantineEntry.Stage.RATE


@dataclass(frozen=True)
class Work:
    """One evaluation with its rules: `due` says when its ratings are in force."""

    row: Evaluation
    scorer: Scorer
    due: DueEvaluation


def kind_of(document: PublishedDocument) -> ScorecardTerms:
    """Return the terms of a document of the kind `scorecards`."""
    assert isinstance(document.terms, ScorecardTerms)
    return document.terms


def follow(
    document: PublishedDocument, *, at: datetime, batches: tuple[int, ...], held: Held = NOTHING, guard: Guard = PLAIN
) -> int:
    """Bring the ratings of a scorecard up to an instant, without subjects that are held. Returns how many were written.

    `batches` are the imports that were not processed yet: what was rated before is rated again where they matter, and
    where subjects left quarantine.
    """
    begun = [work for work in _begun(document, at=at) if work.row.finished or work.row.last_subject]
    before = begun if batches or held.again else []
    subjects = kind_of(document).collection.model._default_manager
    free = ~Q(pk__in=held.subjects) if held.subjects else Q()

    def run(evaluate: Callable[[Q], int], among: Rows) -> int:
        evaluable = guard.evaluable(STAGE, lambda only: evaluate(only & free), among)
        return evaluate(evaluable & free)

    written = 0
    for work in _due(document, at=at):
        written += run(partial(_finish, work), subjects.filter(pk__gt=work.row.last_subject))
    for work in before:
        written += run(partial(_revise, work, at, batches, held.again), subjects.all())
    _prune(document.row.code)
    return written


def changed(
    document: PublishedDocument, subjects: Collection[str], *, at: datetime, batches: tuple[int, ...]
) -> set[str]:
    """Return those of some subjects whose ratings the imports concern."""
    found: set[str] = set()
    rows = kind_of(document).collection.model._default_manager.filter(pk__in=subjects)
    for work in _begun(document, at=at):
        with transaction.atomic():
            keys = affected.affected(work.scorer, at=work.row.evaluated_at, batches=batches)
            found.update((rows if keys is None else rows.filter(keys.contains("pk"))).values_list("pk", flat=True))
    return found


def progress(document: PublishedDocument) -> list[tuple[object, ...]]:
    """Return what has been done, by which the quarantine tells one attempt from the next."""
    rows = Evaluation.objects.filter(scorecard=document.row.code).order_by("pk")
    return list(rows.values_list("pk", "last_subject", "finished"))


def _due(document: PublishedDocument, *, at: datetime) -> Iterator[Work]:
    """Yield the evaluations that are due and not finished, in order. Each begins by the version in force."""
    terms, code = kind_of(document), document.row.code
    assert document.row.version is not None
    for series, of_series in terms.by_series.items():
        known = {row.period: row for row in Evaluation.objects.filter(scorecard=code, series=series)}
        for due in of_series.due(until=at, latest=series == Series.PREDICTED):
            row = known.get(due.period)
            if row is None:
                row, _new = Evaluation.objects.get_or_create(
                    scorecard=code,
                    series=series,
                    period=due.period,
                    defaults={
                        "evaluated_at": due.at,
                        "starts_at": due.starts_at,
                        "ends_at": due.ends_at,
                        "version": document.row.version.number,
                    },
                )
            if not row.finished:
                yield _work(document, row)


def _begun(document: PublishedDocument, *, at: datetime) -> Iterator[Work]:
    """Yield the evaluations whose ratings are still told: every official one, and the latest predicted one."""
    rows = Evaluation.objects.filter(scorecard=document.row.code, evaluated_at__lte=at)
    for row in rows.filter(series=Series.OFFICIAL).order_by("evaluated_at"):
        yield _work(document, row)
    latest = rows.filter(series=Series.PREDICTED).order_by("-evaluated_at").first()
    if latest is not None:
        yield _work(document, latest)


def _work(document: PublishedDocument, row: Evaluation) -> Work:
    version = DocumentVersion.objects.select_related("document").defer("definition")
    terms = terms_of(version.get(document=document.row, number=row.version))
    assert isinstance(terms, ScorecardTerms)
    scorer = Scorer(terms, terms.rules_number(row.evaluated_at))
    return Work(row, scorer, DueEvaluation(row.period, row.evaluated_at, row.starts_at, row.ends_at))


def _finish(work: Work, only: Q) -> int:
    """Rate the subjects that an evaluation has not come to yet, a batch a transaction."""
    written = 0
    while True:
        with transaction.atomic():
            planner_hints.plan_for_all_rows()
            row = Evaluation.objects.select_for_update(no_key=True).get(pk=work.row.pk)
            if row.finished:
                return written
            batch = inputs.read(work.scorer, at=row.evaluated_at, after=row.last_subject, only=inputs.meeting(only))
            rating_rows.insert(work.row, work.scorer, batch.subjects)
            row.subjects += len(batch.subjects)
            row.last_subject, row.finished = batch.last or row.last_subject, batch.last is None
            row.save(update_fields=["last_subject", "subjects", "finished"])
        written += len(batch.subjects)


@transaction.atomic
def _revise(work: Work, at: datetime, batches: tuple[int, ...], again: Collection[str], only: Q) -> int:
    """Rate again the subjects of a finished evaluation that the batches concern. Returns how many ratings changed."""
    planner_hints.plan_for_all_rows()
    row = Evaluation.objects.select_for_update(no_key=True).get(pk=work.row.pk)
    keys = affected.affected(work.scorer, at=row.evaluated_at, batches=batches)
    if keys is not None and keys.is_empty and not again:
        return 0

    def among(path: str) -> Q:
        concerned = Q() if keys is None else keys.contains(path) | Q(**{f"{path}__in": again})
        return concerned & inputs.meeting(only)(path)

    revised = 0
    for batch in inputs.batches(
        work.scorer, at=row.evaluated_at, keys=None if keys is None else among, only=inputs.meeting(only)
    ):
        revised += rating_rows.replace(row, work.scorer, batch, among=among, at=at)
    return revised


def _prune(code: str) -> None:
    """Delete the ratings of predicted evaluations that are older than the trend."""
    rows = Evaluation.objects.filter(scorecard=code, series=Series.PREDICTED).order_by("-evaluated_at")
    old = list(rows[KEPT_PREDICTIONS:].values_list("period", flat=True))
    if old:
        Rating.objects.filter(scorecard=code, series=Series.PREDICTED, period__in=old).delete()
        Evaluation.objects.filter(scorecard=code, series=Series.PREDICTED, period__in=old).delete()
