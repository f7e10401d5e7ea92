"""Closed list of operators: the kinds of fact that each accepts, and the expression that it becomes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, Q
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, In, IsNull, LessThan, LessThanOrEqual
from django.utils.translation import gettext as _

from core import countries
from core.facts import Fact
from core.money import currencies, currency_meant_by, round_to_cents
from merchants.models import ReferenceValue
from rules.base import ValueList
from rules.errors import ErrorCollector, UnknownWordError
from rules.offer_facts import BENEFIT
from rules.time_windows import CLAIM, Bound

WORDS = frozenset({"choice", "text"})
AMOUNTS = frozenset({"money", "number"})
INSTANTS = frozenset({"instant"})


def _in_reference(found: object, list_code: str) -> Q:
    return Q(In(found, ReferenceValue.objects.filter(list_code=list_code).values("value")))


def _is(found: object, value: object) -> Q:
    return Q(Exact(found, value))


@dataclass(frozen=True)
class Operator:
    """Word between a fact and a value; `build` is None for those with a function of their own, such as `instant_q`."""

    name: str
    kinds: frozenset[str]
    build: Callable[[Any, Any], Q] | None = None

    @property
    def word(self) -> str:
        """Return the operator as a definition writes it."""
        return self.name.rstrip("_")

    def accepts(self, fact: Fact) -> bool:
        """Return whether a fact takes the operator. A flag is never empty, unless it is a declared one."""
        return fact.kind in self.kinds or (self.name == "empty" and fact.kind == "flag" and fact.attribute is not None)

    def check(self, fact: Fact, operand: Any) -> None:
        """Raise ValueError if a fact of this kind does not accept the operator or the value."""
        if not self.accepts(fact):
            allowed = [operator.word for operator in OPERATORS.values() if operator.accepts(fact)]
            message = _("%(fact)s is %(kind)s: it takes no %(word)r") % {
                "fact": fact.name,
                "kind": fact.kind,
                "word": self.word,
            }
            raise UnknownWordError(message, word=self.word, known=allowed)
        if self.name == "empty" and fact.name == BENEFIT:
            raise ValueError(_("%(fact)s is never empty: without a fee it is 0.00") % {"fact": fact.name})
        if fact.kind in AMOUNTS and isinstance(operand, Decimal):
            _check_number(fact, operand)
        if fact.kind == "flag" and self.name != "empty" and operand not in FLAGS:
            words = {"fact": fact.name, "found": operand}
            raise ValueError(_("%(fact)s is a flag: write yes or no, not %(found)r") % words)
        if "reference" not in self.name and self.name != "empty":
            _check_values(fact, operand)

    def q(self, found: object, operand: object) -> Q:
        """Return the filter that compares the expression `found` with `operand`."""
        assert self.build is not None
        return self.build(found, operand)


def _check_number(fact: Fact, number: Decimal) -> None:
    """Raise ValueError if a number has decimals that no value of the fact has, or more digits."""
    words = {"fact": fact.name, "found": number}
    if fact.kind == "number" and not fact.decimals and number != int(number):
        raise ValueError(_("%(fact)s is a whole number, not %(found)s") % words)
    if fact.kind == "money" and number != round_to_cents(number):
        raise ValueError(_("%(fact)s: %(found)s has more than 2 decimals") % words)
    if fact.decimals and number >= 10 ** (MAX_DIGITS - fact.decimals):
        raise ValueError(
            _("%(fact)s is a number with at most %(n)d digits before the point")
            % {**words, "n": MAX_DIGITS - fact.decimals}
        )


MAX_DIGITS = 14
FLAGS = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}


def _check_values(fact: Fact, operand: Any) -> None:
    """Raise ValidationError with every value that a row can never have, each at its place in a list."""
    errors = ErrorCollector()
    if isinstance(operand, ValueList):
        for n, value in enumerate(operand.values):
            with errors.at(n):
                _check_value(fact, value)
        errors.raise_collected("Operator")
    else:
        _check_value(fact, operand)


def _check_value(fact: Fact, value: str) -> None:
    known = [choice for choice, _label in fact.choices]
    if fact.kind == "choice" and value not in known:
        message = _("%(fact)s is never %(word)r") % {"fact": fact.name, "word": value}
        raise UnknownWordError(message, word=value, known=known)
    if fact.codes == "currency" and value not in currencies():
        raise unknown_currency(value)
    if fact.codes == "country" and value not in countries.codes():
        message = _("no country %(word)r: write its ISO 3166 code, such as US") % {"word": value}
        raise UnknownWordError(message, word=value, known=(), listed=False, nearest=countries.meant_by(value))


def unknown_currency(code: str) -> UnknownWordError:
    """Return the error of a code that no currency in use has."""
    message = _("no currency %(word)r: write its ISO 4217 code, such as USD") % {"word": code}
    known, nearest = sorted(currencies()), currency_meant_by(code)
    return UnknownWordError(message, word=code, known=known, listed=False, nearest=nearest)


def typed_operand(fact: Fact, operand: Any) -> Any:
    """Return the operand as a value of the fact's kind."""
    return FLAGS[operand] if fact.kind == "flag" else operand


OPERATORS = {
    operator.name: operator
    for operator in (
        Operator("is_", WORDS | {"flag"}, _is),
        Operator("is_not", WORDS, lambda found, value: ~_is(found, value)),
        Operator("in_", WORDS, lambda found, values: Q(In(found, list(values.values)))),
        Operator("not_in", WORDS, lambda found, values: ~Q(In(found, list(values.values)))),
        Operator("in_reference", WORDS, _in_reference),
        Operator("not_in_reference", WORDS, lambda found, code: ~_in_reference(found, code)),
        Operator("at_least", AMOUNTS, lambda found, value: Q(GreaterThanOrEqual(found, value))),
        Operator("more_than", AMOUNTS, lambda found, value: Q(GreaterThan(found, value))),
        Operator("at_most", AMOUNTS, lambda found, value: Q(LessThanOrEqual(found, value))),
        Operator("less_than", AMOUNTS, lambda found, value: Q(LessThan(found, value))),
        Operator("empty", WORDS | AMOUNTS),
        Operator("within", INSTANTS),
        Operator("from_", INSTANTS),
        Operator("by", INSTANTS),
        Operator("not_before", INSTANTS),
        Operator("within_hours", INSTANTS),
        Operator("happened", INSTANTS),
    )
}


def empty_q(fact: Fact, found: Any, *, empty: bool) -> Q:
    """Return the filter of the rows that have no value of the fact, or have one. An empty text is no value."""
    nothing = Q(IsNull(found, True))
    if fact.kind in WORDS:
        nothing |= _is(found, "")
    return nothing if empty else ~nothing


def instant_q(operator: str, found: Any, operand: Any, at: Any) -> Q:
    """Return the filter of an operator on an instant, evaluated at `at`: a later instant has not happened yet.

    `operand` is a value of the definition, or the expression of another instant of the row: one that need not have
    happened yet, such as a promise.
    """
    seen, is_bound = Q(LessThanOrEqual(found, at)), isinstance(operand, Bound)
    match operator:
        case "from_":
            return seen & Q(GreaterThanOrEqual(found, _start(operand)))
        case "by":
            # A bound includes its whole second, an instant of the row nothing after itself.
            return seen & Q(LessThan(found, operand.after) if is_bound else LessThanOrEqual(found, operand))
        case "within_hours":
            return Q(GreaterThanOrEqual(found, at - timedelta(hours=operand))) & Q(LessThan(found, at))
        case "happened":
            return seen if operand else Q(IsNull(found, True)) | Q(GreaterThan(found, at))
        case "not_before":
            bound = F("claimed_at") if operand == CLAIM else _start(operand)
            return Q(IsNull(found, True)) | Q(GreaterThan(found, at)) | Q(GreaterThanOrEqual(found, bound))
    raise ValueError(f"unknown operator {operator}")


def _start(operand: Any) -> Any:
    return operand.instant if isinstance(operand, Bound) else operand


def shortfall(operator: str, required: Decimal | int, found: Decimal | int | None) -> Decimal | int | None:
    """Return the amount or count that is missing for the operator to hold, None if nothing is or it has no such gap."""
    short = {"at_least": required - (found or 0), "at_most": (found or 0) - required}.get(operator)
    return short if short is not None and short > 0 else None
