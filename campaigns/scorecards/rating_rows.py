"""Rows of ratings: inserted in bulk, and replaced where facts changed, with a record of the change."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q

from campaigns.scorecards.inputs import Batch, Subject
from core.db import bulk_insert
from definitions.scorecards.scoring import Scored, Scorer
from imports.models import ImportBatch
from ratings.models import Evaluation, Rating, RatingChange, Series
from rules.measure_queries import Among

COLUMNS = (
    "batch_id scorecard series period subject_kind subject merchant_id level level_number score parts metrics inputs "
    "evaluated_at starts_at ends_at version"
).split()
COMPARED = ("level", "score", "parts", "metrics", "inputs", "merchant_id")


def insert(row: Evaluation, scorer: Scorer, subjects: list[Subject]) -> None:
    """Insert the ratings of subjects that have none for the period."""
    _insert(row, scorer, [(subject, scorer.score(subject.inputs)) for subject in subjects])


def replace(row: Evaluation, scorer: Scorer, batch: Batch, *, among: Among | None, at: datetime) -> int:
    """Replace the ratings of a batch of subjects that differ from what the facts give now. Returns their number.

    `among` selects the subjects that were asked about: of them, those that are no subjects any more lose their rating.
    """
    of_period = Rating.objects.filter(scorecard=row.scorecard, series=row.series, period=row.period)
    asked = of_period.filter(batch.contains("subject"), among("subject") if among is not None else Q())
    before = {rating.subject: rating for rating in asked}
    scored = {subject.key: (subject, scorer.score(subject.inputs)) for subject in batch.subjects}
    changed = [key for key, pair in scored.items() if key not in before or _differs(before[key], scorer, *pair)]
    gone = before.keys() - scored.keys()
    Rating.objects.filter(pk__in=[before[key].pk for key in (*changed, *gone) if key in before]).delete()
    _insert(row, scorer, [scored[key] for key in changed])
    _record(row, before, {key: scored[key][1] for key in changed}, gone, scorer=scorer, at=at)
    return len(changed) + len(gone)


def _differs(rating: Rating, scorer: Scorer, subject: Subject, scored: Scored) -> bool:
    fresh = dict(zip(COLUMNS, _values(None, None, scorer, subject, scored), strict=True))
    return any(getattr(rating, name) != fresh[name] for name in COMPARED)


def _insert(row: Evaluation, scorer: Scorer, scored: list[tuple[Subject, Scored]]) -> None:
    """Insert ratings as one import: what rests on them is evaluated again. Nothing rests on predicted ones."""
    if not scored:
        return
    batch = ImportBatch.objects.create(
        source=f"ratings: {row.scorecard} {row.series} {row.period}"[:200],
        recorded_at=row.evaluated_at,
        rows=len(scored),
        added=len(scored),
        processed=row.series == Series.PREDICTED,
    )
    rows = [_values(row, batch, scorer, subject, result) for subject, result in scored]
    bulk_insert.write(Rating._meta.db_table, COLUMNS, rows)


def _values(
    row: Evaluation | None, batch: ImportBatch | None, scorer: Scorer, subject: Subject, scored: Scored
) -> tuple[Any, ...]:
    level = scorer.terms.levels[scored.level]
    return (
        batch.pk if batch else None,
        row.scorecard if row else None,
        row.series if row else None,
        row.period if row else None,
        scorer.terms.holder,
        subject.key,
        subject.merchant,
        level.level,
        level.number,
        scored.score,
        {part.part.name: f"{part.points:.2f}" for part in scored.parts},
        {name: f"{number:.2f}" for name, number in subject.inputs.metrics.items()},
        stored_inputs(subject),
        row.evaluated_at if row else None,
        row.starts_at if row else None,
        row.ends_at if row else None,
        row.version if row else None,
    )


def stored_inputs(subject: Subject) -> dict[str, Any]:
    """Return what a rating keeps of the subject itself: its numbers, and the answers to the conditions as 0 and 1."""
    facts = {name: None if number is None else str(number) for name, number in subject.inputs.facts.items()}
    return {"facts": facts, "met": "".join("1" if met else "0" for met in subject.inputs.met)}


def _record(
    row: Evaluation,
    before: dict[str, Rating],
    after: dict[str, Scored],
    gone: Iterable[str],
    *,
    scorer: Scorer,
    at: datetime,
) -> None:
    """Record each rating whose level or score has changed, one that is new, and one that is gone."""
    RatingChange.objects.bulk_create(
        RatingChange(
            scorecard=row.scorecard,
            series=row.series,
            period=row.period,
            subject=key,
            level_before=before[key].level if key in before else "",
            level=scorer.terms.levels[after[key].level].level if key in after else "",
            score_before=before[key].score if key in before else None,
            score=after[key].score if key in after else None,
            changed_at=at,
        )
        for key in (*after, *gone)
    )
