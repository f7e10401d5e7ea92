"""Small amendments of a published offer: a draft with one change, submitted for approval at once.

A second person approves and launches it as any other draft. Two amendments of one campaign can wait at a time: the
one that is launched second is rebased first.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Campaign, Draft, Version
from campaigns.offers import drafts, publishing
from campaigns.offers.pending_changes import short_changes
from campaigns.offers.published_offers import PublishedOffer, as_data, terms_of
from definitions import offer_edits, parser
from definitions.offer_edits import EditError
from definitions.offer_terms import OfferTerms
from definitions.parser import CampaignDefinition

Edit = Callable[[str], str]
"""Function from the published text of a campaign to the text with the amendment."""


class AmendmentError(Exception):
    """The amendment cannot be made; the text says why. Nothing was stored."""


def amended(campaign: Campaign, edit: Edit) -> tuple[str, CampaignDefinition]:
    """Return the text of the campaign with an amendment, and its definition.

    Raises AmendmentError if it changes nothing or cannot be published now, DefinitionError if the result has errors.
    """
    try:
        source = edit(campaign.source)
    except EditError as refusal:
        raise AmendmentError(str(refusal)) from refusal
    text = parser.read(source)
    if text == parser.read(campaign.source):
        raise AmendmentError(_("Nothing would change."))
    if objections := publishing.objections(text):
        raise AmendmentError(" ".join(objections))
    return source, text


def propose(offer: PublishedOffer, edit: Edit, *, at: datetime, by: str, reason: str = "") -> Draft:
    """Create a draft with the amendment and submit it for approval.

    Raises AmendmentError or DefinitionError, with nothing stored.
    """
    with transaction.atomic():
        campaign = Campaign.objects.get(pk=offer.row.campaign_id)
        source, text = amended(campaign, edit)
        title = title_of(offer, parser.read(campaign.source), text)
        draft = drafts.begin(source, title=title, at=at, by=by, of=campaign, reason=reason)
        drafts.submit(draft, at=at, by=by)
    return draft


def title_of(offer: PublishedOffer, before: CampaignDefinition, after: CampaignDefinition) -> str:
    """Return `US West: limit 300 → 400`, with the number of other offers that change too."""
    old = {terms.code: terms for terms in before.offers}
    changed: list[OfferTerms] = [terms for terms in after.offers if old.get(terms.code) != terms]
    mine = next((terms for terms in changed if terms.code == offer.code), offer.terms)
    words = {"offer": str(old[offer.code].names), "changes": "; ".join(short_changes(old[offer.code], mine))}
    title = _("%(offer)s: %(changes)s") % words
    others = sum(terms.code != offer.code for terms in changed)
    if others:
        text = ngettext("%(title)s (and %(n)d other offer)", "%(title)s (and %(n)d other offers)", others)
        title = text % {"title": title, "n": others}
    return title if len(title) <= 200 else f"{title[:199]}…"


def terms_of_campaign(campaign: Campaign) -> dict[str, OfferTerms]:
    """Return the terms in the published text of a campaign, by the code of the offer."""
    return {terms.code: terms for terms in parser.read(campaign.source).offers}


def list_names(campaign: Campaign) -> dict[str, str]:
    """Return the names of the lists in the published text of a campaign, by their keys."""
    return {key: str(values.names or key) for key, values in parser.read(campaign.source).lists.items()}


def restore(offer: PublishedOffer, version: Version) -> Edit:
    """Return the edit that makes the offer what it was in one of its versions.

    Raises AmendmentError if those are the terms in force, or the text cannot say them.
    """
    wanted = terms_of(version)
    if wanted == offer.terms:
        raise AmendmentError(_("Version %(n)d has the terms in force.") % {"n": version.number})

    def edit(source: str) -> str:
        edited = offer_edits.with_definition(source, offer.code, live=as_data(offer.terms), wanted=as_data(wanted))
        if next(terms for terms in parser.read(edited).offers if terms.code == offer.code) != wanted:
            raise EditError(_("Version %(n)d cannot be restored automatically.") % {"n": version.number})
        return edited

    return edit
