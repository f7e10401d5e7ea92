"""Conditions of a definition as values of the form: what a saved condition shows, and words for its kinds."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form import shapes
from backoffice.offer_form.times import initial_time
from core.facts import STATES, Collection, Fact
from definitions import yaml_roundtrip
from rules.calendars import UNITS
from rules.offer_facts import OFFER_FACTS
from rules.time_windows import WORD

OPERATOR_LABELS: dict[str, Promise] = {
    "is": _("is"),
    "is_not": _("is not"),
    "in": _("is one of"),
    "not_in": _("is none of"),
    "in_reference": _("is in the reference list"),
    "not_in_reference": _("is not in the reference list"),
    "at_least": _("is at least"),
    "more_than": _("is more than"),
    "at_most": _("is at most"),
    "less_than": _("is less than"),
    "within": _("is between"),
    "from": _("is at or after"),
    "by": _("is no later than"),
    "not_before": _("has not happened before"),
    "within_hours": _("is within the hours before the claim"),
    "happened": _("has happened"),
    "empty": _("is empty"),
}
DEFAULT_OPERATORS = {"money": "at_least", "number": "at_least", "instant": "within", "text": "in", "flag": "is"}
AMOUNTS = ("at_least", "more_than", "at_most", "less_than")
NUMERIC = (*AMOUNTS, "within_hours")
BOUNDS = ("from", "by", "not_before")
REFERENCES = ("in_reference", "not_in_reference")
CUSTOM = "·"
"""Choice of values or dates of this condition's own, in place of a list or window of the campaign."""

STATE_PREFIX, COUNT_PREFIX, MEASURE_PREFIX, ANY = "=", "#", "~", "|any"
"""Mark, among the fields to choose from, a state of the merchant, rows to count, a measure, a group of conditions."""

NO_ROWS = "none"
"""Choice for a count of at most 0."""


def fact_named(collection: Collection, name: str) -> Fact:
    """Return a fact of the collection or of the offer, or a text fact where neither has the name."""
    return collection.facts.get(name) or OFFER_FACTS.get(name) or Fact(name, "text", name)


def operator_of(condition: Any) -> str:
    """Return the operator of a comparison, or an empty string."""
    return next((word for word in OPERATOR_LABELS if word in condition), "")


def value_field(op: str, kind: str) -> str:
    """Return the name of the field that holds the single value of an operator on a fact of a kind."""
    if op in REFERENCES:
        return "text"
    if op in ("happened", "empty") or kind == "flag":
        return "flag"
    return "number" if op in NUMERIC else "text"


def initial_condition(row: Any, collection: Collection, zone: str) -> dict[str, Any]:
    """Return the initial values of a condition of the definition; one that the form cannot express is YAML."""
    if not isinstance(row, dict) or any(shapes.misshapen(row, shapes.CONDITION)):
        return {"raw": yaml_roundtrip.dump(row if isinstance(row, dict) else {"": row}).strip()}
    code = {"code": row.get("code") or ""}
    if "count" in row or "any" in row:
        return code | (_initial_count(row) if "count" in row else {"fact": ANY, "rows": list(row["any"] or ())})
    state = next((word for word in ("in_force", "not_in_force") if word in row), "")
    if state and row[state] in STATES:
        of, at = [str(value) for value in row.get("of") or ()], row.get("at") or ""
        return code | {"fact": f"{STATE_PREFIX}{row[state]}", "force": state, "of": of, "at_fact": at}
    word = operator_of(row)
    if "measure" in row and word:
        return code | {"fact": f"{MEASURE_PREFIX}{row['measure']}", "op": word, "number": row[word]}
    if "fact" in row and word and not _is_period(row[word] if word == "within" else None):
        fact = fact_named(collection, str(row["fact"]))
        return code | {"fact": fact.name, "op": word, **_initial_operand(word, row[word], fact, zone)}
    return {"raw": yaml_roundtrip.dump(row).strip()}


def _is_period(value: Any) -> bool:
    """Return whether a value of `within` is a period other than a window, for which there are no inputs."""
    return value in UNITS if isinstance(value, str) else isinstance(value, dict) and bool(value.keys() - {"from", "to"})


def _initial_count(row: Any) -> dict[str, Any]:
    number = row.get("at_least", row.get("at_most"))
    bound = "at_least" if "at_least" in row else NO_ROWS if str(number) == "0" else "at_most"
    shown = "" if bound == NO_ROWS else number
    fact = f"{COUNT_PREFIX}{row['count']}"
    return {"fact": fact, "bound": bound, "number": shown, "rows": list(row.get("where") or ())}


def _initial_operand(word: str, value: Any, fact: Fact, zone: str) -> dict[str, Any]:
    match word:
        case "in" | "not_in" if not isinstance(value, str):
            values = value.get("values", ()) if isinstance(value, dict) else value or ()
            return {"named_list": CUSTOM, "values": [str(one) for one in values]}
        case "within" if not isinstance(value, str):
            ends = value if isinstance(value, dict) else {}
            start, end = initial_time(ends.get("from"), zone), initial_time(ends.get("to"), zone, is_end=True)
            return {"window": CUSTOM, "start": start, "end": end}
        case "not_before" if value == "claim":
            return {"time": {}}
        case _ if word in BOUNDS and isinstance(value, str) and WORD.fullmatch(value):
            return {"other": value}
        case _ if word in BOUNDS:
            return {"time": initial_time(value, zone, is_end=word == "by")}
    shared = {"in": "named_list", "not_in": "named_list", "within": "window"}
    return {shared.get(word) or value_field(word, fact.kind): "" if value is None else str(value)}
