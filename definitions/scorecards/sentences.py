"""Sentences of scorecards, in the language in force and made from the definition alone."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.formatting import format_number, join_and
from definitions.scorecards.parts import Band, Part
from rules.calendar_periods import CalendarPeriod, MonthFrom
from rules.measure_sentences import describe_measure, describe_number, explain_measure, measure_name
from rules.measures import Measure
from rules.period_sentences import describe_bound
from rules.sentences import describe as describe_condition

if TYPE_CHECKING:
    from definitions.scorecards.series import SeriesTerms
    from definitions.scorecards.terms import Rules, ScorecardTerms

CALENDARS = {
    "day": gettext_lazy("each day"),
    "week": gettext_lazy("each week"),
    "month": gettext_lazy("each month"),
    "year": gettext_lazy("each year"),
}
SERIES = {
    "official": gettext_lazy("Official ratings: evaluated %(when)s, in force %(force)s, from %(start)s."),
    "predicted": gettext_lazy("Predicted ratings: evaluated %(when)s, from %(start)s."),
}
LEVELS = {
    "lowest": gettext_lazy("The level is the lowest level of a part: %(levels)s."),
    "score": gettext_lazy("The level is that of the score: %(levels)s."),
}
SCORES = {
    "mean": gettext_lazy("The score is the mean of the points of the parts."),
    "sum": gettext_lazy("The score is the sum of the points of the parts."),
}


def describe(terms: "ScorecardTerms") -> list[str]:
    """Return a scorecard as sentences: its subjects, series, levels, and each part of each version of its rules."""
    conditions = [describe_condition(one, terms.row) for one in terms.conditions]
    which = join_and(conditions) if conditions else _("all")
    lines = [_("Rated: %(rows)s with: %(which)s.") % {"rows": terms.collection.label, "which": which}]
    lines += [_series(name, of_series) for name, of_series in terms.by_series.items()]
    shown = [
        _("%(level)s from %(n)s") % {"level": level, "n": format_number(level.from_ or 0)} for level in terms.levels[1:]
    ]
    levels = _("; ").join([*shown, _("else %(level)s") % {"level": terms.levels[0]}])
    lines += [str(LEVELS[terms.level]) % {"levels": levels}, str(SCORES[terms.score])]
    for rules in terms.versions:
        lines += _rules(rules, terms)
    return lines


def _series(name: str, terms: "SeriesTerms") -> str:
    in_force = describe_calendar(terms.in_force or terms.every)
    words = {"when": describe_calendar(terms.every), "force": in_force, "start": describe_bound(terms.from_)}
    return str(SERIES[name]) % words


def describe_calendar(calendar: CalendarPeriod | MonthFrom) -> str:
    """Return the parts of a calendar: each month."""
    if isinstance(calendar, MonthFrom):
        return _("each month from day %(n)d") % {"n": calendar.month_from}
    return str(CALENDARS[calendar.calendar])


def _rules(rules: "Rules", terms: "ScorecardTerms") -> Iterator[str]:
    if rules.from_ is not None:
        yield _("From %(start)s on:") % {"start": describe_bound(rules.from_)}
    for part in rules.parts:
        yield from _lines(part, terms, depth=0)


def _lines(part: Part, terms: "ScorecardTerms", *, depth: int) -> Iterator[str]:
    indent = "– " * depth
    yield indent + describe_part(part, terms)
    for item in part.add:
        yield from _lines(item, terms, depth=depth + 1)


def describe_part(part: Part, terms: "ScorecardTerms") -> str:
    """Return a part: its name, how it gives points, its cap and its gate."""
    text = _("%(name)s: %(points)s") % {"name": part_name(part, terms), "points": _points(part, terms)}
    if part.at_most is not None:
        text += _("; at most %(n)s in all") % {"n": format_number(part.at_most)}
    if part.where:
        which = join_and(describe_condition(one, terms.row) for one in part.where)
        text += _("; only with: %(which)s") % {"which": which}
    return text


def part_name(part: Part, terms: "ScorecardTerms") -> str:
    """Return the name of a part: its own, or that of its number."""
    if part.names is not None:
        return str(part.names)
    if part.measure is not None:
        return measure_name(part.measure)
    return str(terms.row.fact(part.fact).label) if part.fact is not None else part.name.replace("_", " ")


def _points(part: Part, terms: "ScorecardTerms") -> str:
    named = part.names is None and part.measure is not None
    of = (explain_measure if named else describe_measure)(part.measure) if part.measure else ""
    if part.fact is not None:
        of = str(terms.row.fact(part.fact).label)
    if part.add:
        return _("the sum of its items")
    if part.bands:
        bands = _("; ").join(describe_band(band, part.measure) for band in part.bands)
        return _("%(number)s: %(bands)s") % {"number": of, "bands": bands}
    if part.times is not None:
        return _("%(number)s times %(n)s") % {"number": of, "n": format_number(part.times)}
    points = _("%(n)s points") % {"n": format_number(part.points or 0)}
    if not part.at_least_by_level:
        return points
    bounds = [
        _("level %(level)s: %(n)s") % {"level": level, "n": describe_amount(part.measure, bound)}
        for level, bound in part.at_least_by_level.items()
    ]
    words = {"points": points, "number": of, "bounds": _("; ").join(bounds)}
    return _("%(points)s where %(number)s reaches, by level without them: %(bounds)s") % words


def describe_band(band: Band, measure: Measure | None) -> str:
    """Return a band: 60 points from 10.00."""
    words = {"bound": describe_amount(measure, band.bound), "n": format_number(band.points)}
    return (_("%(n)s points from %(bound)s") if band.from_ is not None else _("%(n)s points up to %(bound)s")) % words


def describe_amount(measure: Measure | None, number: object) -> str:
    """Return a number with the unit of its measure."""
    return describe_number(measure, number) if measure is not None else format_number(number)
