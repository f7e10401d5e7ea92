"""Writing a row of conditions: what the inputs say, as a condition of the definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backoffice.offer_form import condition_rows as words
from backoffice.offer_form.condition_rows import COUNT_PREFIX, MEASURE_PREFIX, NO_ROWS, STATE_PREFIX
from backoffice.offer_form.forms import or_missing
from backoffice.offer_form.rows import RowFormSet
from backoffice.offer_form.times import TimeForm
from definitions import yaml_roundtrip
from definitions.errors import DefinitionError

if TYPE_CHECKING:
    from backoffice.offer_form.conditions import ConditionForm


def condition_row(form: ConditionForm) -> Any:
    """Return the condition of a row; None stands for a value that is still missing."""
    code = {"code": form.written("code")} if form.written("code") else {}
    fact = form.fact_name
    match form.kind:
        case "raw":
            return _raw(str(form.written("raw")))
        case "state":
            at = {"at": form.written("at_fact")} if form.written("at_fact") else {}
            force = form.written("force") or "in_force"
            return {**code, force: fact.removeprefix(STATE_PREFIX), "of": or_missing(form.written("of")), **at}
        case "count":
            return {**code, "count": fact.removeprefix(COUNT_PREFIX), "where": _rows(form) or None, **_number(form)}
        case "measure":
            bound = {_operator(form): or_missing(form.written("number"))}
            return {**code, "measure": fact.removeprefix(MEASURE_PREFIX), **bound}
        case "any":
            return {**(code or {"code": _own_code(form)}), "any": _rows(form) or None}
    return {**code, "fact": fact, _operator(form): _operand(form)}


def _raw(text: str) -> Any:
    try:
        return yaml_roundtrip.load(text)
    except DefinitionError:
        return text


def _rows(form: ConditionForm) -> list[Any]:
    rows = form.parts["rows"]
    return rows.write() if isinstance(rows, RowFormSet) else []


def _own_code(form: ConditionForm) -> str:
    """Return a code for a group, which needs one: from the fields of its conditions."""
    rows = form.parts["rows"]
    facts = [row.fact_name for row in rows.active_forms] if isinstance(rows, RowFormSet) else []
    letters = ("".join(c for c in fact.replace(".", "_") if c.isalnum() or c == "_") for fact in facts)
    return ("_or_".join(dict.fromkeys(letters)).strip("_").lower() or "any_of")[:40]


def _number(form: ConditionForm) -> dict[str, Any]:
    bound = form.text_of("bound")
    return {"at_most": "0"} if bound == NO_ROWS else {bound or "at_least": or_missing(form.written("number"))}


def _operator(form: ConditionForm) -> str:
    return form.text_of("op") or form.allowed_operators[0]


def _operand(form: ConditionForm) -> Any:
    op, visible = _operator(form), form.visible_names()
    match op:
        case "in" | "not_in":
            return or_missing(form.written("values")) if "values" in visible else form.written("named_list")
        case "within":
            if not form.visible_parts():
                return form.written("window")
            return {"from": _time(form, "start") or None, "to": _time(form, "end") or None}
        case "from" | "by" | "not_before" if not form.visible_parts():
            return form.written("other")
        case "from" | "by" | "not_before":
            return _time(form, "time") or ("claim" if op == "not_before" else None)
    return or_missing(form.written(words.value_field(op, form.known_fact.kind)))


def _time(form: ConditionForm, name: str) -> Any:
    part = form.parts[name]
    return part.bound() if isinstance(part, TimeForm) else ""
