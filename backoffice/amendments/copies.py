"""Copy of an offer in a draft: a new one of the published campaign, or one that is open already."""

from datetime import datetime
from typing import Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import Campaign, Draft, Offer
from campaigns.offers import drafts
from campaigns.offers.amendments import AmendmentError
from campaigns.offers.published_offers import PublishedOffer
from definitions import offer_edits
from definitions.offer_edits import EditError


class CopyForm(forms.Form):
    """Code and names of the copy, and the draft for it."""

    code = forms.RegexField(
        r"^[a-z0-9][a-z0-9-]*$",
        max_length=64,
        label=gettext_lazy("Code of the new offer"),
        help_text=gettext_lazy("Small letters, digits and hyphens."),
        error_messages={"invalid": gettext_lazy("Use small letters, digits and hyphens only.")},
        widget=forms.TextInput(attrs={"class": "input", "autofocus": True, "spellcheck": "false"}),
    )
    en = forms.CharField(
        label=gettext_lazy("Name in English"), max_length=200, widget=forms.TextInput(attrs={"class": "input"})
    )
    zh = forms.CharField(
        label=gettext_lazy("Name in Chinese"),
        max_length=200,
        widget=forms.TextInput(attrs={"class": "input", "lang": "zh-Hans"}),
    )
    draft = forms.ChoiceField(
        label=gettext_lazy("Draft"),
        required=False,
        help_text=gettext_lazy("Writing into a draft voids its submission or approval."),
        widget=forms.Select(attrs={"class": "select"}),
    )

    def __init__(self, data: Any = None, *, offer: PublishedOffer) -> None:
        names = offer.terms.names
        super().__init__(data, initial={"code": f"{offer.code}-2", "en": names.en, "zh": names.zh})
        choices = [
            (str(draft.pk), f"{draft} ({draft.get_status_display()})")
            for draft in drafts.of_campaign(offer.row.campaign.code)
        ]
        self.fields["draft"].choices = [("", _("New draft")), *choices]  # type: ignore[attr-defined]  # a choice field

    def clean_code(self) -> str:
        """Refuse the code of a published offer."""
        code = str(self.cleaned_data["code"])
        if Offer.objects.filter(code=code).exists():
            raise forms.ValidationError(_("There is an offer with this code already: %(code)s") % {"code": code})
        return code


def make_copy(offer: PublishedOffer, asked: dict[str, Any], *, at: datetime, by: str) -> Draft:
    """Write the copy into the draft that was asked for, or into a new one, and return the draft.

    Raises AmendmentError, DraftError or DefinitionError, with nothing stored.
    """
    words = {"new": asked["code"], "en": asked["en"], "zh": asked["zh"]}
    try:
        with transaction.atomic():
            if asked["draft"]:
                draft = Draft.objects.get(pk=asked["draft"])
                source = offer_edits.with_copy(draft.source, offer.code, **words)
                drafts.write(draft, source, was=draft.digest, at=at, by=by)
                return draft
            campaign = Campaign.objects.get(pk=offer.row.campaign_id)
            source = offer_edits.with_copy(campaign.source, offer.code, **words)
            title = _("New offer: %(name)s") % {"name": asked["en"]}
            return drafts.begin(source, title=title, at=at, by=by, of=campaign)
    except EditError as refusal:
        raise AmendmentError(str(refusal)) from refusal
