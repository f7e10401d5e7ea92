"""Form fields and the base form of the offer form."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.formatting import CITIES
from definitions import reschedule, yaml_roundtrip
from definitions.errors import DefinitionError

Label = str | Promise
Choices = list[tuple[str, Label]]

SEPARATORS = re.compile(r"[,，、;；\n]")


@dataclass(frozen=True)
class CampaignContext:
    """Properties of the campaign that the fields of an offer depend on.

    `lists` maps the name of each shared list to its values, `windows` are the names of the shared windows.
    """

    zone: str
    windows: list[str] = field(default_factory=list)
    lists: dict[str, list[str]] = field(default_factory=dict)

    @property
    def zones(self) -> Choices:
        """Return the time zones to choose from: that of the campaign first."""
        return [(zone, CITIES.get(zone, zone)) for zone in dict.fromkeys([self.zone, *CITIES])]


class SelectField(forms.CharField):
    """One of several choices. A value that is not among them is left to the checks of the definition."""

    widget = forms.Select

    def set_choices(self, choices: Choices, current: str) -> None:
        """Offer `choices`, and the current value where it is not among them."""
        known = {value for value, _label in choices}
        self.widget.choices = choices if not current or current in known else [*choices, (current, current)]


class LocalTimeField(forms.CharField):
    """Local time to the second, written `2022-09-30 23:59:59`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"type": "datetime-local", "step": "1"}), **options)

    def prepare_value(self, value: object) -> Any:
        return str(value).replace(" ", "T") if value else value

    def to_python(self, value: object) -> str:
        text = (super().to_python(value) or "").replace("T", " ")
        text = f"{text}:00" if len(text) == len("2022-09-30 23:59") else text
        if text and not reschedule.is_time(text):
            raise forms.ValidationError(_("Enter a date and a time."))
        return text


class NumberField(forms.CharField):
    """Number, kept as it was typed."""

    def __init__(self, *, least: int | None = None, whole: bool = False, **options: Any) -> None:
        self.least, self.whole = least, whole
        widget = forms.TextInput(attrs={"inputmode": "decimal", "size": 12, "autocomplete": "off"})
        super().__init__(widget=widget, **options)

    def to_python(self, value: object) -> str:
        text = super().to_python(value) or ""
        try:
            number = Decimal(text) if text else None
        except InvalidOperation:
            number = Decimal("NaN")
        if number is None:
            return text
        if not number.is_finite() or (self.whole and number != number.to_integral_value()):
            whole = _("Enter a whole number without separators, such as 1000.")
            raise forms.ValidationError(whole if self.whole else _("Enter a number without separators, such as 12.5."))
        if self.least is not None and number < self.least:
            raise forms.ValidationError(_("Enter a number of at least %(least)d.") % {"least": self.least})
        return text


class ValueListField(forms.CharField):
    """Several values in one input, separated by commas."""

    def prepare_value(self, value: object) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: object) -> Any:
        return [part.strip() for part in SEPARATORS.split(super().to_python(value) or "") if part.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool([str(value) for value in initial or ()] != self.to_python(data))


class YamlField(forms.CharField):
    """Part of a definition as YAML text."""

    widget = forms.Textarea(attrs={"rows": 6, "spellcheck": "false"})

    def to_python(self, value: object) -> str:
        text = (super().to_python(value) or "").replace("\r\n", "\n")
        try:
            if text:
                yaml_roundtrip.load(text)
        except DefinitionError as error:
            raise forms.ValidationError([problem.message for problem in error.problems]) from error
        return text


@dataclass(frozen=True)
class FieldRow:
    """Visible field with its messages."""

    field: BoundField
    errors: list[str]
    hint: Label = ""

    @property
    def kind(self) -> str:
        """Return the CSS class of the input."""
        widget = self.field.field.widget
        if isinstance(widget, forms.CheckboxSelectMultiple):
            return "checkboxes"
        return "textarea" if isinstance(widget, forms.Textarea) else "input"

    @property
    def message_id(self) -> str:
        return f"{self.field.auto_id}-messages"

    @property
    def widget(self) -> SafeString:
        """Return the input, tied to its messages."""
        described = {"aria-describedby": self.message_id} if self.errors or self.hint else {}
        return self.field.as_widget(attrs={**described, **({"aria-invalid": "true"} if self.errors else {})})


class SectionForm(forms.Form):
    """Form whose visible fields depend on its values.

    A field that does not apply is not checked and not written; its value stays in the page as a hidden input, so that
    choosing another option never loses input.
    """

    use_required_attribute = False

    def __init__(self, *args: Any, campaign: CampaignContext, **options: Any) -> None:
        super().__init__(*args, **options)
        self.label_suffix = ""
        self.campaign = campaign
        self.definition_errors: dict[str, list[str]] = {}

    def visible_names(self) -> list[str]:
        """Return the names of the fields that apply, in the order of the page."""
        return [name for name in self.fields if name != "DELETE"]

    def value_of(self, name: str) -> Any:
        """Return the value of a field as it is on the page."""
        value = self[name].value()
        return "" if value is None else value

    def text_of(self, name: str) -> str:
        """Return the value of a field as text, without surrounding spaces."""
        return str(self.value_of(name)).strip()

    def hint_for(self, _name: str) -> Label:
        """Return a remark about a field that does not prevent saving."""
        return ""

    def rows(self) -> Iterator[FieldRow]:
        """Yield the visible fields with their messages."""
        for name in self.visible_names():
            errors = [*map(str, self.errors.get(name, ())), *self.definition_errors.get(name, ())]
            yield FieldRow(self[name], errors, self.hint_for(name))

    def row_errors(self) -> list[str]:
        """Return the messages that belong to no single field."""
        return [*map(str, self.non_field_errors()), *self.definition_errors.get("", ())]

    def hidden_values(self) -> Iterator[SafeString]:
        """Yield hidden inputs with the values of the fields that do not apply."""
        visible = self.visible_names()
        for name in self.fields:
            if name not in visible and name != "DELETE" and self.value_of(name):
                yield self[name].as_hidden()

    def clean(self) -> dict[str, Any]:
        """Forget the errors of fields that do not apply."""
        visible = self.visible_names()
        for name in [name for name in self.errors if name not in visible and name in self.fields]:
            del self.errors[name]
        return self.cleaned_data

    def require(self, message: Label, *names: str) -> None:
        """Add `message` to each visible field of `names` that is empty."""
        for name in names:
            if name in self.visible_names() and name not in self.errors and not self.cleaned_data.get(name):
                self.add_error(name, str(message))

    def report(self, name: str, message: str) -> None:
        """Show an error of the definition at a field; an empty name means the whole form."""
        self.definition_errors.setdefault(name if name in self.visible_names() else "", []).append(message)


def instants(facts: Iterable[Any]) -> Choices:
    """Return the facts that are instants as choices."""
    return [(fact.name, fact.event or fact.label) for fact in facts if fact.kind == "instant"]


def bound_values(value: object, prefix: str, zone: str) -> dict[str, str]:
    """Return the initial values of a time and its time zone: fields `<prefix>at` and `<prefix>zone`."""
    bound = value if isinstance(value, dict) else {"at": value} if value and value != "claim" else {}
    if not bound:
        return {}
    return {f"{prefix}at": str(bound.get("at", "")), f"{prefix}zone": str(bound.get("zone", zone))}
