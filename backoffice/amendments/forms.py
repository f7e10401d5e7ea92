"""Forms of small amendments: each has a few fields, the edit of the campaign's text, and its effects in figures."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.overview import OfferSummary
from campaigns.models import Decision, Draft, Version
from campaigns.offers import amendments
from campaigns.offers.amendments import AmendmentError, Edit
from campaigns.offers.pending_changes import short_changes
from campaigns.reporting.forecast import forecast
from core.formatting import format_number
from definitions import offer_edits
from definitions.errors import DefinitionError
from definitions.offer_terms import OfferTerms
from definitions.parser import CampaignDefinition


class AmendmentForm(forms.Form):
    """Amendment of one offer with an optional reason. `shown` is the number of the version that the page showed."""

    heading: str | Promise = ""
    text: CampaignDefinition
    draft: Draft
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("Optional. The person who approves reads it, and the audit log keeps it."),
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    shown = forms.IntegerField(widget=forms.HiddenInput)
    field_order: list[str] = []

    def __init__(self, data: Any = None, files: Any = None, *, line: OfferSummary) -> None:
        self.line, self.offer = line, line.offer
        assert self.offer.row.version is not None
        super().__init__(data, files, initial={"shown": self.offer.row.version.number})
        self.add_fields()
        self.order_fields([name for name in self.fields if name not in ("reason", "shown")])

    def add_fields(self) -> None:
        """Set what depends on the offer: initial values and choices."""

    def edit(self) -> Edit:
        """Return the edit of the campaign's text. Called with valid fields. Raises AmendmentError."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        """Check that the offer is the one shown and that the amendment can be published."""
        version = self.offer.row.version
        if not self.errors and version and self.cleaned_data["shown"] != version.number:
            raise forms.ValidationError(_("The offer has changed since you opened this page. Check the figures again."))
        if not self.errors:
            try:
                _source, self.text = amendments.amended(self.offer.row.campaign, self.edit())
            except (AmendmentError, DefinitionError) as refusal:
                raise forms.ValidationError(str(refusal)) from refusal
        return self.cleaned_data

    @property
    def terms(self) -> OfferTerms:
        """Return the terms of the offer with a valid amendment."""
        return next(terms for terms in self.text.offers if terms.code == self.offer.code)

    def effects(self) -> Iterator[str]:
        """Yield the effects of a valid amendment, with figures."""
        yield from (f"{change[:1].upper()}{change[1:]}." for change in short_changes(self.offer.terms, self.terms))
        old = amendments.terms_of_campaign(self.offer.row.campaign)
        others = [terms for terms in self.text.offers if terms.code != self.offer.code and old[terms.code] != terms]
        for terms in others:
            changes = "; ".join(short_changes(old[terms.code], terms))
            yield _("Also %(offer)s: %(changes)s.") % {"offer": terms.names, "changes": changes}


class LimitForm(AmendmentForm):
    """Another limit of the quota, no lower than what is used."""

    heading = gettext_lazy("Change the limit of %(name)s")
    limit = forms.IntegerField(
        label=gettext_lazy("New limit"),
        min_value=1,
        max_value=100_000_000,
        widget=forms.NumberInput(attrs={"class": "input", "autofocus": True}),
    )

    def add_fields(self) -> None:
        row = self.offer.row
        self.initial["limit"] = row.limit
        used, limit = format_number(row.places_taken), format_number(row.limit or 0)
        now = _("Now %(limit)s, of which %(used)s are used.") if row.limit else _("No limit now; %(used)s are used.")
        self.fields["limit"].help_text = now % {"limit": limit, "used": used}

    def clean_limit(self) -> int:
        """Refuse a limit below what is used."""
        limit, used = int(self.cleaned_data["limit"]), self.offer.row.places_taken
        if limit < used:
            text = ngettext(
                "%(used)s is used already: the limit cannot be lower than that.",
                "%(used)s are used already: the limit cannot be lower than that.",
                used,
            )
            raise forms.ValidationError(text % {"used": format_number(used)})
        return limit

    def edit(self) -> Edit:
        limit = self.cleaned_data["limit"]
        return lambda source: offer_edits.with_limit(source, self.offer.code, limit)

    def effects(self) -> Iterator[str]:
        row, limit = self.offer.row, self.cleaned_data["limit"]
        left = limit - row.places_taken
        words = {"old": format_number(self.line.left), "new": format_number(left)}
        yield (_("%(old)s left → %(new)s left.") if row.limit else _("No limit → %(new)s left.")) % words
        pace = self.line.forecast
        if pace:
            ahead = forecast([(self.line.at, pace.taken)], left=left, at=self.line.at, opened=pace.since)
            later = replace(self.line, forecast=ahead)
            yield later.forecast_text or _("The quota is used up at once.")
        refused = Decision.objects.filter(offer=row, outcome=Decision.Outcome.QUOTA_EXHAUSTED).count()
        if refused and left > 0:
            text = ngettext(
                "%(n)s claim that was refused because the quota was used up stays refused.",
                "%(n)s claims that were refused because the quota was used up stay refused.",
                refused,
            )
            yield text % {"n": format_number(refused)}


class RenameForm(AmendmentForm):
    """Other names of the offer."""

    heading = gettext_lazy("Rename %(name)s")
    en = forms.CharField(
        label=gettext_lazy("Name in English"), max_length=200, widget=forms.TextInput(attrs={"class": "input"})
    )
    zh = forms.CharField(
        label=gettext_lazy("Name in Chinese"), max_length=200, widget=forms.TextInput(attrs={"class": "input"})
    )

    def add_fields(self) -> None:
        self.initial["en"], self.initial["zh"] = self.offer.terms.names.en, self.offer.terms.names.zh
        self.fields["zh"].widget.attrs["lang"] = "zh-Hans"

    def edit(self) -> Edit:
        en, zh = self.cleaned_data["en"], self.cleaned_data["zh"]
        return lambda source: offer_edits.with_names(source, self.offer.code, en=en, zh=zh)


class RestoreForm(AmendmentForm):
    """Terms of an earlier version."""

    heading = gettext_lazy("Roll back %(name)s")
    version: Version

    def edit(self) -> Edit:
        return amendments.restore(self.offer, self.version)
