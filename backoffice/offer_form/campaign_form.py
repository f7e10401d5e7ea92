"""Campaign of a draft as a form: code, names, time zone, what its offers share, and what it declares."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.context import CampaignContext, FieldProblem, Part
from backoffice.offer_form.declarations_form import DeclarationsForm, initial_declarations
from backoffice.offer_form.documents_form import (
    AllowanceFormSet,
    EntitlementFormSet,
    by_code,
    initial_allowance,
    initial_entitlement,
)
from backoffice.offer_form.forms import ABSENT, SectionForm, or_missing
from backoffice.offer_form.inputs import Label, SelectField
from backoffice.offer_form.rows import RowFormSet
from backoffice.offer_form.times import TimeForm, initial_time
from definitions import yaml_roundtrip
from definitions.errors import DefinitionError
from rules.measures import PercentMeasure, RowMeasure

NAME = re.compile(r"[\w-]{1,64}", re.ASCII)
ENTER_NAME = gettext_lazy("Enter a name.")


class CampaignForm(SectionForm):
    """Code, names and time zone of a campaign."""

    names_en = forms.CharField(label=_("Name in English"), required=False, max_length=200)
    names_zh = forms.CharField(label=_("Name in Chinese"), required=False, max_length=200)
    code = forms.SlugField(
        label=_("Code"), required=False, max_length=64, help_text=_("Used in files and the API. Fixed once launched.")
    )
    zone = SelectField(label=_("Time zone"), required=False)
    empty_texts = {"names_en": ENTER_NAME, "names_zh": ENTER_NAME, "code": _("Enter a code.")}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.set_choices("zone", self.campaign.zones)
        if self.campaign.is_published:
            self.fields["code"].widget.attrs["readonly"] = True

    def to_campaign(self) -> dict[str, Any]:
        """Return the words of a campaign without its windows, lists and offers."""
        code = self.initial.get("code") if self.campaign.is_published else self.written("code")
        names = {"en": or_missing(self.written("names_en")), "zh": or_missing(self.written("names_zh"))}
        return {"campaign": or_missing(code), "names": names, "zone": self.written("zone") or self.campaign.zone}


class KeyedForm(SectionForm):
    """Entry that offers refer to by its key."""

    key = forms.CharField(label=_("Key"), required=False, max_length=64)
    empty_texts: dict[str, Label] = {"key": ENTER_NAME}

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if key and not NAME.fullmatch(key):
            raise forms.ValidationError(gettext("Use letters, digits and hyphens."))
        return key


class WindowForm(KeyedForm):
    """Shared window: its key, start and end."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        data = self.data if self.is_bound else None
        for name, label, is_end in (("from", _("Start"), False), ("to", _("End"), True)):
            self.parts[name] = TimeForm(
                data,
                prefix=f"{self.prefix}-{name}",
                campaign=self.campaign,
                label=label,
                is_end=is_end,
                initial=self.initial.get(name),
            )

    @property
    def times(self) -> list[Any]:
        """Return the start and the end."""
        return list(self.parts.values())

    def to_row(self) -> dict[str, Any]:
        """Return the window for the definition."""
        return {name: part.bound() or None for name, part in self.parts.items() if isinstance(part, TimeForm)}


class WindowFormSet(RowFormSet):
    """Windows of a campaign."""

    form = WindowForm
    first_names = ("key",)
    key_name = "key"


class OptionalNamesForm(SectionForm):
    """Form with a name that may be left out, but not in one language alone."""

    languages: tuple[str, str]
    """Fields of the name in English and in Chinese."""
    empty_texts: dict[str, Label] = {}

    def __init_subclass__(cls) -> None:
        cls.empty_texts = {**cls.empty_texts, **dict.fromkeys(cls.languages, ENTER_NAME)}

    def may_be_empty(self, name: str) -> bool:
        if name in self.languages:
            return not any(self.text_of(language) for language in self.languages)
        return super().may_be_empty(name)

    def written_names(self) -> dict[str, Any] | None:
        """Return the name in both languages, None without one. A language that is missing is an empty word."""
        en, zh = (or_missing(self.written(name)) for name in self.languages)
        return {"en": en, "zh": zh} if en or zh else None


class ValueForm(OptionalNamesForm):
    """Value of a shared list, with its names in both languages."""

    languages = ("en", "zh")
    value = forms.CharField(label=_("Value"), required=False, max_length=200)
    en = forms.CharField(label=_("Name in English"), required=False, max_length=200)
    zh = forms.CharField(label=_("Name in Chinese"), required=False, max_length=200)

    def to_row(self) -> tuple[str, dict[str, Any] | None]:
        """Return the value and its names."""
        return str(self.written("value")), self.written_names()


class ValueFormSet(RowFormSet):
    """Values of a shared list."""

    form = ValueForm
    first_names = ("value",)
    key_name = "value"
    max_num = absolute_max = 500


class ListForm(OptionalNamesForm, KeyedForm):
    """Shared list: its key, its names, and its values."""

    languages = ("names_en", "names_zh")
    empty_texts = KeyedForm.empty_texts
    names_en = forms.CharField(label=_("Name in English"), required=False, max_length=200)
    names_zh = forms.CharField(label=_("Name in Chinese"), required=False, max_length=200)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        data = self.data if self.is_bound else None
        values = self.initial.get("values") or []
        kwargs = {"campaign": self.campaign}
        self.entries = ValueFormSet(data, prefix=f"{self.prefix}-values", initial=values, form_kwargs=kwargs)
        self.parts = {"values": self.entries}

    def to_row(self) -> dict[str, Any]:
        """Return the list for the definition: values with names where every value has them."""
        values = self.entries.write()
        labels = {value: label for value, label in values if label}
        named = len(labels) == len(values)
        entry: dict[str, Any] = {"names": self.written_names() or ABSENT}
        entry["values"] = (labels if named else [value for value, _label in values]) or None
        return {**entry, "labels": labels if labels and not named else ABSENT}


class MeasureForm(OptionalNamesForm, KeyedForm):
    """Shared measure: its key, its names, and what it is, as YAML."""

    languages = ("names_en", "names_zh")
    empty_texts = {**KeyedForm.empty_texts, "text": _("Enter what is measured.")}
    names_en = forms.CharField(label=_("Name in English"), required=False, max_length=200)
    names_zh = forms.CharField(label=_("Name in Chinese"), required=False, max_length=200)
    text = forms.CharField(label=_("Measure as YAML"), required=False, widget=forms.Textarea(attrs={"rows": 5}))

    def clean_text(self) -> str:
        text: str = (self.cleaned_data.get("text") or "").replace("\r\n", "\n")
        try:
            if text and not isinstance(yaml_roundtrip.load(text), dict):
                raise forms.ValidationError(gettext("Write keys with values here, such as “key: value”."))
        except DefinitionError as error:
            raise forms.ValidationError([problem.message for problem in error.problems]) from error
        return text

    def to_row(self) -> dict[str, Any]:
        """Return the measure for the definition. Its words are replaced as a whole."""
        try:
            words = yaml_roundtrip.load(str(self.written("text") or ""))
        except DefinitionError:
            words = {}
        known = dict.fromkeys((*RowMeasure.field_words(), *PercentMeasure.field_words()), ABSENT)
        return {**known, "names": self.written_names() or ABSENT, **(words if isinstance(words, dict) else {})}


class MeasureFormSet(RowFormSet):
    """Measures of a campaign."""

    form = MeasureForm
    first_names = ("key",)
    key_name = "key"


class ListFormSet(RowFormSet):
    """Lists of a campaign."""

    form = ListForm
    first_names = ("key",)
    key_name = "key"


class CampaignForms:
    """All forms of a campaign, bound where `data` was sent."""

    def __init__(self, document: Any, context: CampaignContext, data: Any = None) -> None:
        shared = {"campaign": context}
        self.context, self.data = context, data
        self.basics = CampaignForm(data, prefix="campaign", initial=_initial_campaign(document), **shared)
        windows = [
            _initial_window(key, window, context.zone) for key, window in (document.get("windows") or {}).items()
        ]
        lists = [_initial_list(key, entry) for key, entry in (document.get("lists") or {}).items()]
        measures = [_initial_measure(key, entry) for key, entry in (document.get("measures") or {}).items()]
        self.measures = MeasureFormSet(data, prefix="measures", initial=measures, form_kwargs=shared)
        self.windows = WindowFormSet(data, prefix="windows", initial=windows, form_kwargs=shared)
        self.lists = ListFormSet(data, prefix="lists", initial=lists, form_kwargs=shared)
        self.allowances = self._documents(AllowanceFormSet, "allowances", initial_allowance, document)
        self.entitlements = self._documents(EntitlementFormSet, "entitlements", initial_entitlement, document)
        declared = initial_declarations(document)
        self.declarations = DeclarationsForm(data, prefix="declarations", initial=declared, **shared)

    def _documents(
        self, formset: type[RowFormSet], word: str, initial: Callable[[Any], dict[str, Any]], document: Any
    ) -> RowFormSet:
        rows = document.get(word) or []
        kwargs = {"campaign": self.context, "saved": by_code(rows)}
        return formset(self.data, prefix=word, initial=list(map(initial, rows)), form_kwargs=kwargs)

    @property
    def parts(self) -> list[Part]:
        documents: list[Part] = [self.allowances, self.entitlements]
        return [self.basics, self.windows, self.lists, self.measures, *documents, self.declarations]

    def is_valid(self) -> bool:
        """Return whether every part is complete and right."""
        valid = [part.is_valid() for part in self.parts]
        return all(valid)

    def problems(self) -> Iterator[FieldProblem]:
        """Yield the errors of all fields."""
        for part in self.parts:
            yield from part.problems()

    def to_campaign(self) -> dict[str, Any]:
        """Return the words of the campaign. The forms have been checked."""
        windows = {form.written("key"): row for form, row in _written(self.windows)}
        lists = {form.written("key"): row for form, row in _written(self.lists)}
        measures = {form.written("key"): row for form, row in _written(self.measures)}
        shared: dict[str, Any] = {"windows": windows, "lists": lists, "measures": measures}
        shared |= {"allowances": self.allowances.write(), "entitlements": self.entitlements.write()}
        words = {word: entries or ABSENT for word, entries in shared.items()}
        return {**self.basics.to_campaign(), **words, **self.declarations.to_campaign()}


def _written(rows: RowFormSet) -> list[tuple[SectionForm, Any]]:
    return list(zip(rows.active_forms, rows.write(), strict=True))


def _initial_campaign(document: Any) -> dict[str, Any]:
    names = document.get("names") or {}
    basics = {"names_en": names.get("en"), "names_zh": names.get("zh")}
    return {**basics, "code": document.get("campaign"), "zone": document.get("zone")}


def _initial_window(key: str, window: Any, zone: str) -> dict[str, Any]:
    ends = window if isinstance(window, dict) else {}
    start, end = initial_time(ends.get("from"), zone), initial_time(ends.get("to"), zone, is_end=True)
    return {"key": key, "from": start, "to": end}


def _initial_measure(key: str, entry: Any) -> dict[str, Any]:
    full: dict[str, Any] = entry if isinstance(entry, dict) else {}
    names = full.get("names") or {}
    text = yaml_roundtrip.dump({word: part for word, part in full.items() if word != "names"}).strip()
    return {"key": key, "names_en": names.get("en"), "names_zh": names.get("zh"), "text": text}


def _initial_list(key: str, entry: Any) -> dict[str, Any]:
    full: dict[str, Any] = entry if isinstance(entry, dict) else {"values": entry or []}
    names, values, labels = full.get("names") or {}, full.get("values") or [], full.get("labels") or {}
    named = values if isinstance(values, dict) else {value: labels.get(value) for value in values}
    rows = [{"value": value, **(label or {})} for value, label in named.items()]
    return {"key": key, "names_en": names.get("en"), "names_zh": names.get("zh"), "values": rows}
