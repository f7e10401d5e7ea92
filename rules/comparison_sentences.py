"""Sentences of comparisons, facts and windows, in the language in force and made from the definition alone."""

from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.facts import REFERENCE_LISTS, Fact
from core.formatting import format_instant, format_money, format_number, join_or
from rules import operators
from rules.base import ValueList
from rules.calendar_periods import CalendarPeriod, MonthFrom
from rules.comparisons import Comparison
from rules.period_sentences import describe_bound, describe_event, describe_period
from rules.query_row import QueryRow
from rules.time_windows import Bound

MOST_VALUES = 8


def describe_choice(fact: Fact, raw: str, values: ValueList | None = None) -> str:
    """Return the label of a value."""
    if values is not None and raw in values.labels:
        return str(values.labels[raw])
    return fact.value_name(raw)


def describe_list(fact: Fact, several: ValueList) -> str:
    """Return the name of a list, or its first values if it has none."""
    if several.names is not None:
        return str(several.names)
    shown = [describe_choice(fact, raw, several) for raw in several.values[:MOST_VALUES]]
    rest = len(several.values) - len(shown)
    return join_or([*shown, ngettext("%(n)d more", "%(n)d more", rest) % {"n": rest}] if rest else shown)


def describe_comparison(condition: Comparison, row: QueryRow) -> str:
    """Return a comparison as a sentence without a full stop."""
    fact = row.fact(condition.fact)
    words = {"fact": describe_event(fact) if fact.kind == "instant" else str(fact.label), "value": ""}
    if fact.kind == "flag":
        yes = operators.FLAGS[str(condition.operand)]
        if fact.stated is not None:
            return str(fact.stated[0 if yes else 1])
        return (_("%(fact)s: yes") if yes else _("%(fact)s: no")) % words
    if condition.empty is not None:
        return (_("%(fact)s is empty") if condition.empty else _("%(fact)s is not empty")) % words
    if condition.operator.name == "happened":
        return words["fact"] if condition.operand else _("not %(fact)s") % words
    text = SENTENCES[_one_value(condition.operand).get(condition.operator.name, condition.operator.name)]
    return str(text) % {**words, "value": _operand(condition, fact, row)}


def _one_value(operand: object) -> dict[str, str]:
    """Return the plainer operators for a list of one value without a name: it only gives the value its label."""
    plain = isinstance(operand, ValueList) and operand.names is None and len(operand.values) == 1
    return {"in_": "is_", "not_in": "is_not"} if plain else {}


def describe_fact(fact: Fact, raw: object, *, currency: str = "") -> str:
    """Return the value of a fact, instants on the clock in force. `currency`: of amounts whose fact has none."""
    match raw:
        case bool():
            return _("yes") if raw else _("no")
        case datetime():
            return format_instant(raw, timezone.get_current_timezone_name())
        case Decimal() if fact.kind == "number":
            return format_number(raw)
        case Decimal():
            return format_money(raw, fact.currency or currency)
        case _:
            return describe_choice(fact, str(raw))


SENTENCES = {
    "is_": gettext_lazy("%(fact)s is %(value)s"),
    "is_not": gettext_lazy("%(fact)s is not %(value)s"),
    "in_": gettext_lazy("%(fact)s is one of: %(value)s"),
    "not_in": gettext_lazy("%(fact)s is none of: %(value)s"),
    "in_reference": gettext_lazy("%(fact)s is in the list %(value)s"),
    "not_in_reference": gettext_lazy("%(fact)s is not in the list %(value)s"),
    "at_least": gettext_lazy("%(fact)s is at least %(value)s"),
    "more_than": gettext_lazy("%(fact)s is more than %(value)s"),
    "at_most": gettext_lazy("%(fact)s is at most %(value)s"),
    "less_than": gettext_lazy("%(fact)s is less than %(value)s"),
    "within": gettext_lazy("%(fact)s %(value)s"),
    "from_": gettext_lazy("%(fact)s no earlier than %(value)s"),
    "by": gettext_lazy("%(fact)s no later than %(value)s"),
    "not_before": gettext_lazy("%(fact)s on or after %(value)s"),
    "within_hours": gettext_lazy("%(fact)s in the %(value)s before the claim"),
}


def _operand(condition: Comparison, fact: Fact, row: QueryRow) -> str:  # noqa: PLR0911  one return for each kind of value
    if condition.operator.name in ("in_reference", "not_in_reference"):
        return str(REFERENCE_LISTS.get(str(condition.operand), condition.operand))
    if condition.other_fact:
        return describe_event(row.fact(condition.other_fact))
    if condition.within is not None:
        period = describe_period(condition.within, row)
        is_of_claim = isinstance(condition.within, CalendarPeriod | MonthFrom)
        return _("%(period)s as the claim") % {"period": period} if is_of_claim else period
    match condition.operand:
        case Bound() as operand:
            return describe_bound(operand)
        case ValueList() as operand:
            return describe_list(fact, operand)
        case Decimal() as operand:
            return (
                format_money(operand, fact.currency or row.currency) if fact.kind == "money" else format_number(operand)
            )
        case "claim":
            return _("the time of the claim")
        case int() as operand:
            return _describe_hours(operand)
        case operand:
            return describe_choice(fact, str(operand))


def _describe_hours(hours: int) -> str:
    """Return a length of time in hours, or in days where it is a whole number of several."""
    days, rest = divmod(hours, 24)
    if rest == 0 and days > 1:
        return ngettext("%(n)s day", "%(n)s days", days) % {"n": format_number(days)}
    return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": format_number(hours)}
