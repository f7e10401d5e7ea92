"""Rehearsal: evaluate a scorecard for a few subjects, so that one that cannot be is refused when published."""

from datetime import datetime
from itertools import islice

from django.utils.translation import gettext as _

from campaigns.offers.documents import PublishedDocument
from campaigns.scorecards import affected, inputs
from campaigns.scorecards.evaluation import kind_of
from definitions.scorecards import ScorecardTerms
from definitions.scorecards.scoring import Scorer
from ratings.models import Evaluation, Series

MOST_SUBJECTS = 5
MOST_MISSED = 1_000
"""Official evaluations that the next tick makes up: it does so before anything else, each for all subjects."""
NO_BATCH = (0,)


def rehearse(document: PublishedDocument, *, at: datetime) -> None:
    """Run the queries of each version of the rules. Raises the error of one that fails, ValueError for too many."""
    terms = kind_of(document)
    _check_missed(document.row.code, terms, at)
    for number in range(len(terms.versions)):
        scorer = Scorer(terms, number)
        for subject in inputs.read(scorer, at=at, size=MOST_SUBJECTS).subjects:
            scorer.score(subject.inputs)
        affected.affected(scorer, at=at, batches=NO_BATCH)


def _check_missed(code: str, terms: ScorecardTerms, at: datetime) -> None:
    if terms.series.official is None:
        return
    done = Evaluation.objects.filter(scorecard=code, series=Series.OFFICIAL).count()
    due = sum(1 for _due in islice(terms.series.official.due(until=at), done + MOST_MISSED + 1))
    if due - done > MOST_MISSED:
        text = _("more than %(most)d official evaluations have been missed: write a later from")
        raise ValueError(text % {"most": MOST_MISSED})
