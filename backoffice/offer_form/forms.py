"""Base of the forms of an offer: fields and parts that apply or not, and messages at their places."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString

from backoffice.offer_form.context import CampaignContext, FieldProblem, Message, Part
from backoffice.offer_form.inputs import Choices, Label, TokensInput


class SectionForm(forms.Form):
    """Form whose visible fields and parts depend on its values.

    A field that does not apply is not checked and not written; its value stays in the page as a hidden input, so that
    choosing another option never loses input.
    """

    use_required_attribute = False
    empty_texts: dict[str, Label] = {}
    """Message at a field that applies and must not be empty."""

    def __init__(self, *args: Any, campaign: CampaignContext, **options: Any) -> None:
        super().__init__(*args, **options)
        self.label_suffix = ""
        self.campaign = campaign
        self.parts: dict[str, Part] = {}
        self.definition_errors: dict[str, list[str]] = {}
        self._missing_names: list[str] = []

    def visible_names(self) -> list[str]:
        """Return the names of the fields that apply, in the order of the page."""
        return [name for name in self.fields if name != "DELETE"]

    def visible_parts(self) -> list[str]:
        """Return the names of the parts that apply."""
        return list(self.parts)

    def set_choices(self, name: str, choices: Iterable[tuple[Any, Any]]) -> None:
        """Offer the choices of a select, and its current value where it is not among them."""
        select: Any = self.fields[name]
        select.set_choices(choices, self.text_of(name))

    def widget_of(self, name: str) -> Any:
        """Return the widget of a field."""
        return self.fields[name].widget

    def to_row(self) -> Any:
        """Return the row of the definition, for a form that is a row of a list."""
        raise NotImplementedError

    def value_of(self, name: str) -> Any:
        """Return the value of a field as it is on the page."""
        value = self[name].value()
        return "" if value is None else value

    def text_of(self, name: str) -> str:
        """Return the value of a field as text, without surrounding spaces."""
        return str(self.value_of(name)).strip()

    def written(self, name: str) -> Any:
        """Return the value of a field for the definition: the checked one, or what was typed where it is wrong."""
        if self.is_bound and not self.errors.get(name) and name in self.cleaned_data:
            return self.cleaned_data[name]
        return self.value_of(name)

    def may_be_empty(self, name: str) -> bool:
        """Return whether a field that applies can be left empty."""
        return name not in self.empty_texts

    @property
    def missing_names(self) -> list[str]:
        """Return the fields that apply and are still empty."""
        if self.is_bound:
            return self._missing_names
        return [name for name in self.visible_names() if not self.may_be_empty(name) and not self.value_of(name)]

    def clean(self) -> dict[str, Any]:
        """Forget the errors of fields that do not apply, and note the missing values of those that do."""
        visible = self.visible_names()
        for name in [name for name in self.errors if name not in visible and name in self.fields]:
            del self.errors[name]
        self._missing_names = [
            name
            for name in visible
            if not self.may_be_empty(name) and name not in self.errors and not self.cleaned_data.get(name)
        ]
        if self.campaign.checked:
            for name in self.missing_names:
                self.add_error(name, str(self.empty_texts[name]))
        return self.cleaned_data

    def is_valid(self) -> bool:
        """Return whether this form and the parts that apply are complete and right; all of them are checked."""
        valid = super().is_valid() and not self.missing_names
        return all([valid, *(self.parts[name].is_valid() for name in self.visible_parts())])

    @property
    def missing(self) -> int:
        """Return the number of values that are missing here and in the parts that apply."""
        return len(self.missing_names) + sum(self.parts[name].missing for name in self.visible_parts())

    def errors_at(self, name: str) -> list[str]:
        """Return the errors of a field."""
        return [*map(str, self.errors.get(name, ())), *self.definition_errors.get(name, ())]

    def hints_at(self, _name: str) -> list[Message]:
        """Return remarks about a field that do not prevent saving."""
        return []

    def messages(self) -> list[Message]:
        """Return the errors of all visible fields and of the form, each once."""
        names = ["", *self.visible_names()]
        own = [*map(str, self.non_field_errors()), *(text for name in names for text in self.errors_at(name))]
        return [Message(text) for text in dict.fromkeys(own)]

    def problems(self) -> Iterator[FieldProblem]:
        """Yield the errors for the summary, in the order of the page."""
        for name in ["", *self.visible_names()]:
            for message in self.errors_at(name):
                target = name or next(iter(self.visible_names()), "")
                shown = self[target]
                yield FieldProblem(shown.id_for_label or shown.auto_id, shown.label, message)
        for name in self.visible_parts():
            yield from self.parts[name].problems()

    def hidden_values(self) -> Iterator[SafeString]:
        """Yield hidden inputs with the values of the fields and parts that do not apply."""
        visible = self.visible_names()
        for name in self.fields:
            if name not in visible and name != "DELETE" and self.value_of(name):
                yield self[name].as_hidden()
        for name, part in self.parts.items():
            yield from part.hidden_values() if name in self.visible_parts() else part.all_hidden()

    def all_hidden(self) -> Iterator[SafeString]:
        """Yield hidden inputs with all values."""
        for name in self.fields:
            if self.value_of(name):
                yield self[name].as_hidden()
        for part in self.parts.values():
            yield from part.all_hidden()

    def cell(self, name: str, css: str = "", label: Label = "") -> SafeString:
        """Return the input of a field for a line that reads as a sentence: named by its label, marked if wrong."""
        bound = self[name]
        errors = self.errors_at(name)
        attrs: dict[str, str | bool] = {"aria-label": str(label or bound.label), "class": css or css_class(bound)}
        attrs |= {"aria-invalid": "true"} if errors else {}
        attrs |= {"aria-describedby": self.message_id} if errors or self.hints_at(name) else {}
        return bound.as_widget(attrs=attrs)

    @property
    def message_id(self) -> str:
        """Return the id of the messages of this form."""
        return f"{self.prefix}-messages"

    def rows(self) -> Iterator["FieldRow"]:
        """Yield the visible fields with their messages, each under a label of its own."""
        for name in self.visible_names():
            yield FieldRow(self, name)

    def row_errors(self) -> list[str]:
        """Return the messages that belong to no single field."""
        return [*map(str, self.non_field_errors()), *self.definition_errors.get("", ())]

    def report(self, name: str, message: str) -> None:
        """Show an error of the definition at a field, unless missing values explain it; an empty name: the form."""
        if self.missing or (self.is_bound and self.errors):
            return
        self.definition_errors.setdefault(name if name in self.visible_names() else "", []).append(message)


@dataclass(frozen=True)
class FieldRow:
    """Visible field with its label and messages."""

    form: SectionForm
    name: str

    @property
    def field(self) -> BoundField:
        return self.form[self.name]

    @property
    def errors(self) -> list[str]:
        return self.form.errors_at(self.name)

    @property
    def hints(self) -> list[Message]:
        return self.form.hints_at(self.name)

    @property
    def help(self) -> Label:
        return str(self.field.help_text or "")

    @property
    def is_check(self) -> bool:
        return isinstance(self.field.field.widget, forms.CheckboxInput)

    @property
    def is_cards(self) -> bool:
        return isinstance(self.field.field.widget, forms.RadioSelect)

    @property
    def unit(self) -> Label:
        """Return the unit behind the input."""
        units: dict[str, Label] = getattr(self.form, "units", {})
        return units.get(self.name, "")

    @property
    def message_id(self) -> str:
        return f"{self.field.auto_id}-messages"

    @property
    def plain(self) -> SafeString:
        """Return the input without its messages: that of a row which is still empty."""
        return self.field.as_widget(attrs={"class": css_class(self.field)})

    @property
    def widget(self) -> SafeString:
        """Return the input, tied to its messages."""
        attrs: dict[str, str | bool] = {"class": css_class(self.field)}
        if isinstance(self.field.field.widget, TokensInput):
            attrs["aria-label"] = str(self.field.label)
        if self.errors or self.hints or self.help:
            attrs["aria-describedby"] = self.message_id
        if self.errors:
            attrs["aria-invalid"] = "true"
        return self.field.as_widget(attrs=attrs)


def css_class(bound: BoundField) -> str:
    """Return the CSS class of the input of a field."""
    widget = bound.field.widget
    if isinstance(widget, forms.CheckboxInput | forms.RadioSelect):
        return ""
    if isinstance(widget, forms.Select):
        return "select"
    return "textarea code" if isinstance(widget, forms.Textarea) else "input"


def instants(facts: Iterable[Any]) -> Choices:
    """Return the facts that are instants as choices; nothing is timed by a declared one."""
    return [(fact.name, fact.event or fact.label) for fact in facts if fact.kind == "instant" and not fact.attribute]


ABSENT = ""
"""Value of a word that is left out. None is written as an empty value: a word that still needs one."""


def or_missing(value: Any) -> Any:
    """Return a value for the definition: None where it is still to be entered."""
    return value if value else None
