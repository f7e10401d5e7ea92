"""Form that moves the end dates of an offer later."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.amendments.end_dates import hint_of, label_of, movable_ends
from backoffice.amendments.forms import AmendmentForm
from campaigns.offers import amendments, schedule
from campaigns.offers.amendments import Edit
from definitions import offer_edits


class ExtendForm(AmendmentForm):
    """Later end dates of the windows of an offer, on the clocks of their zones."""

    heading = gettext_lazy("Extend %(name)s")

    def add_fields(self) -> None:
        names = {
            code: str(terms.names) for code, terms in amendments.terms_of_campaign(self.offer.row.campaign).items()
        }
        self.ends = {f"end_{n}": end for n, end in enumerate(movable_ends(self.line))}
        for name, end in self.ends.items():
            self.initial[name] = end.at[:16].replace(" ", "T")
            self.fields[name] = forms.CharField(
                label=label_of(end, self.offer.terms),
                help_text=hint_of(end, names),
                widget=forms.TextInput(attrs={"class": "input", "type": "datetime-local"}),
            )
        if any(end.also_in for end in self.ends.values()):
            self.fields["scope"] = forms.ChoiceField(
                label=gettext_lazy("Windows that other offers use too"),
                choices=[
                    ("one", gettext_lazy("Extend them for this offer only")),
                    ("all", gettext_lazy("Extend them for all offers that use them")),
                ],
                initial="one",
                widget=forms.RadioSelect,
            )

    def clean(self) -> dict[str, Any]:
        """Collect the dates that were moved, and refuse earlier ones."""
        self.moved: dict[str, str] = {}
        for name, end in self.ends.items():
            if name in self.cleaned_data:
                self._check(name, end)
        return super().clean()

    def _check(self, name: str, end: offer_edits.EndDate) -> None:
        try:
            at = datetime.strptime(self.cleaned_data[name][:16].replace("T", " "), "%Y-%m-%d %H:%M")  # noqa: DTZ007
        except ValueError:
            self.add_error(name, _("Enter a date and a time, such as 2022-10-15 23:59."))
            return
        text = f"{at:%Y-%m-%d %H:%M}{end.at[16:]}"
        if text < end.at:
            self.add_error(name, _("Choose %(at)s or later. An earlier end needs a draft.") % {"at": end.at[:16]})
        elif text > end.at:
            self.moved[end.key] = text

    def edit(self) -> Edit:
        for_all = self.cleaned_data.get("scope") == "all"
        return lambda source: offer_edits.with_ends(source, self.offer.code, self.moved, for_all=for_all)

    def effects(self) -> Iterator[str]:
        yield from super().effects()
        old, new = self.line.closes, schedule.closes(self.terms)
        if old and new and new.instant > old.instant:
            days = (new.instant - old.instant).days
            yield ngettext("Open for %(n)d more day.", "Open for %(n)d more days.", days) % {"n": days}
            if self.line.forecast:
                yield replace(self.line, closes=new).forecast_text
