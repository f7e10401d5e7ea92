"""Conditions on ratings against the scorecards of their campaign: levels and metrics that these do not have."""

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from definitions.scorecards import ScorecardTerms
from definitions.scorecards.scoring import Scorer
from rules.base import DefinitionModel, ValueList
from rules.errors import ErrorCollector, UnknownWordError
from rules.rated import LEVEL, SCORE, Rated

Path = tuple[str | int, ...]


def check_ratings(scorecards: Iterable[ScorecardTerms], parts: DefinitionModel, errors: ErrorCollector) -> None:
    """Collect an error at each condition in `parts` on a level or a metric that its scorecard does not have.

    That there is such a scorecard was checked where the condition was read.
    """
    known = {one.code: one for one in scorecards}
    for place, condition in rated_in(parts):
        if condition.rating in known:
            _check(condition, known[condition.rating], errors, place)


def _check(condition: Rated, scorecard: ScorecardTerms, errors: ErrorCollector, place: Path) -> None:
    metrics = {name for n in range(len(scorecard.versions)) for name in Scorer(scorecard, n).measures}
    with errors.at(*place, "of"):
        if condition.of not in (known := (LEVEL, SCORE, *sorted(metrics))):
            message = _("%(scorecard)s has no number %(word)r") % {"scorecard": scorecard.code, "word": condition.of}
            raise UnknownWordError(message, word=condition.of, known=known)
    levels = [level.level for level in scorecard.levels]
    word = condition.operator.word
    for n, value in _levels(condition):
        with errors.at(*place, word, *n):
            if value not in levels:
                message = _("%(scorecard)s has no level %(word)r") % {"scorecard": scorecard.code, "word": value}
                raise UnknownWordError(message, word=value, known=levels)


def _levels(condition: Rated) -> Iterator[tuple[Path, str]]:
    """Yield the levels that a condition names as words, each with its place below the operator."""
    operand = condition.operand
    if isinstance(operand, ValueList):
        yield from (((n,), value) for n, value in enumerate(operand.values))
    elif isinstance(operand, str):
        yield (), operand


def rated_in(part: object, place: Path = ()) -> Iterator[tuple[Path, Rated]]:
    """Yield every condition on a rating in a part of a definition, with its place."""
    if isinstance(part, Rated):
        yield place, part
    elif isinstance(part, DefinitionModel):
        for name, field in type(part).model_fields.items():
            yield from rated_in(getattr(part, name), (*place, field.alias or name))
    elif isinstance(part, tuple):
        for n, one in enumerate(part):
            yield from rated_in(one, (*place, n))
