"""Ratings of the merchant: level and points, what brings the next level, what-if, and history."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from urllib.parse import urlencode

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from campaigns.scorecards import explanations, texts
from campaigns.scorecards.explanations import MerchantRatings, RatingExplanation
from core import clock
from dashboard.rendering import render_page
from definitions.scorecards.next_steps import NextStep
from definitions.scorecards.scoring import PartScore
from definitions.scorecards.sentences import part_name
from merchants.access import MemberRequest, for_members
from ratings.models import Rating
from rules.measure_sentences import describe_number, measure_name

MOST_STEPS = 6
MOST_FIGURES = 4
"""Figures of what-if that are shown at once: those of the cheapest steps."""
SHOWN_HISTORY = 12
MOST_LENGTH = 20
PREFIX = "if-"


@dataclass(frozen=True)
class Card:
    """Part of a rating: its points and level, the lines of its items, and whether it holds the level down."""

    name: str
    points: Decimal
    most: Decimal | None
    level: object
    lines: list[texts.Line]
    holds: bool


@dataclass(frozen=True)
class Figure:
    """Number that a reader may change to see the rating it would give."""

    key: str
    label: str
    value: str
    now: str
    is_changed: bool


@dataclass(frozen=True)
class Page:
    """One scorecard on the page: the predicted rating is explained, or else the latest one."""

    ratings: MerchantRatings
    explained: RatingExplanation
    cards: list[Card]
    steps: list[dict[str, object]]
    figures: list[Figure]
    more_figures: list[Figure]
    trial: dict[str, object] | None
    history: list[Rating]

    @property
    def shows_more(self) -> bool:
        """A figure was changed that is not among the first: all are shown."""
        return any(figure.is_changed for figure in self.more_figures)


@require_GET
@for_members
def index(request: MemberRequest) -> HttpResponse:
    """Show the merchant's ratings by each scorecard."""
    at = clock.now()
    found = explanations.of_merchant(request.merchant.pk, at=at)
    pages = [_page(one, request) for one in found]
    return render_page(request, "dashboard/rating.html", at=at, current="rating", pages=pages)


def _page(ratings: MerchantRatings, request: MemberRequest) -> Page:
    rating = ratings.predicted or ratings.official or ratings.history[0]
    explained = explanations.explain(rating)
    trial = _trial(explained, request)
    figures = _figures(explained, request)
    shown = [key for key in _cheapest(explained.steps) or figures if key in figures][:MOST_FIGURES]
    first = [figures.pop(key) for key in shown]
    return Page(
        ratings,
        explained,
        list(_cards(explained)),
        [_step(explained, step) for step in explained.steps[:MOST_STEPS]],
        first,
        list(figures.values()),
        trial,
        ratings.history[:SHOWN_HISTORY],
    )


def _cards(explained: RatingExplanation) -> Iterator[Card]:
    """Yield the parts, those with the fewest points first."""
    scored, terms = explained.scored, explained.terms
    for score in sorted(scored.parts, key=lambda part: part.points):
        level = explained.scorer.level_of(score.points)
        yield Card(
            part_name(score.part, terms),
            score.points,
            score.part.most,
            terms.levels[level] if terms.level == "lowest" else "",
            list(texts.lines(score, terms)),
            terms.level == "lowest" and level == scored.level and level + 1 < len(terms.levels),
        )


def _step(explained: RatingExplanation, step: NextStep) -> dict[str, object]:
    return {
        "text": texts.step_text(step, explained.terms),
        "part": part_name(step.of, explained.terms),
        "gain": step.gain,
        "reaches": step.reaches,
        "query": urlencode({_key(step): step.target}) if _key(step) and step.target is not None else "",
    }


def _key(step: NextStep) -> str:
    """Return the name of the figure that a step changes, empty for one that is no measure."""
    return PREFIX + step.item.measure.name if step.item.measure is not None else ""


def _cheapest(steps: Sequence[NextStep]) -> list[str]:
    """Return the names of the figures that the steps change, each once, cheapest first."""
    return list(dict.fromkeys(filter(None, map(_key, steps))))


def _figures(explained: RatingExplanation, request: MemberRequest) -> dict[str, Figure]:
    """Return the measures on which points rest, by the names of their fields."""
    found = {}
    for name, measure in explained.scorer.measures.items():
        if measure not in explained.terms.metrics:
            number, key = explained.inputs.metrics[name], PREFIX + name
            as_text = format(number, "f")
            value = request.GET.get(key, as_text)[:MOST_LENGTH]
            found[key] = Figure(key, measure_name(measure), value, describe_number(measure, number), value != as_text)
    return found


def _trial(explained: RatingExplanation, request: MemberRequest) -> dict[str, object] | None:
    """Return the rating that changed numbers would give, None where none was changed."""
    numbers = dict(_changed(explained, request))
    if not numbers:
        return None
    after = explained.what_if(numbers)
    before = explained.scored
    changes = [
        (part_name(one.part, explained.terms), one.points, other.points)
        for one, other in zip(before.parts, after.parts, strict=True)
        if one.points != other.points
    ]
    level = explained.terms.levels[after.level]
    lowest = min(after.parts, key=_points)
    return {
        "level": level,
        "changes": changes,
        "score": (before.score, after.score),
        "lowest": (part_name(lowest.part, explained.terms), lowest.points),
    }


def _points(score: PartScore) -> Decimal:
    return score.points


def _changed(explained: RatingExplanation, request: MemberRequest) -> Iterator[tuple[str, Decimal]]:
    """Yield the numbers in the address that differ from those found. What is no number is left out."""
    for name, number in explained.inputs.metrics.items():
        text = request.GET.get(PREFIX + name, "").replace(",", "").strip()[:MOST_LENGTH]
        try:
            changed = Decimal(text)
        except InvalidOperation:
            continue
        if changed.is_finite() and 0 <= changed < 10**12 and changed != number:
            yield name, changed.quantize(Decimal("0.01"))
