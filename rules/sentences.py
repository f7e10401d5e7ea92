"""The third reading of a condition: a plain sentence, in the language in force, made from the definition alone."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import format_decimal
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext_lazy
from django.utils.translation import gettext as _

from rules import operators
from rules.base import ValueList
from rules.conditions import AnyOf, Comparison, Condition, Counting, InForce, Row
from rules.facts import COLLECTIONS, Fact
from rules.time_windows import Bound, Window

CITIES = {
    "America/Los_Angeles": gettext_lazy("Los Angeles"),
    "Asia/Shanghai": gettext_lazy("Beijing"),
    "UTC": gettext_lazy("UTC"),
}
MOST_VALUES = 8


def locale() -> str:
    """The locale that Babel formats in, from the language in force."""
    return "zh_Hans_CN" if (get_language() or "").startswith("zh") else "en_US"


def money(amount: Decimal | int, currency: str) -> str:
    """`1,000.00 CNY`: grouped, two decimals, the currency's code always there."""
    return f"{format_decimal(amount, '#,##0.00', locale=locale())} {currency}".strip()


def time(at: datetime, zone: str) -> str:
    """An instant on one clock, to the second, with its city."""
    text = format_datetime(at, _("d MMMM y HH:mm:ss"), tzinfo=ZoneInfo(zone), locale=locale())
    return _("%(time)s %(city)s") % {"time": text, "city": CITIES.get(zone, zone)}


def clocks(at: datetime) -> str:
    """An instant on the clock in force and, in brackets, on the other of the two that a marketplace lives by."""
    here = timezone.get_current_timezone_name()
    other = "America/Los_Angeles" if here == "Asia/Shanghai" else "Asia/Shanghai"
    return f"{time(at, here)} ({time(at, other)})"


def bound(value: Bound) -> str:
    """A bound on its own clock and, where it names a twin, on the other clock as that really shows it."""
    text = time(value.instant, value.zone)
    return f"{text} ({time(value.instant, value.twin.zone)})" if value.twin else text


def window(value: Window) -> str:
    """From one bound to the other."""
    return _("from %(start)s to %(end)s") % {"start": bound(value.from_), "end": bound(value.to)}


def join(parts: Iterable[str], *, last: str) -> str:
    """`a, b or c`."""
    *most, final = parts
    return last % {"most": _(", ").join(most), "final": final} if most else final


def either(parts: Iterable[str]) -> str:
    """`a, b or c`."""
    return join(parts, last=_("%(most)s or %(final)s"))


def both(parts: Iterable[str]) -> str:
    """`a, b and c`."""
    return join(parts, last=_("%(most)s and %(final)s"))


def value(fact: Fact, raw: str, values: ValueList | None = None) -> str:
    """A value as people call it."""
    if values is not None and raw in values.labels:
        return str(values.labels[raw])
    return str(dict(fact.choices).get(raw, raw))


def values(fact: Fact, several: ValueList) -> str:
    """The name of a list where it has one, its values where they are few."""
    if several.names is not None:
        return str(several.names)
    shown = [value(fact, raw, several) for raw in several.values[:MOST_VALUES]]
    rest = len(several.values) - len(shown)
    return either([*shown, ngettext("%(n)d more", "%(n)d more", rest) % {"n": rest}] if rest else shown)


def describe(condition: Condition, row: Row) -> str:
    """The condition as a sentence without a full stop."""
    match condition:
        case Comparison():
            return comparison(condition, row)
        case InForce():
            return _in_force(condition, row)
        case Counting():
            return _counting(condition)
        case AnyOf(any=several):
            return either(describe(one, row) for one in several)


def comparison(condition: Comparison, row: Row) -> str:
    """A fact, an operator, a value as a sentence."""
    fact = row.kind(condition.fact)
    words = {"fact": event(fact) if fact.kind == "instant" else str(fact.label), "value": ""}
    if fact.kind == "flag":
        yes = operators.FLAGS[str(condition.operand)]
        return (_("%(fact)s: yes") if yes else _("%(fact)s: no")) % words
    if condition.operator.name == "happened":
        return words["fact"] if condition.operand else _("not %(fact)s") % words
    return str(SENTENCES[condition.operator.name]) % {**words, "value": _operand(condition, fact)}


def number(n: object) -> str:
    """`1,000`."""
    return format_decimal(n, locale=locale())  # type: ignore[arg-type]  # any number


def found(condition: Condition, row: Row, raw: object, *, currency: str = "") -> str:
    """What was found where the condition looks, as people call it; instants on the clock in force.

    `currency` is the row's own, for amounts whose fact names none.
    """
    if raw is None or raw == "":
        return _("nothing")
    match condition:
        case AnyOf(any=several):
            return found(several[-1], row, raw, currency=currency)
        case InForce(state=state):
            return str(dict(state.choices).get(str(raw), raw))
        case Comparison() if row.kind(condition.fact).kind != "number":
            return fact(row.kind(condition.fact), raw, currency=currency)
        case _:
            return number(raw)


def fact(fact: Fact, raw: object, *, currency: str = "") -> str:
    """The value of a fact in words; instants on the clock in force. `currency`: of amounts whose fact names none."""
    match raw:
        case bool():
            return _("yes") if raw else _("no")
        case datetime():
            return time(raw, timezone.get_current_timezone_name())
        case Decimal():
            return money(raw, fact.currency or currency)
        case _:
            return value(fact, str(raw))


# What happened, for sentences; a fact's label names its column.
EVENTS = {
    "placed_at": gettext_lazy("placed"),
    "paid_at": gettext_lazy("paid"),
    "shipped_at": gettext_lazy("shipped"),
    "departed_at": gettext_lazy("departed"),
    "cancelled_at": gettext_lazy("cancelled"),
    "drafted_at": gettext_lazy("drafted"),
    "buyer_confirmed_at": gettext_lazy("confirmed by the buyer"),
    "first_payment_at": gettext_lazy("first payment booked"),
    "customs_cleared_at": gettext_lazy("cleared by customs"),
    "port_data_at": gettext_lazy("port data received"),
    "completed_at": gettext_lazy("completed"),
    "abnormal_at": gettext_lazy("found abnormal"),
    "drawn_at": gettext_lazy("drawn"),
    "configured_at": gettext_lazy("configured"),
    "settlement": pgettext_lazy("event", "settled"),
    "fulfilment": gettext_lazy("fulfilled"),
}


def event(fact: Fact) -> str:
    """What happens at an instant fact, in words."""
    return str(EVENTS.get(fact.name, fact.label))


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
    "not_before": gettext_lazy("not %(fact)s before %(value)s"),
    "within_hours": gettext_lazy("%(fact)s in the %(value)s before the claim"),
}


def _operand(condition: Comparison, fact: Fact) -> str:  # noqa: PLR0911  one return for each kind of value
    match condition.operand:
        case Window() as operand:
            return window(operand)
        case Bound() as operand:
            return bound(operand)
        case ValueList() as operand:
            return values(fact, operand)
        case Decimal() as operand:
            return money(operand, fact.currency) if fact.kind == "money" else format_decimal(operand, locale=locale())
        case "claim":
            return _("the claim")
        case int() as operand:
            return ngettext("%(n)s hour", "%(n)s hours", operand) % {"n": format_decimal(operand, locale=locale())}
        case operand:
            return value(fact, str(operand))


def _in_force(condition: InForce, row: Row) -> str:
    state = condition.state
    kinds = dict(state.choices)
    words = {
        "state": str(state.label),
        "kinds": either(str(kinds[kind]) for kind in condition.of),
        "at": event(row.kind(condition.at)) if condition.at else "",
    }
    if condition.at:
        text = (
            _("%(state)s (%(kinds)s) in force when %(at)s")
            if condition.in_force
            else _("no %(state)s (%(kinds)s) in force when %(at)s")
        )
    else:
        text = _("%(state)s (%(kinds)s) in force") if condition.in_force else _("no %(state)s (%(kinds)s) in force")
    return text % words


def _counting(condition: Counting) -> str:
    collection = COLLECTIONS[condition.count]
    which = both(comparison(one, Row(collection)) for one in condition.where)
    words = {"n": condition.at_least or condition.at_most, "rows": str(collection.label), "which": which}
    if condition.at_most == 0:
        return _("no %(rows)s with: %(which)s") % words
    text = (
        _("at least %(n)d %(rows)s with: %(which)s")
        if condition.at_least
        else _("at most %(n)d %(rows)s with: %(which)s")
    )
    return text % words
