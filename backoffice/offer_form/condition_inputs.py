"""Inputs of a condition, their choices, and which of them apply."""

from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form import condition_rows as words
from backoffice.offer_form.condition_choices import conditions_on, force_choices
from backoffice.offer_form.condition_rows import (
    ANY,
    BOUNDS,
    COUNT_PREFIX,
    CUSTOM,
    MEASURE_PREFIX,
    NO_ROWS,
    STATE_PREFIX,
)
from backoffice.offer_form.forms import SectionForm, instants
from backoffice.offer_form.inputs import Choices, NumberField, SelectField, SuggestInput, TokensField
from backoffice.offer_form.known_values import KnownValues, closed
from core.facts import STATES, Collection, Fact
from rules import operators

YES_NO: Choices = [("", "–"), ("yes", _("yes")), ("no", _("no"))]
DEEPEST = 2


class ConditionInputs(SectionForm):
    """Inputs of one condition: a field, an operator and the values that the operator needs."""

    fact = SelectField(label=_("Field"), required=False)
    op = SelectField(label=_("Condition"), required=False)
    text = forms.CharField(label=_("Required value"), required=False, widget=SuggestInput())
    number = NumberField(label=_("Required value"), required=False)
    flag = SelectField(label=_("Required value"), required=False, widget=forms.Select(choices=YES_NO))
    named_list = SelectField(label=_("List"), required=False)
    values = TokensField(label=_("Values"), required=False)
    window = SelectField(label=_("Window"), required=False)
    other = SelectField(label=_("Compared with"), required=False)
    force = SelectField(label=_("Condition"), required=False)
    of = TokensField(label=_("Values"), required=False)
    at_fact = SelectField(label=_("At the time when it was"), required=False)
    bound = SelectField(label=_("Condition"), required=False)
    code = forms.CharField(label=_("Name in reports (optional)"), required=False, max_length=40)
    raw = forms.CharField(label=_("Condition as YAML"), required=False, widget=forms.Textarea(attrs={"rows": 4}))
    empty_texts = {
        "text": _("Enter a value."),
        "number": _("Enter a number, for example 500.00."),
        "flag": _("Choose a value."),
        "values": _("Enter at least one value."),
        "of": _("Choose at least one value."),
    }

    def __init__(
        self, *args: Any, collection: Collection, depth: int = 0, simple: bool = False, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.collection, self.depth, self.simple = collection, depth, simple
        if self.is_bound:
            self._adapt_data()
        self._set_choices()

    @property
    def fact_name(self) -> str:
        return self.text_of("fact")

    @cached_property
    def known_fact(self) -> Fact:
        """Return the chosen fact; one that the collection does not have counts as text."""
        return words.fact_named(self.collection, self.fact_name)

    @cached_property
    def known_values(self) -> KnownValues:
        """Return the values to choose from."""
        if self.text_of("op") in words.REFERENCES:
            return self.campaign.values.reference_lists
        return self.campaign.values.of_fact(self.known_fact, self.collection)

    @property
    def allowed_operators(self) -> list[str]:
        """Return the operators that the chosen fact or measure takes, its default first."""
        if self.kind == "measure":
            return [*words.AMOUNTS]
        kind = self.known_fact.kind
        allowed = [o.word for o in operators.OPERATORS.values() if o.accepts(self.known_fact)]
        return sorted(allowed, key=lambda word: word != words.DEFAULT_OPERATORS.get(kind, "is"))

    @property
    def kind(self) -> str:
        """Return the kind of the condition: raw, empty, state, count, measure, any or comparison."""
        if self.value_of("raw"):
            return "raw"
        if not self.fact_name:
            return "empty"
        marked = {STATE_PREFIX: "state", COUNT_PREFIX: "count", MEASURE_PREFIX: "measure"}
        return "any" if self.fact_name == ANY else marked.get(self.fact_name[0], "comparison")

    def visible_names(self) -> list[str]:
        of_count = ["bound"] if self.text_of("bound") == NO_ROWS else ["bound", "number"]
        names = {
            "raw": ["raw"],
            "empty": ["fact"],
            "state": ["fact", "force", "of", "at_fact", "code"],
            "count": ["fact", *of_count, "code"],
            "any": ["fact", "code"],
            "measure": ["fact", "op", "number", "code"],
        }
        return names.get(self.kind) or ["fact", "op", *self._operand_names(), "code"]

    def _operand_names(self) -> list[str]:
        op, kind = self.text_of("op"), self.known_fact.kind
        if op in ("in", "not_in"):
            own = ["values"] if self._is_custom("named_list") else []
            return [*(["named_list"] if self.campaign.lists else []), *own]
        if op == "within":
            return ["window"] if self.campaign.windows else []
        return ["other"] if op in BOUNDS else [words.value_field(op, kind)]

    def _is_custom(self, name: str) -> bool:
        return self.text_of(name) in ("", CUSTOM)

    def _adapt_data(self) -> None:
        """Let the data fit the field that was chosen: its operator, and values that other inputs can take over."""
        if self.kind == "count" and not self.text_of("bound"):
            self._put_data({"bound": ["at_least"]})
        if self.kind not in ("comparison", "measure"):
            return
        if self.text_of("op") not in self.allowed_operators:
            self._put_data({"op": [self.allowed_operators[0]]})
        visible, values = self.visible_names(), self.value_of("values")
        if "values" in visible and not values and self.text_of("text"):
            self._put_data({"values": [self.text_of("text")]})
        elif "text" in visible and not self.text_of("text") and values:
            self._put_data({"text": [values[0]]})

    def _put_data(self, changes: dict[str, list[str]]) -> None:
        data: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict
        for name, values in changes.items():
            data.setlist(self.add_prefix(name), values)
        self.data = data

    def _set_choices(self) -> None:
        state = STATES.get(self.fact_name.removeprefix(STATE_PREFIX))
        choices: dict[str, Choices] = {
            "fact": conditions_on(
                self.collection, self.campaign.measures, simple=self.simple, deepest=self.depth >= DEEPEST
            ),
            "op": [(word, words.OPERATOR_LABELS[word]) for word in self.allowed_operators],
            "named_list": [(CUSTOM, _("these values")), *self.campaign.list_names.items()],
            "window": [(CUSTOM, _("these dates")), *((name, name) for name in self.campaign.windows)],
            "other": [(CUSTOM, _("this time")), *instants(self.collection.facts.values())],
            "force": force_choices(),
            "bound": [("at_least", _("at least")), ("at_most", _("at most")), (NO_ROWS, _("no"))],
            "at_fact": [("", _("claimed")), *instants(self.collection.facts.values())],
        }
        for name, offered in choices.items():
            self.set_choices(name, offered)
        self.fields["of"].widget.known = closed(state.choices if state else ())
        if self.kind == "comparison":
            for name in ("text", "values"):
                self.fields[name].widget.known = self.known_values
            if self.known_values.closed and self.text_of("op") not in words.REFERENCES:
                options = [("", "–"), *self.known_values.names.items()]
                self.fields["text"].widget = forms.Select(choices=options)
