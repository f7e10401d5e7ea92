"""Form fields of the offer form: times, numbers, selects, and several values as tokens."""

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.known_values import KnownValues
from rules.time_windows import LOCAL

Label = str | Promise
Choices = list[tuple[str, Label]]
SEPARATORS = re.compile(r"[,，、;；\n]")
END_OF_MINUTE = ":59"


class SelectField(forms.CharField):
    """One of several choices. A value that is not among them is left to the checks of the definition."""

    widget = forms.Select

    def set_choices(self, choices: Iterable[tuple[Any, Any]], current: str) -> None:
        """Offer `choices`, in groups where an entry holds choices, and the current value where it is not among them."""
        offered = list(choices)
        known = {value for entry in offered for value, _label in (entry[1] if _is_group(entry) else [entry])}
        self.widget.choices = offered if not current or current in known else [*offered, (current, current)]


def _is_group(entry: tuple[Any, Any]) -> bool:
    return isinstance(entry[1], list | tuple)


class LocalTimeField(forms.CharField):
    """Local time, shown to the minute and written to the second: `2022-09-30 23:59:59`.

    An end includes its last minute, so 23:59 is written 23:59:59.
    """

    def __init__(self, *, is_end: bool = False, **options: Any) -> None:
        self.is_end = is_end
        super().__init__(widget=forms.TextInput(attrs={"type": "datetime-local"}), **options)

    @property
    def seconds(self) -> str:
        """Return the seconds that are not shown."""
        return END_OF_MINUTE if self.is_end else ":00"

    def prepare_value(self, value: object) -> Any:
        text = str(value or "").replace(" ", "T")
        return text.removesuffix(self.seconds) if len(text) > len("2022-09-30T23:59") else text

    def to_python(self, value: object) -> str:
        text = (super().to_python(value) or "").replace("T", " ")
        text = f"{text}{self.seconds}" if len(text) == len("2022-09-30 23:59") else text
        if text and not _is_local(text):
            raise forms.ValidationError(_("Enter a date and a time."))
        return text


def _is_local(text: str) -> bool:
    try:
        return bool(datetime.strptime(text, LOCAL))  # noqa: DTZ007  local by intention; the zone stands beside it
    except ValueError:
        return False


class NumberField(forms.CharField):
    """Number, kept as it was typed."""

    def __init__(self, *, least: int | None = None, whole: bool = False, **options: Any) -> None:
        self.least, self.whole = least, whole
        attrs = {"inputmode": "numeric" if whole else "decimal", "autocomplete": "off"}
        super().__init__(widget=forms.TextInput(attrs=attrs), **options)

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


class SuggestInput(forms.TextInput):
    """Text input that suggests known values by their names; a value that is not known can be typed too."""

    known = KnownValues()

    def format_value(self, value: Any) -> str | None:
        return self.known.name_of(str(value)) if value else value

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        text = super().value_from_datadict(data, files, name)
        return self.known.value_of(text.strip()) if text else text

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        attrs = self.build_attrs(self.attrs, attrs)
        words = {"name": name, "value": self.format_value(value), "attrs": attrs, "known": self.known.names.values()}
        return render_to_string("backoffice/offer_form/suggest.html", words)


class TokensInput(forms.Widget):
    """Several values as tokens with a button to remove each, and an input or a select that adds one more.

    Without JavaScript the buttons submit the form: `drop` names the value to be removed.
    """

    known = KnownValues()
    hidden_widget = forms.MultipleHiddenInput  # read by Field.as_hidden
    label: Label = ""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        sent = data.getlist(name) if hasattr(data, "getlist") else data.get(name) or []
        return list(dict.fromkeys(value for text in sent for value in self._values(str(text).strip())))

    def _values(self, text: str) -> list[str]:
        value = self.known.value_of(text)
        if value in self.known.names:
            return [value]
        return [self.known.value_of(part.strip()) for part in SEPARATORS.split(text) if part.strip()]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        values = [str(one) for one in value or ()]
        tokens = [{"value": one, "name": self.known.name_of(one), "bad": self.is_doubtful(one)} for one in values]
        rest = {key: label for key, label in self.known.names.items() if key not in values}
        words = {"name": name, "tokens": tokens, "rest": rest, "closed": self.known.closed}
        words |= {"attrs": attrs or {}, "label": (attrs or {}).get("aria-label", "")}
        return render_to_string("backoffice/offer_form/tokens.html", words)

    def is_doubtful(self, value: str) -> bool:
        """Return whether a value is unknown and either none can be added or it is nearly like a known one."""
        return value not in self.known.names and (self.known.closed or bool(self.known.nearest(value)))


class TokensField(forms.Field):
    """Several values."""

    widget = TokensInput
    hidden_widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        return [str(one) for one in value or ()]
