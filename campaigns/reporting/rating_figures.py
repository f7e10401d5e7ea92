"""Figures of ratings for operators: distribution of levels, movement between periods, and a trial of changed rules."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, QuerySet

from campaigns.scorecards import inputs
from campaigns.scorecards.inputs import Batch
from definitions.scorecards import ScorecardTerms
from definitions.scorecards.scoring import Scorer
from ratings.models import Evaluation, Rating


@dataclass(frozen=True)
class Movement:
    """Subjects by their level before and after: an empty level means that they were not rated."""

    counts: Counter[tuple[str, str]]

    def falling(self, order: Sequence[str]) -> int:
        """Return how many have a lower level after; `order` has the levels, lowest first."""
        return sum(n for (old, new), n in self.counts.items() if old and new and order.index(new) < order.index(old))

    def rising(self, order: Sequence[str]) -> int:
        """Return how many have a higher level after."""
        return sum(n for (old, new), n in self.counts.items() if old and new and order.index(new) > order.index(old))


@dataclass(frozen=True)
class Rated:
    """Level and score of a subject. An empty level means that it is not rated."""

    level: str = ""
    score: Decimal | None = None


@dataclass(frozen=True)
class Change:
    """Subject whose level would be another one by changed rules, with its merchant."""

    subject: str
    merchant: str
    before: Rated
    after: Rated


def distribution(evaluation: Evaluation) -> dict[str, int]:
    """Return the number of subjects with each level."""
    rows = _ratings(evaluation).values("level").annotate(n=Count("pk")).order_by("level")
    return {row["level"]: row["n"] for row in rows}


def movement(earlier: Evaluation, later: Evaluation) -> Movement:
    """Return how subjects moved from one period to another. One query a period."""
    before, after = (dict(_ratings(one).values_list("subject", "level")) for one in (earlier, later))
    return Movement(Counter((before.get(key, ""), after.get(key, "")) for key in before.keys() | after.keys()))


def trial(evaluation: Evaluation, terms: ScorecardTerms, *, rules: int) -> Iterator[list[Change]]:
    """Yield, by batches of subjects, those that changed rules would rate otherwise, on the facts as they are.

    `rules` is the position of the rules of `terms`. Nothing is written.
    """
    at: datetime = evaluation.evaluated_at
    scorer = Scorer(terms, rules)
    for batch in inputs.batches(scorer, at=at):
        yield _changes(evaluation, scorer, batch)


def _changes(evaluation: Evaluation, scorer: Scorer, batch: Batch) -> list[Change]:
    rated = _ratings(evaluation).filter(batch.contains("subject"))
    columns = rated.values_list("subject", "merchant_id", "level", "score")
    merchants = {one.key: one.merchant for one in batch.subjects}
    before = {}
    for key, merchant, level, score in columns:
        merchants[key], before[key] = merchant, Rated(level, score)
    after = {}
    for one in batch.subjects:
        scored = scorer.score(one.inputs)
        after[one.key] = Rated(scorer.terms.levels[scored.level].level, scored.score)
    pairs = ((key, before.get(key, Rated()), after.get(key, Rated())) for key in sorted(merchants))
    return [Change(key, merchants[key], old, new) for key, old, new in pairs if old.level != new.level]


def _ratings(evaluation: Evaluation) -> QuerySet[Rating]:
    return Rating.objects.filter(scorecard=evaluation.scorecard, series=evaluation.series, period=evaluation.period)
