"""The words of a definition as inputs of a form: one for each value, of the kind that the value is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.facts import STATES, SUBJECTS, Collection, Fact, MerchantState
from core.formatting import CITIES
from definitions import yaml_roundtrip
from rules import moments, operators

Label = str | Promise
Choices = list[tuple[str, Label]]

WORDS: dict[str, Promise] = {
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
    "within": _("lies within"),
    "from": _("not before"),
    "by": _("no later than"),
    "not_before": _("has not happened before"),
    "within_hours": _("in the hours before the claim"),
    "happened": _("has happened"),
}
YES_NO: Choices = [("yes", _("yes")), ("no", _("no"))]
OWN = "·"
"""The choice of one's own values in place of a list or window of the campaign's."""


@dataclass(frozen=True)
class Input:
    """One input: `name` is the path of its value in the offer. `kind`: text, number, area, select, checks, time."""

    name: str
    label: Label
    kind: str
    value: Any = ""
    choices: tuple[tuple[str, Label, bool], ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Where a page keeps its focus."""
        return "in-" + self.name.replace(".", "-")


@dataclass(frozen=True)
class Line:
    """A row of inputs: one condition, one tier. `name` is its path."""

    name: str
    inputs: list[Input]
    errors: tuple[str, ...] = ()


@dataclass
class Campaign:
    """What an offer's inputs need to know of its campaign: its zone, windows and lists; and what is wrong where."""

    zone: str
    windows: list[str]
    lists: list[str]
    problems: Mapping[str, list[str]] = field(default_factory=dict)

    def errors(self, name: str) -> tuple[str, ...]:
        """What is wrong at a path, or below it."""
        mine = (said for path, said in self.problems.items() if f"{path}.".startswith(f"{name}."))
        return tuple(message for said in mine for message in said)

    def zones(self) -> Choices:
        return [(zone, CITIES.get(zone, zone)) for zone in dict.fromkeys([self.zone, *CITIES])]


def select(name: str, label: Label, chosen: Any, choices: Choices, errors: tuple[str, ...] = ()) -> Input:
    """One of several."""
    known = [value for value, _label in choices]
    more = [] if chosen in known else [(str(chosen), str(chosen))]
    marked = tuple((value, text, value == chosen) for value, text in [*choices, *more])
    return Input(name, label, "select", chosen, marked, errors)


def checks(name: str, label: Label, chosen: list[str], choices: Choices) -> Input:
    """Any of several."""
    return Input(name, label, "checks", chosen, tuple((value, text, value in chosen) for value, text in choices))


def instants(collection: Collection) -> Choices:
    """The facts that are instants."""
    return [(n, f.event or f.label) for n, f in collection.facts.items() if f.kind == "instant"]


def bound(name: str, label: Label, value: Any, campaign: Campaign) -> list[Input]:
    """A time and the clock it is read on."""
    found = value if isinstance(value, dict) else {"at": value} if value and value != "claim" else {}
    at, zone = str(found.get("at", "")), str(found.get("zone", campaign.zone))
    time = Input(f"{name}.at", label, "time", at.replace(" ", "T"), errors=campaign.errors(name))
    return [time, select(f"{name}.zone", _("clock"), zone, campaign.zones())]


def condition(name: str, data: Any, collection: Collection, campaign: Campaign) -> Line:
    """A condition as a line of inputs; what no such line can hold as its text."""
    errors = campaign.errors(name)
    if data is None:
        return Line(name, [_fact(name, "", collection)])
    if "fact" in data:
        return Line(name, list(_comparison(name, data, collection, campaign)), errors)
    state = data.get("in_force") or data.get("not_in_force")
    if state in STATES and isinstance(data.get("of"), list):
        return Line(name, list(_in_force(name, data, STATES[state])), errors)
    return Line(name, [Input(f"{name}.raw", _("as text"), "area", yaml_roundtrip.dump(data).strip())], errors)


def _in_force(name: str, data: Any, state: MerchantState) -> Iterator[Input]:
    states: Choices = [(key, one.label) for key, one in STATES.items()]
    yield select(f"{name}.state", _("state"), state.name, states)
    force: Choices = [("in_force", _("in force")), ("not_in_force", _("not in force"))]
    yield select(f"{name}.force", _("is"), "in_force" if "in_force" in data else "not_in_force", force)
    yield checks(f"{name}.of", _("which"), list(data["of"]), list(state.choices))


def _fact(name: str, chosen: str, collection: Collection) -> Input:
    facts: Choices = [(key, f.label) for key, f in collection.facts.items()]
    facts += [(f"={key}", one.label) for key, one in STATES.items()]
    return select(f"{name}.fact", _("fact"), chosen, [("", "—"), *facts])


def known(collection: Collection, name: str) -> Fact:
    """A fact of the collection, or one of an offer's own moments."""
    return collection.facts.get(name) or moments.OFFER_MOMENTS.get(name) or Fact(name, "text", name)


def operator_of(data: Any) -> str:
    """The operator that a comparison uses, as it is written."""
    return next((word for word in WORDS if word in data), "")


def _comparison(name: str, data: Any, collection: Collection, campaign: Campaign) -> Iterator[Input]:
    fact, word = known(collection, str(data["fact"])), operator_of(data)
    yield _fact(name, fact.name, collection)
    words: Choices = [
        (o.name.rstrip("_"), WORDS[o.name.rstrip("_")]) for o in operators.OPERATORS.values() if fact.kind in o.kinds
    ]
    yield select(f"{name}.op", _("operator"), word or words[0][0], words)
    yield from operand(name, word or words[0][0], data.get(word), fact, campaign)


def operand(name: str, word: str, value: Any, fact: Fact, campaign: Campaign) -> Iterator[Input]:
    """What stands after the operator, as inputs of the right kind."""
    at = f"{name}.value"
    match word:
        case "in" | "not_in":
            yield from _several(name, value, fact, campaign)
        case "within":
            yield from _window(name, value, campaign)
        case "from" | "by" | "not_before":
            label = _("when; empty for the claim") if word == "not_before" else _("when")
            yield from bound(at, label, value, campaign)
        case "happened":
            yield select(at, _("value"), str(value or "yes"), YES_NO)
        case _ if fact.kind == "flag":
            yield select(at, _("value"), str(value or "yes"), YES_NO)
        case _ if fact.kind == "choice":
            yield select(at, _("value"), str(value or ""), [("", "—"), *fact.choices])
        case _:
            kind = "number" if word in ("at_least", "more_than", "at_most", "less_than", "within_hours") else "text"
            yield Input(at, fact.currency or _("value"), kind, "" if value is None else str(value))


def _several(name: str, value: Any, fact: Fact, campaign: Campaign) -> Iterator[Input]:
    lists: Choices = [(OWN, _("these values")), *((one, one) for one in campaign.lists)]
    own = not isinstance(value, str)
    if campaign.lists:
        yield select(f"{name}.list", _("list"), OWN if own else value, lists)
    if own:
        values = list(value.get("values", ()) if isinstance(value, dict) else value or ())
        if fact.kind == "choice":
            yield checks(f"{name}.value", _("values"), values, list(fact.choices))
        else:
            yield Input(f"{name}.value", _("values, with commas between"), "text", ", ".join(map(str, values)))


def _window(name: str, value: Any, campaign: Campaign) -> Iterator[Input]:
    windows: Choices = [(OWN, _("these dates")), *((one, one) for one in campaign.windows)]
    own = not isinstance(value, str)
    if campaign.windows:
        yield select(f"{name}.window", _("window"), OWN if own else value, windows)
    if own:
        found = value if isinstance(value, dict) else {}
        yield from bound(f"{name}.value.from", _("from"), found.get("from"), campaign)
        yield from bound(f"{name}.value.to", _("to"), found.get("to"), campaign)


def subjects() -> Choices:
    """What an offer can be for."""
    return [(name, collection.singular) for name, collection in SUBJECTS.items()]
