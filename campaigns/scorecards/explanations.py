"""Explanations of ratings: each point with the number behind it, the band reached, the next one, gates and caps."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from campaigns.models import Document, DocumentVersion
from campaigns.offers.documents import terms_of
from definitions.scorecards import ScorecardTerms
from definitions.scorecards.next_steps import NextStep, next_steps
from definitions.scorecards.scoring import Inputs, Scored, Scorer
from ratings.models import Evaluation, Rating, Series


@dataclass(frozen=True)
class RatingExplanation:
    """Rating with the rules and inputs from which it follows."""

    rating: Rating
    scorer: Scorer
    inputs: Inputs

    @property
    def terms(self) -> ScorecardTerms:
        """Return the terms of the scorecard that rated."""
        return self.scorer.terms

    @cached_property
    def scored(self) -> Scored:
        """Return the points, computed again from the inputs."""
        return self.scorer.score(self.inputs)

    @cached_property
    def steps(self) -> list[NextStep]:
        """Return what brings the next level, cheapest first."""
        return next_steps(self.scorer, self.inputs)

    def what_if(self, numbers: Mapping[str, Decimal]) -> Scored:
        """Return the points with other numbers for some metrics or facts, by name. Unknown names change nothing."""
        metrics = {name: numbers.get(name, number) for name, number in self.inputs.metrics.items()}
        facts = {name: numbers.get(name, number) for name, number in self.inputs.facts.items()}
        return self.scorer.score(replace(self.inputs, metrics=metrics, facts=facts))


def explain(rating: Rating) -> RatingExplanation:
    """Return the explanation of a rating, by the version of the scorecard that made it."""
    version = DocumentVersion.objects.select_related("document").defer("definition")
    terms = terms_of(version.get(document__code=rating.scorecard, number=rating.version))
    assert isinstance(terms, ScorecardTerms)
    scorer = Scorer(terms, terms.rules_number(rating.evaluated_at))
    return RatingExplanation(rating, scorer, inputs_of(rating))


def inputs_of(rating: Rating) -> Inputs:
    """Return the inputs that a rating keeps."""
    metrics = {name: Decimal(number) for name, number in rating.metrics.items()}
    facts = {name: None if number is None else Decimal(number) for name, number in rating.inputs["facts"].items()}
    return Inputs(metrics, facts, [one == "1" for one in rating.inputs["met"]])


@dataclass(frozen=True)
class MerchantRatings:
    """Ratings of a merchant by one scorecard: the official one in force, the latest predicted one, and the others."""

    document: Document
    official: Rating | None
    predicted: Rating | None
    history: list[Rating]


def of_merchant(merchant: str, *, at: datetime) -> list[MerchantRatings]:
    """Return the ratings of a merchant, by scorecard, as they are known at an instant: official ones from their start.

    The history has the newest first: every official rating, and the predicted ones that are kept.
    """
    rows = Rating.objects.filter(subject_kind="merchant", subject=merchant, starts_at__lte=at).order_by("-evaluated_at")
    by_scorecard: dict[str, list[Rating]] = {}
    for rating in rows:
        by_scorecard.setdefault(rating.scorecard, []).append(rating)
    documents = {row.code: row for row in Document.objects.filter(code__in=by_scorecard)}
    return [
        MerchantRatings(documents[code], _in_force(ratings, at), _latest_predicted(code, ratings, at), ratings)
        for code, ratings in sorted(by_scorecard.items())
        if code in documents
    ]


def _in_force(ratings: list[Rating], at: datetime) -> Rating | None:
    official = (one for one in ratings if one.series == Series.OFFICIAL)
    return next((one for one in official if one.starts_at <= at < one.ends_at), None)


def _latest_predicted(code: str, ratings: list[Rating], at: datetime) -> Rating | None:
    """Return the rating of the latest predicted evaluation; one that left out the merchant has none."""
    done = Evaluation.objects.filter(scorecard=code, series=Series.PREDICTED, finished=True, evaluated_at__lte=at)
    latest = done.order_by("-evaluated_at").values_list("period", flat=True).first()
    return next((one for one in ratings if one.series == Series.PREDICTED and one.period == latest), None)
