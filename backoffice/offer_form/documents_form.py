"""Allowances and entitlements of a campaign as rows of fields: names, conditions, units or value."""

from collections.abc import Collection as Words
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.conditions import condition_formset
from backoffice.offer_form.forms import ABSENT, SectionForm, or_missing
from backoffice.offer_form.inputs import SelectField
from backoffice.offer_form.quota import loaded, one_line
from backoffice.offer_form.rows import RowFormSet
from core.facts import Collection
from definitions import yaml_roundtrip
from definitions.entitlements import HOLDERS
from definitions.errors import DefinitionError
from merchants.facts import MERCHANTS
from services.facts import CLAIM_REQUESTS

SMALL = {"rows": 2, "spellcheck": "false"}
ENTER_NAME = _("Enter a name.")


class CasesField(forms.CharField):
    """Number, or cases of conditions with a number each, which are written as YAML."""

    widget = forms.Textarea

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs=SMALL), required=False, **options)

    def to_python(self, value: object) -> str:
        text = (super().to_python(value) or "").replace("\r\n", "\n")
        try:
            if ":" in text:
                yaml_roundtrip.load(text)
        except DefinitionError as error:
            raise forms.ValidationError([problem.message for problem in error.problems]) from error
        return text


def cases_text(value: Any) -> str:
    """Return a number or cases of the definition as the text of a `CasesField`."""
    return yaml_roundtrip.dump(value).strip() if isinstance(value, dict) else str(value or "")


def written_cases(text: str) -> Any:
    """Return the text of a `CasesField` for the definition; a text that is no YAML stays as it is."""
    try:
        return yaml_roundtrip.load(text) if ":" in text else text
    except DefinitionError:
        return text


class DocumentForm(SectionForm):
    """Document with a code, names and conditions. Words that the form does not have stay as they are saved.

    Its conditions are on the page only once they are opened: a campaign may have many documents. `saved` are the
    documents of the draft by code, `saved_code` names the one that the row is about.
    """

    known: Words[str]
    saved_code = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    code = forms.CharField(label=_("Code"), required=False, max_length=64)
    names_en = forms.CharField(label=_("Name in English"), required=False, max_length=200)
    names_zh = forms.CharField(label=_("Name in Chinese"), required=False, max_length=200)
    empty_texts = {"code": _("Enter a code."), "names_en": ENTER_NAME, "names_zh": ENTER_NAME}

    def __init__(self, *args: Any, saved: Mapping[str, Any], **options: Any) -> None:
        super().__init__(*args, **options)
        self.saved = saved.get(self.text_of("saved_code"), {})
        prefix, data = f"{self.prefix}-conditions", self.data if self.is_bound else {}
        if f"{prefix}-TOTAL_FORMS" in data or data.get("open") == self.prefix:
            rows = self.campaign.rows(self.holder_rows())
            stated = self.saved.get("conditions")
            self.parts["conditions"] = condition_formset(prefix, data, stated, campaign=self.campaign, collection=rows)

    def visible_names(self) -> list[str]:
        return [name for name in super().visible_names() if name != "saved_code"]

    @property
    def conditions(self) -> Any:
        """Return the conditions where they are on the page."""
        return self.parts.get("conditions")

    @property
    def saved_conditions(self) -> int:
        """Return the number of conditions that are saved."""
        stated = self.saved.get("conditions")
        return len(stated) if isinstance(stated, list) else 0

    def holder_rows(self) -> Collection:
        """Return the rows that the conditions are about."""
        raise NotImplementedError

    def to_row(self) -> dict[str, Any]:
        """Return the document for the definition."""
        names = {"en": or_missing(self.written("names_en")), "zh": or_missing(self.written("names_zh"))}
        first = {"code": or_missing(self.written("code")), "names": names}
        others = {word: part for word, part in self.saved.items() if word not in self.known}
        stated = self.conditions.write() if self.conditions else self.saved.get("conditions")
        return {**first, **self.own_words(), "conditions": stated or "everyone", **others}

    def own_words(self) -> dict[str, Any]:
        """Return the words of this kind of document."""
        raise NotImplementedError


class AllowanceForm(DocumentForm):
    """Allowance: what may be used, in which period, by whom, and how many units."""

    known = ("code", "names", "use", "in", "collected", "conditions", "units", "cost_per")
    use = forms.CharField(label=_("What may be used (code)"), required=False, max_length=64)
    period = forms.CharField(
        label=_("Each (period as YAML)"), required=False, max_length=2000, help_text=_("For example day or month.")
    )
    units = CasesField(label=_("Units, or cases as YAML"))
    cost_per = SelectField(label=_("One unit for each"), required=False)
    collected = forms.BooleanField(label=_("Merchants collect it by a request"), required=False)
    empty_texts = {
        **DocumentForm.empty_texts,
        "use": _("Enter a code."),
        "period": _("Enter a period, for example month."),
        "units": _("Enter a number."),
    }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.set_choices("cost_per", [("quantity", _("piece of a use")), ("buyer", _("different buyer"))])

    def holder_rows(self) -> Collection:
        return CLAIM_REQUESTS if self.value_of("collected") else MERCHANTS

    def own_words(self) -> dict[str, Any]:
        cost = self.written("cost_per")
        return {
            "use": or_missing(self.written("use")),
            "in": or_missing(loaded(self.text_of("period"))),
            "collected": self._collected(),
            "units": or_missing(written_cases(str(self.written("units")))),
            "cost_per": cost if cost != "quantity" or "cost_per" in self.saved else ABSENT,
        }

    def _collected(self) -> str:
        if self.written("collected"):
            return "yes"
        return "no" if self.saved.get("collected") == "no" else ABSENT


class EntitlementForm(DocumentForm):
    """Entitlement: who has it, by which conditions, and its value where it is no flag."""

    known = ("code", "names", "holder", "conditions", "value")
    holder = SelectField(label=_("Held by each"), required=False)
    value = CasesField(label=_("Value, or cases as YAML (empty: yes or no)"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.set_choices("holder", [(name, capfirst(str(rows.singular))) for name, rows in HOLDERS.items()])

    def holder_rows(self) -> Collection:
        return HOLDERS.get(self.text_of("holder"), MERCHANTS)

    def own_words(self) -> dict[str, Any]:
        text = str(self.written("value"))
        holder = self.written("holder") or next(iter(HOLDERS))
        return {"holder": holder, "value": written_cases(text) if text.strip() else ABSENT}


class AllowanceFormSet(RowFormSet):
    """Allowances of a campaign."""

    form = AllowanceForm
    first_names = ("code",)
    key_name = "code"


class EntitlementFormSet(RowFormSet):
    """Entitlements of a campaign."""

    form = EntitlementForm
    first_names = ("code",)
    key_name = "code"


def initial_allowance(row: Any) -> dict[str, Any]:
    """Return an allowance of the definition as the values of its form."""
    words = {"use": row.get("use"), "units": cases_text(row.get("units")), "cost_per": row.get("cost_per")}
    period = one_line(row["in"]) if row.get("in") else ""
    return {**_initial_document(row), **words, "period": period, "collected": row.get("collected") == "yes"}


def initial_entitlement(row: Any) -> dict[str, Any]:
    """Return an entitlement of the definition as the values of its form."""
    return {**_initial_document(row), "holder": row.get("holder"), "value": cases_text(row.get("value"))}


def _initial_document(row: Any) -> dict[str, Any]:
    names, code = row.get("names") or {}, row.get("code")
    return {"saved_code": code, "code": code, "names_en": names.get("en"), "names_zh": names.get("zh")}


def by_code(rows: Any) -> dict[str, Any]:
    """Return the documents of a definition by their codes."""
    return {str(row["code"]): row for row in rows or () if row.get("code")}
