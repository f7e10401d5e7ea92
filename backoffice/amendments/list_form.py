"""Form that changes a list which an offer uses: codes are pasted or come from a file."""

import csv

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.amendments.forms import AmendmentForm
from campaigns.offers import amendments
from campaigns.offers.amendments import Edit
from core.formatting import format_number
from definitions import offer_edits
from definitions.offer_edits import ListEntry

MOST_ENTRIES = 2_000
MOST_BYTES = 200_000


class ListForm(AmendmentForm):
    """Values to add to a list that the offer uses, and values to remove."""

    heading = gettext_lazy("Change a list of %(name)s")
    list_name = forms.ChoiceField(label=gettext_lazy("List to change"), widget=forms.Select(attrs={"class": "select"}))
    added = forms.CharField(
        label=gettext_lazy("Add"),
        required=False,
        help_text=gettext_lazy("One code a line. Names may follow: code, English name, Chinese name."),
        widget=forms.Textarea(attrs={"class": "textarea", "rows": 4, "spellcheck": "false"}),
    )
    file = forms.FileField(
        label=gettext_lazy("Add from a file"),
        required=False,
        help_text=gettext_lazy("CSV or text in UTF-8, in the same form, at most 200 KB."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/plain,text/csv"}),
    )
    removed = forms.CharField(
        label=gettext_lazy("Remove"),
        required=False,
        help_text=gettext_lazy("One code a line."),
        widget=forms.Textarea(attrs={"class": "textarea", "rows": 4, "spellcheck": "false"}),
    )

    def add_fields(self) -> None:
        try:
            self.lists = offer_edits.list_values(self.offer.row.campaign.source, self.offer.code)
        except offer_edits.EditError:  # the campaign's text has this offer no more: no list can be changed for it
            self.lists = {}
        names = amendments.list_names(self.offer.row.campaign)
        self.fields["list_name"].choices = [  # type: ignore[attr-defined]  # a choice field
            (name, f"{names[name]} ({format_number(len(values))})") for name, values in self.lists.items()
        ]

    def clean_added(self) -> list[ListEntry]:
        return self._entries("added", self.cleaned_data["added"])

    def clean_file(self) -> list[ListEntry]:
        """Read the entries of the file."""
        file = self.cleaned_data["file"]
        if not file:
            return []
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("The file is larger than 200 KB."))
        try:
            text = file.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise forms.ValidationError(_("The file is not text in UTF-8.")) from error
        return self._entries("file", text)

    def clean_removed(self) -> list[str]:
        return [entry.value for entry in self._entries("removed", self.cleaned_data["removed"])]

    def _entries(self, field: str, text: str) -> list[ListEntry]:
        try:
            rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines())]
        except csv.Error as error:  # a cell of more than 128 KB
            raise forms.ValidationError(_("A line is too long: write one code a line.")) from error
        entries = [ListEntry(*row[:3]) for row in rows if row and row[0]]
        if len(entries) > MOST_ENTRIES:
            raise forms.ValidationError(_("At most %(n)s codes at a time.") % {"n": format_number(MOST_ENTRIES)})
        return list({entry.value: entry for entry in entries}.values())

    def edit(self) -> Edit:
        name, removed = self.cleaned_data["list_name"], self.cleaned_data["removed"]
        added = [*self.cleaned_data["added"], *self.cleaned_data["file"]]
        return lambda source: offer_edits.with_list(source, name, added=added, removed=removed)
