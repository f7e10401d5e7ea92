"""Sentences of conditions, values and windows, in the language in force and made from the definition alone."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Model
from django.utils.translation import gettext as _

from core.facts import COLLECTIONS, Collection, Label
from core.formatting import format_number, join_and, join_or
from rules.base import ValueList
from rules.comparison_sentences import (
    MOST_VALUES,
    describe_choice,
    describe_comparison,
    describe_fact,
    describe_list,
)
from rules.conditions import AnyOf, Comparison, Condition, Counting, InForce, Rated
from rules.measure_sentences import describe_measured, describe_number
from rules.measured import Measured
from rules.period_sentences import describe_bound, describe_event, describe_window
from rules.query_row import QueryRow
from rules.rated_sentences import describe_rated, describe_rating_value

__all__ = [
    "describe",
    "describe_bound",
    "describe_choice",
    "describe_comparison",
    "describe_event",
    "describe_fact",
    "describe_found",
    "describe_known_facts",
    "describe_list",
    "describe_window",
    "list_values",
]


def describe(condition: Condition, row: QueryRow) -> str:
    """Return a condition as a sentence without a full stop."""
    match condition:
        case Comparison():
            return describe_comparison(condition, row)
        case InForce():
            return _in_force(condition, row)
        case Counting():
            return _counting(condition, row)
        case AnyOf(any=several):
            return _either([describe(part, row) for part in several])
        case Measured():
            return describe_measured(condition)
        case Rated():
            return describe_rated(condition)


def describe_found(condition: Condition, row: QueryRow, raw: object, *, currency: str = "") -> str:
    """Return the value that a condition found, instants on the clock in force.

    `currency` is that of the row, for amounts whose fact has none.
    """
    if raw is None or raw == "":
        return "–"
    match condition:
        case AnyOf(any=several):
            return describe_found(several[-1], row, raw, currency=currency)
        case InForce(state=state):
            return str(dict(state.choices).get(str(raw), raw))
        case Comparison(operand=ValueList() as values):
            return describe_choice(row.fact(condition.fact), str(raw), values)
        case Comparison() if row.fact(condition.fact).kind != "number":
            return describe_fact(row.fact(condition.fact), raw, currency=currency)
    return describe_number(condition.measure, raw) if isinstance(condition, Measured) else describe_rating_value(raw)


NamedValues = tuple[str, list[str]]
"""Name of a list, and the names of its values."""


def list_values(condition: Condition, row: QueryRow) -> Iterator[NamedValues]:
    """Yield each list of which the sentence of a condition gives the name, or the first values alone."""
    match condition:
        case Comparison(operand=ValueList() as several):
            if len(several.values) > (1 if several.names is not None else MOST_VALUES):
                fact = row.fact(condition.fact)
                name = several.names or _("All %(n)s values") % {"n": format_number(len(several.values))}
                yield str(name), [describe_choice(fact, raw, several) for raw in several.values]
        case AnyOf(any=parts):
            for part in parts:
                yield from list_values(part, row)
        case Counting(where=parts):
            for part in parts:
                yield from list_values(part, row.beside(COLLECTIONS[condition.count]))


def describe_known_facts(collection: Collection, row: Model, *, at: datetime) -> Iterator[tuple[Label, str]]:
    """Yield label and text of every fact of a row known by `at`; later events are left out."""
    for fact in collection.facts.values():
        raw = getattr(row, fact.name, None)
        if raw not in (None, "") and not (isinstance(raw, datetime) and raw > at):
            yield fact.label, describe_fact(fact, raw, currency=getattr(row, "currency", ""))


def _either(parts: list[str]) -> str:
    """Return alternatives: `either a, or b`."""
    *most, final = parts
    if not most:
        return final
    return _("either %(most)s, or %(final)s") % {"most": _("; ").join(most), "final": final}


def _in_force(condition: InForce, row: QueryRow) -> str:
    state = condition.state
    kinds = dict(state.choices)
    words = {
        "state": str(state.label),
        "kinds": join_or(str(kinds[kind]) for kind in condition.of),
        "at": describe_event(row.fact(condition.at)) if condition.at else "",
    }
    if condition.is_barring:
        return _("no %(state)s") % words
    if condition.at:
        text = (
            _("%(state)s (%(kinds)s) in force when %(at)s")
            if condition.in_force
            else _("no %(state)s (%(kinds)s) in force when %(at)s")
        )
    else:
        text = _("%(state)s (%(kinds)s) in force") if condition.in_force else _("no %(state)s (%(kinds)s) in force")
    return text % words


def _counting(condition: Counting, row: QueryRow) -> str:
    collection = COLLECTIONS[condition.count]
    which = join_and(describe_comparison(part, row.beside(collection)) for part in condition.where)
    words = {"n": condition.at_least or condition.at_most, "rows": str(collection.label), "which": which}
    if condition.at_most == 0:
        return _("no %(rows)s with: %(which)s") % words
    text = (
        _("at least %(n)d %(rows)s with: %(which)s")
        if condition.at_least
        else _("at most %(n)d %(rows)s with: %(which)s")
    )
    return text % words
