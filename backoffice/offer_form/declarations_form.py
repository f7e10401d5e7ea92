"""Attributes and kinds of event that the campaign of a draft declares, as YAML in the form of the campaign."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.forms import ABSENT, SectionForm
from definitions import yaml_roundtrip
from definitions.errors import DefinitionError

FIELDS = ("attributes", "events")


def _yaml_field(label: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 8, "spellcheck": "false"})
    return forms.CharField(label=label, required=False, strip=False, widget=widget)


class DeclarationsForm(SectionForm):
    """Declarations of a campaign; the page of the draft shows the errors in them that are not of YAML."""

    attributes = _yaml_field(_("Attributes as YAML"))
    events = _yaml_field(_("Kinds of event as YAML"))

    def clean_attributes(self) -> str:
        return self._clean_yaml("attributes")

    def clean_events(self) -> str:
        return self._clean_yaml("events")

    def _clean_yaml(self, name: str) -> str:
        text: str = (self.cleaned_data.get(name) or "").replace("\r\n", "\n")
        if text.strip():
            try:
                yaml_roundtrip.load(text)
            except DefinitionError as error:
                raise forms.ValidationError([problem.message for problem in error.problems]) from error
        return text

    def to_campaign(self) -> dict[str, Any]:
        """Return the words of the campaign. A text that is no YAML is left as it was saved."""
        return {name: self._value(name) for name in FIELDS if not self.errors.get(name)}

    def _value(self, name: str) -> Any:
        text = str(self.written(name)).replace("\r\n", "\n")
        return yaml_roundtrip.load(text) if text.strip() else ABSENT


def initial_declarations(document: Any) -> dict[str, str]:
    """Return the declarations of a document as the texts of the form."""
    return {name: yaml_roundtrip.dump(document[name]) for name in FIELDS if document.get(name)}
