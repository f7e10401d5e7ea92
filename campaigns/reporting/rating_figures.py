"""Figures of ratings for operators: distribution of levels, movement between periods, and a trial of changed rules."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet

from campaigns.scorecards import inputs
from definitions.scorecards import ScorecardTerms
from definitions.scorecards.scoring import Scorer
from ratings.models import Evaluation, Rating


@dataclass(frozen=True)
class Movement:
    """Subjects by their level before and after: an empty level means that they were not rated."""

    counts: Counter[tuple[str, str]]

    def falling(self, order: list[str]) -> int:
        """Return how many have a lower level after; `order` has the levels, lowest first."""
        return sum(n for (old, new), n in self.counts.items() if old and new and order.index(new) < order.index(old))

    def rising(self, order: list[str]) -> int:
        """Return how many have a higher level after."""
        return sum(n for (old, new), n in self.counts.items() if old and new and order.index(new) > order.index(old))


@dataclass(frozen=True)
class Change:
    """Subject whose level would be another one by changed rules."""

    subject: str
    before: str
    after: str


def distribution(evaluation: Evaluation) -> dict[str, int]:
    """Return the number of subjects with each level."""
    rows = _ratings(evaluation).values("level").annotate(n=Count("pk")).order_by("level")
    return {row["level"]: row["n"] for row in rows}


def movement(earlier: Evaluation, later: Evaluation) -> Movement:
    """Return how subjects moved from one period to another. One query a period."""
    before, after = (dict(_ratings(one).values_list("subject", "level")) for one in (earlier, later))
    return Movement(Counter((before.get(key, ""), after.get(key, "")) for key in before.keys() | after.keys()))


def trial(evaluation: Evaluation, terms: ScorecardTerms) -> Iterator[Change]:
    """Yield the subjects that changed rules would rate otherwise, on the facts as they are. Nothing is written.

    The rules are those of `terms` for the instant of the evaluation. Batches of subjects bound the memory.
    """
    at: datetime = evaluation.evaluated_at
    scorer = Scorer(terms, terms.rules_number(at))
    for batch in inputs.batches(scorer, at=at):
        rated = _ratings(evaluation).filter(batch.contains("subject"))
        before = dict(rated.values_list("subject", "level"))
        after = {one.key: terms.levels[scorer.score(one.inputs).level].level for one in batch.subjects}
        for key in sorted(before.keys() | after.keys()):
            if before.get(key, "") != after.get(key, ""):
                yield Change(key, before.get(key, ""), after.get(key, ""))


def _ratings(evaluation: Evaluation) -> QuerySet[Rating]:
    return Rating.objects.filter(scorecard=evaluation.scorecard, series=evaluation.series, period=evaluation.period)
