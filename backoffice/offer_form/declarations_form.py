"""Parts that are edited as YAML: declared facts and documents of a campaign, and the rows that an offer looks up."""

from textwrap import indent
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backoffice.offer_form.forms import ABSENT, SectionForm
from core.facts import Collection
from definitions import yaml_roundtrip
from definitions.errors import DefinitionError
from rules.lookups import valid_lookups, with_lookups

FIELDS = ("attributes", "events", "scorecards")


def _yaml_field(label: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 8, "spellcheck": "false"})
    return forms.CharField(label=label, required=False, strip=False, widget=widget)


def _load(text: str) -> Any:
    """Return the mapping or list of a text. Raises DefinitionError."""
    return yaml_roundtrip.load("in:\n" + indent(text, "  "))["in"]


class YamlForm(SectionForm):
    """Form of fields that are YAML; the page of the draft shows the errors in them that are not of YAML."""

    def _clean_yaml(self, name: str) -> str:
        text: str = (self.cleaned_data.get(name) or "").replace("\r\n", "\n")
        if text.strip():
            try:
                _load(text)
            except DefinitionError as error:
                raise forms.ValidationError([problem.message for problem in error.problems]) from error
        return text

    def _words(self) -> dict[str, Any]:
        """Return the values of the fields. A text that is no YAML is left as it was saved."""
        return {name: self._value(name) for name in self.fields if not self.errors.get(name)}

    def _value(self, name: str) -> Any:
        text = str(self.written(name)).replace("\r\n", "\n")
        return _load(text) if text.strip() else ABSENT


class DeclarationsForm(YamlForm):
    """Declarations and scorecards of a campaign."""

    attributes = _yaml_field(_("Attributes as YAML"))
    events = _yaml_field(_("Kinds of event as YAML"))
    scorecards = _yaml_field(_("Scorecards as YAML"))

    def clean_attributes(self) -> str:
        return self._clean_yaml("attributes")

    def clean_events(self) -> str:
        return self._clean_yaml("events")

    def clean_scorecards(self) -> str:
        return self._clean_yaml("scorecards")

    def to_campaign(self) -> dict[str, Any]:
        """Return the words of the campaign."""
        return self._words()


class LookupsForm(YamlForm):
    """Rows of other collections that the subjects of an offer look up."""

    lookups = _yaml_field(_("Looked-up rows as YAML"))

    def clean_lookups(self) -> str:
        return self._clean_yaml("lookups")

    def to_offer(self) -> dict[str, Any]:
        """Return the words of this section."""
        return self._words()

    def rows_with(self, collection: Collection) -> Collection:
        """Return a collection with the facts of the rows that it looks up, as far as they can be read."""
        try:
            value = yaml_roundtrip.load(self.text_of("lookups") or "{}")
        except DefinitionError:
            return collection
        return with_lookups(collection, valid_lookups(value, collection, {"lists": {}, "zone": self.campaign.zone}))


def initial_declarations(document: Any) -> dict[str, str]:
    """Return the declarations of a document as the texts of the form."""
    return {name: yaml_roundtrip.dump(document[name]) for name in FIELDS if document.get(name)}


def initial_lookups(offer: Any) -> dict[str, str]:
    """Return the lookups of an offer as the text of the form."""
    return {"lookups": yaml_roundtrip.dump(offer["lookups"])} if offer.get("lookups") else {}
