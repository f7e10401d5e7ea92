"""Rows of conditions: one form for each condition, a formset for each list of them."""

from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.fields import (
    CampaignContext,
    Choices,
    Label,
    LocalTimeField,
    NumberField,
    SectionForm,
    SelectField,
    ValueListField,
    YamlField,
    bound_values,
)
from backoffice.offer_form.rows import RowFormSet
from core.facts import STATES, Collection, Fact
from core.similar_words import nearest_word
from definitions import yaml_roundtrip
from rules import operators
from rules.offer_facts import OFFER_FACTS

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
DEFAULT_OPERATORS = {"money": "at_least", "number": "at_least", "instant": "happened"}
NUMERIC = ("at_least", "more_than", "at_most", "less_than", "within_hours")
BOUNDS = ("from", "by", "not_before")
REFERENCES = ("in_reference", "not_in_reference")
YES_NO: Choices = [("yes", _("yes")), ("no", _("no"))]
CUSTOM = "·"
"""Choice of values or dates of this condition's own, in place of a list or window of the campaign."""

STATE_PREFIX = "="
"""Marks a state of the merchant among the fields to choose from."""


class ConditionForm(SectionForm):
    """One condition: a field, an operator and the inputs that the operator needs.

    A condition that these inputs cannot express, such as a count, is edited as YAML.
    """

    fact = SelectField(label=_("Field"), required=False)
    op = SelectField(label=_("Condition"), required=False)
    text = forms.CharField(
        label=_("Required value"), required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    number = NumberField(label=_("Required value"), required=False)
    choice = SelectField(label=_("Required value"), required=False)
    flag = SelectField(label=_("Required value"), required=False, widget=forms.Select(choices=YES_NO))
    named_list = SelectField(label=_("List"), required=False)
    choices = forms.MultipleChoiceField(label=_("Values"), required=False, widget=forms.CheckboxSelectMultiple)
    values = ValueListField(label=_("Values, separated by commas"), required=False)
    window = SelectField(label=_("Window"), required=False)
    start_at = LocalTimeField(label=_("Start"), required=False)
    start_zone = SelectField(label=_("Time zone of the start"), required=False)
    end_at = LocalTimeField(label=_("End"), required=False)
    end_zone = SelectField(label=_("Time zone of the end"), required=False)
    at = LocalTimeField(label=_("Date and time"), required=False)
    zone = SelectField(label=_("Time zone"), required=False)
    force = SelectField(
        label=_("Condition"),
        required=False,
        widget=forms.Select(choices=[("in_force", _("is in force")), ("not_in_force", _("is not in force"))]),
    )
    of = forms.MultipleChoiceField(label=_("Values"), required=False, widget=forms.CheckboxSelectMultiple)
    raw = YamlField(label=_("Condition as YAML"), required=False)

    def __init__(self, *args: Any, collection: Collection, **options: Any) -> None:
        super().__init__(*args, **options)
        self.collection = collection
        if self.is_bound:
            self._adapt_data()
        self._set_choices()

    @property
    def known_fact(self) -> Fact:
        """Return the chosen fact; one that the collection does not have counts as text."""
        return fact_named(self.collection, self.text_of("fact"))

    @property
    def allowed_operators(self) -> list[str]:
        """Return the operators that the chosen fact takes, its default first."""
        kind = self.known_fact.kind
        allowed = [o.name.rstrip("_") for o in operators.OPERATORS.values() if kind in o.kinds]
        return sorted(allowed, key=lambda word: word != DEFAULT_OPERATORS.get(kind, "is"))

    @property
    def is_state(self) -> bool:
        """Return whether the condition is about a state of the merchant, such as a membership."""
        return self.text_of("fact").removeprefix(STATE_PREFIX) in STATES and self.text_of("fact")[0] == STATE_PREFIX

    def visible_names(self) -> list[str]:
        if self.value_of("raw") or self.initial.get("raw"):
            return ["raw"]
        if not self.text_of("fact"):
            return ["fact"]
        if self.is_state:
            return ["fact", "force", "of"]
        return ["fact", "op", *self._operand_names()]

    def _operand_names(self) -> list[str]:
        op, kind = self.text_of("op"), self.known_fact.kind
        if op in ("in", "not_in"):
            own = ["choices" if kind == "choice" else "values"]
            return self._with_chooser("named_list", bool(self.campaign.lists), own)
        if op == "within":
            dates = ["start_at", "start_zone", "end_at", "end_zone"]
            return self._with_chooser("window", bool(self.campaign.windows), dates)
        return ["at", "zone"] if op in BOUNDS else [value_field(op, kind)]

    def _with_chooser(self, chooser: str, offered: bool, own: list[str]) -> list[str]:
        """Return the select of a shared list or window, and the inputs of own values where it chooses these."""
        return [*([chooser] if offered else []), *(own if self._is_custom(chooser) else [])]

    def _is_custom(self, name: str) -> bool:
        return self.text_of(name) in ("", CUSTOM)

    def _adapt_data(self) -> None:
        """Let the data fit the field that was chosen: its operator, and values that other inputs can take over."""
        if not self.text_of("fact") or self.is_state or self.value_of("raw"):
            return
        changes: dict[str, Any] = {}
        if self.text_of("op") not in self.allowed_operators:
            changes["op"] = [self.allowed_operators[0]]
            self._put_data(changes)
            changes = {}
        for one, several in (("text", "values"), ("choice", "choices")):
            visible, values = self.visible_names(), self.value_of(several)
            if several in visible and not values and self.text_of(one):
                changes[several] = [self.text_of(one)]
            elif one in visible and not self.text_of(one) and values:
                changes[one] = [values[0] if isinstance(values, list) else str(values).split(",")[0]]
        self._put_data(changes)

    def _put_data(self, changes: dict[str, Any]) -> None:
        if changes:
            data: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict
            for name, values in changes.items():
                data.setlist(self.add_prefix(name), values)
            self.data = data

    def _set_choices(self) -> None:
        facts: Choices = [("", "—"), *((key, fact.label) for key, fact in self.collection.facts.items())]
        facts += [(STATE_PREFIX + key, state.label) for key, state in STATES.items()]
        named: dict[str, Choices] = {
            "fact": facts,
            "op": [(word, OPERATOR_LABELS[word]) for word in self.allowed_operators],
            "choice": [("", "—"), *self.known_fact.choices],
            "named_list": [(CUSTOM, _("these values")), *((name, name) for name in self.campaign.lists)],
            "window": [(CUSTOM, _("these dates")), *((name, name) for name in self.campaign.windows)],
            **dict.fromkeys(("zone", "start_zone", "end_zone"), self.campaign.zones),
        }
        for name, choices in named.items():
            self.fields[name].set_choices(choices, self.text_of(name))  # type: ignore[attr-defined]
        state = STATES.get(self.text_of("fact").removeprefix(STATE_PREFIX))
        for name, several in (("choices", self.known_fact.choices), ("of", state.choices if state else ())):
            known = {value for value, _label in several}
            more = [(value, value) for value in self.initial.get(name) or () if value not in known]
            self.fields[name].choices = [*several, *more]  # type: ignore[attr-defined]

    def hint_for(self, name: str) -> Label:
        """Return a known value that is nearly the one that was typed."""
        if name not in ("text", "values"):
            return ""
        known = {value for values in self.campaign.lists.values() for value in values}
        typed = self.value_of(name)
        values = typed if isinstance(typed, list) else [part.strip() for part in str(typed).split(",")]
        for value in values:
            close = "" if value in known else nearest_word(value, known, least_similarity=80)
            if close:
                words = {"value": value, "known": close}
                return gettext("No list of this campaign contains “%(value)s”. Did you mean “%(known)s”?") % words
        return ""

    def unused_values(self) -> str:
        """Return what was typed for another field or condition and does not apply any more."""
        visible, unused = self.visible_names(), []
        for name in ("text", "number", "choice", "values", "choices", "of", "start_at", "end_at", "at"):
            counterpart = {"text": "values", "values": "text", "choice": "choices", "choices": "choice"}.get(name)
            value = self.value_of(name)
            if value and name not in visible and counterpart not in visible:
                unused.append(value if isinstance(value, str) else ", ".join(map(str, value)))
        return ", ".join(unused)

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.require(_("Choose a field, or remove this condition."), "fact", "raw")
        self.require(_("Enter a value."), "text", "number")
        self.require(_("Choose a value."), "choice", "flag")
        self.require(_("Enter at least one value."), "values")
        self.require(_("Choose at least one value."), "choices", "of")
        self.require(_("Enter a date and a time."), "start_at", "end_at")
        if self.text_of("op") != "not_before":
            self.require(_("Enter a date and a time."), "at")
        data = self.cleaned_data
        start, end = data.get("start_at"), data.get("end_at")
        same_zone = "end_at" in self.visible_names() and data["start_zone"] == data["end_zone"]
        if same_zone and start and end and start >= end:
            self.add_error("end_at", gettext("The end must be after the start."))
        return data


def fact_named(collection: Collection, name: str) -> Fact:
    """Return a fact of the collection or of the offer, or a text fact where neither has the name."""
    return collection.facts.get(name) or OFFER_FACTS.get(name) or Fact(name, "text", name)


def operator_of(condition: Any) -> str:
    """Return the operator of a comparison, or an empty string."""
    return next((word for word in OPERATOR_LABELS if word in condition), "")


def initial_condition(row: Any, collection: Collection, zone: str) -> dict[str, Any]:
    """Return the initial values of a condition of the definition."""
    if isinstance(row, dict) and "fact" in row and operator_of(row):
        word = operator_of(row)
        fact = fact_named(collection, str(row["fact"]))
        return {"fact": fact.name, "op": word, **_initial_operand(word, row[word], fact, zone)}
    state = row.get("in_force") or row.get("not_in_force") if isinstance(row, dict) else None
    if state in STATES and isinstance(row.get("of"), list):
        force = "in_force" if "in_force" in row else "not_in_force"
        return {"fact": f"{STATE_PREFIX}{state}", "force": force, "of": [str(value) for value in row["of"]]}
    return {"raw": yaml_roundtrip.dump(row).strip()}


def value_field(op: str, kind: str) -> str:
    """Return the name of the field that holds the single value of an operator on a fact of a kind."""
    if op in REFERENCES:
        return "text"
    if op in ("happened", "empty") or kind == "flag":
        return "flag"
    return "choice" if kind == "choice" else "number" if op in NUMERIC else "text"


def _initial_operand(word: str, value: Any, fact: Fact, zone: str) -> dict[str, Any]:
    match word:
        case "in" | "not_in" if not isinstance(value, str):
            values = value.get("values", ()) if isinstance(value, dict) else value or ()
            name = "choices" if fact.kind == "choice" else "values"
            return {"named_list": CUSTOM, name: [str(one) for one in values]}
        case "within" if not isinstance(value, str):
            ends = value if isinstance(value, dict) else {}
            start, end = (bound_values(ends.get(key), name, zone) for key, name in (("from", "start_"), ("to", "end_")))
            return {"window": CUSTOM, **start, **end}
        case _ if word in BOUNDS:
            return bound_values(value, "", zone)
    shared = {"in": "named_list", "not_in": "named_list", "within": "window"}
    return {shared.get(word) or value_field(word, fact.kind): "" if value is None else str(value)}


class ConditionFormSet(RowFormSet):
    """Conditions of one list."""

    form = ConditionForm


def condition_formset(
    prefix: str, data: object, rows: object, *, campaign: CampaignContext, collection: Collection
) -> RowFormSet:
    """Return the formset of a list of conditions; anything but a list, such as `everyone`, is no row."""
    saved = list(rows) if isinstance(rows, list) else []
    return ConditionFormSet(
        data,
        prefix=prefix,
        rows=saved,
        initial=[initial_condition(row, collection, campaign.zone) for row in saved],
        form_kwargs={"campaign": campaign, "collection": collection},
    )
