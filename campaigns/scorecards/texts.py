"""Texts of explanations of ratings, in the language in force: numbers with their units, bands, caps and gates."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from core.formatting import format_number, join_and
from definitions.scorecards import Part, ScorecardTerms
from definitions.scorecards.next_steps import NextStep
from definitions.scorecards.scoring import PartScore
from definitions.scorecards.sentences import describe_amount, part_name
from rules.measure_sentences import measure_name
from rules.sentences import describe


@dataclass(frozen=True)
class Line:
    """Item of a part: what was found and which band it reached, its points, and the cap or gate that took some away."""

    text: str
    points: Decimal
    note: str
    depth: int


def lines(score: PartScore, terms: ScorecardTerms, *, depth: int = 0) -> Iterator[Line]:
    """Yield the lines of the items of a part, or of the part itself where it has no items."""
    if not score.items and depth == 0:
        yield Line(found_text(score, terms), score.points, note(score, terms), 0)
    for item in score.items:
        yield Line(found_text(item, terms), item.points, note(item, terms), depth)
        yield from lines(item, terms, depth=depth + 1)


def found_text(score: PartScore, terms: ScorecardTerms) -> str:
    """Return what was found: `Conversion rate 6.20%, from 5%`."""
    part = score.part
    if score.found is None:
        return part_name(part, terms)
    words = {
        "name": number_name(part, terms),
        "found": describe_amount(part.measure, score.found),
        "bound": "",
        "n": "",
    }
    if part.times is not None:
        return _("%(name)s %(found)s × %(n)s") % {**words, "n": format_number(part.times)}
    if score.band is not None:
        band = part.bands[score.band]
        words["bound"] = describe_amount(part.measure, band.bound)
        text = (
            _("%(name)s %(found)s, from %(bound)s")
            if band.from_ is not None
            else _("%(name)s %(found)s, up to %(bound)s")
        )
        return text % words
    if score.required is not None:
        text = _("%(name)s %(found)s, %(bound)s asked for at this level")
        return text % {**words, "bound": describe_amount(part.measure, score.required)}
    return _("%(name)s %(found)s") % words


def number_name(part: Part, terms: ScorecardTerms) -> str:
    """Return the name of the number of a part, or of the part itself where it has none."""
    return measure_name(part.measure) if part.measure is not None else part_name(part, terms)


def note(score: PartScore, terms: ScorecardTerms) -> str:
    """Return why points are missing: conditions that do not hold, or the cap that was reached; else nothing."""
    if score.failed:
        return _("only with: %(which)s") % {"which": join_and(unmet(score, terms))}
    if score.is_capped and score.part.at_most is not None:
        words = {"n": format_number(score.raw), "most": format_number(score.part.at_most)}
        return _("%(n)s, of which at most %(most)s count") % words
    return ""


def unmet(score: PartScore, terms: ScorecardTerms) -> list[str]:
    """Return the conditions of a part that do not hold, as sentences."""
    return [describe(score.part.where[n], terms.row) for n in score.failed]


def step_text(step: NextStep, terms: ScorecardTerms) -> str:
    """Return what is to be done: `Trade volume: 57,620.00 USD more, up to 200,000.00 USD`."""
    part, words = step.item, {"name": number_name(step.item, terms), "missing": "", "target": ""}
    if step.target is None:
        return _("%(name)s: not there yet") % words
    words["target"] = describe_amount(part.measure, step.target)
    words["missing"] = describe_amount(part.measure, step.missing)
    if _falls(part):
        return _("%(name)s: no more than %(target)s, %(missing)s less") % words
    return _("%(name)s: %(target)s, %(missing)s more") % words


def _falls(part: Part) -> bool:
    return bool(part.bands) and part.bands[0].from_ is None
