"""Ratings of merchants: points with the numbers behind them, the next bands, gates, caps, and next steps."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from api.serializers.fields import Base, instant, plain_value
from api.serializers.pages import PageSerializer
from campaigns.eligibility.requirements import unit_of
from campaigns.scorecards import explanations, texts
from campaigns.scorecards.explanations import MerchantRatings, RatingExplanation
from definitions.scorecards import Part, ScorecardTerms
from definitions.scorecards.next_steps import NextStep
from definitions.scorecards.parts import Band
from definitions.scorecards.scoring import PartScore
from definitions.scorecards.sentences import part_name
from ratings.models import Rating, Series

NUMBER = "Text, with two decimals."


class RatingPointsSerializer(Base):
    """Points of a part of a rating."""

    code = serializers.CharField()
    points = serializers.CharField(help_text=NUMBER)


class OneRatingSerializer(Base):
    """Rating. It holds from `starts_at` until before `ends_at`."""

    scorecard = serializers.CharField()
    series = serializers.ChoiceField(choices=Series.values)
    period = serializers.CharField()
    level = serializers.CharField()
    score = serializers.CharField(help_text=NUMBER)
    evaluated_at = instant()
    starts_at = instant()
    ends_at = instant()
    version = serializers.IntegerField(help_text="Version of the scorecard that rated.")


class PlainRatingSerializer(OneRatingSerializer):
    """Rating with the points of its parts."""

    parts = RatingPointsSerializer(many=True)


class PointBandSerializer(Base):
    """Band of a number: it begins at `bound` where `direction` is `from`, or ends there where it is `to`."""

    direction = serializers.ChoiceField(choices=("from", "to"))
    bound = serializers.CharField(help_text=NUMBER)
    points = serializers.CharField(help_text=NUMBER)


class NextPointBandSerializer(PointBandSerializer):
    """Next better band, and how far the number is from it."""

    missing = serializers.CharField(help_text=NUMBER)


class RatingItemSerializer(Base):
    """Points of an item, and the reasons for them."""

    code = serializers.CharField()
    name = serializers.CharField()
    depth = serializers.IntegerField(help_text="0 for a part, 1 for its items, 2 for items of these.")
    points = serializers.CharField(help_text=NUMBER)
    before_limits = serializers.CharField(help_text="Points before the cap and the conditions.")
    at_most = serializers.CharField(allow_null=True, help_text="Cap of the points; null without one.")
    capped = serializers.BooleanField(help_text="Whether the cap took points away.")
    unmet = serializers.ListField(
        child=serializers.CharField(), help_text="Conditions that do not hold, as sentences: with any, no points."
    )
    found = serializers.CharField(allow_null=True, help_text="Number on which the points rest; null without one.")
    unit = serializers.CharField(
        allow_null=True, help_text="A currency, `%`, or the name of the rows that are counted."
    )
    band = PointBandSerializer(allow_null=True, help_text="Band that the number reached.")
    next_band = NextPointBandSerializer(allow_null=True)
    asked = serializers.CharField(allow_null=True, help_text="Number that fixed points ask for at the present level.")
    text = serializers.CharField()


class RatingPartSerializer(RatingItemSerializer):
    """Part of a rating with its items, at any depth, each after the one that contains it."""

    level = serializers.CharField(allow_null=True, help_text="Level of the points, where the lowest part decides.")
    items = RatingItemSerializer(many=True)


class RatingStepSerializer(Base):
    """Change of one number, or of an answer, that brings points."""

    part = serializers.CharField()
    item = serializers.CharField()
    found = serializers.CharField(allow_null=True)
    target = serializers.CharField(allow_null=True, help_text="Null for an answer.")
    missing = serializers.CharField(allow_null=True)
    unit = serializers.CharField(allow_null=True)
    gain = serializers.CharField(help_text="Points that the part gets more.")
    reaches = serializers.BooleanField(help_text="Whether this alone brings the next level of the part, or the score.")
    certain = serializers.BooleanField(help_text="Whether it is in the hands of the merchant alone.")
    text = serializers.CharField()


class ExplainedRatingSerializer(OneRatingSerializer):
    """Rating with each point explained, and what brings the next level, cheapest first."""

    level_name = serializers.CharField()
    parts = RatingPartSerializer(many=True)
    next_steps = RatingStepSerializer(many=True)


class MerchantRatingsSerializer(Base):
    """Ratings of a merchant by one scorecard."""

    scorecard = serializers.CharField()
    name = serializers.CharField()
    official = ExplainedRatingSerializer(allow_null=True, help_text="The official rating in force; null without one.")
    predicted = ExplainedRatingSerializer(allow_null=True, help_text="The latest predicted rating; null without one.")
    history = PlainRatingSerializer(many=True, help_text="Ratings that are kept, newest first.")

    def to_representation(self, instance: MerchantRatings) -> dict[str, Any]:
        """Return the ratings; the two that count are explained."""
        return {
            "scorecard": instance.document.code,
            "name": str(instance.document.name),
            "official": instance.official and _explained(explanations.explain(instance.official)),
            "predicted": instance.predicted and _explained(explanations.explain(instance.predicted)),
            "history": [_plain(rating) for rating in instance.history],
        }


class RatingPageSerializer(PageSerializer):
    results = MerchantRatingsSerializer(many=True)


def _plain(rating: Rating) -> dict[str, Any]:
    names = "scorecard series period level score evaluated_at starts_at ends_at version".split()
    values = {name: plain_value(getattr(rating, name)) for name in names}
    return {**values, "parts": [{"code": code, "points": points} for code, points in rating.parts.items()]}


def _explained(explained: RatingExplanation) -> dict[str, Any]:
    scored, terms = explained.scored, explained.terms
    return {
        **_plain(explained.rating),
        "level_name": str(terms.levels[scored.level]),
        "parts": [_part(score, explained) for score in scored.parts],
        "next_steps": [_step(step, terms) for step in explained.steps],
    }


def _part(score: PartScore, explained: RatingExplanation) -> dict[str, Any]:
    terms = explained.terms
    by_part = terms.level == "lowest"
    level = terms.levels[explained.scorer.level_of(score.points)].level if by_part else None
    return {**_item(score, terms, 0), "level": level, "items": list(_items(score, terms, 1))}


def _items(score: PartScore, terms: ScorecardTerms, depth: int) -> Iterator[dict[str, Any]]:
    for item in score.items:
        yield _item(item, terms, depth)
        yield from _items(item, terms, depth + 1)


def _item(score: PartScore, terms: ScorecardTerms, depth: int) -> dict[str, Any]:
    part = score.part
    note = texts.note(score, terms)
    return {
        "code": part.name,
        "name": part_name(part, terms),
        "depth": depth,
        "points": plain_value(score.points),
        "before_limits": plain_value(score.raw),
        "at_most": plain_value(part.at_most),
        "capped": score.is_capped,
        "unmet": texts.unmet(score, terms),
        "found": plain_value(score.found),
        "unit": _unit(part, terms),
        "band": None if score.band is None else _band(part.bands[score.band]),
        "next_band": _next_band(score),
        "asked": plain_value(score.required),
        "text": _("; ").join(filter(None, (texts.found_text(score, terms), note))),
    }


def _unit(part: Part, terms: ScorecardTerms) -> str | None:
    if part.measure is not None:
        return unit_of(part.measure)
    return (terms.row.fact(part.fact).currency or None) if part.fact is not None else None


def _band(band: Band) -> dict[str, Any]:
    direction = "to" if band.from_ is None else "from"
    return {"direction": direction, "bound": plain_value(band.bound), "points": plain_value(band.points)}


def _next_band(score: PartScore) -> dict[str, Any] | None:
    band = next(score.further_bands(), None)
    if band is None:
        return None
    return {**_band(band), "missing": plain_value(abs(band.bound - (score.found or 0)))}


def _step(step: NextStep, terms: ScorecardTerms) -> dict[str, Any]:
    return {
        "part": step.of.name,
        "item": step.item.name,
        "found": plain_value(step.found),
        "target": plain_value(step.target),
        "missing": plain_value(step.missing),
        "unit": _unit(step.item, terms),
        "gain": plain_value(step.gain),
        "reaches": step.reaches,
        "certain": step.item.certain,
        "text": texts.step_text(step, terms),
    }
