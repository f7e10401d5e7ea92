"""Page of the campaign of a draft: what its offers share, and the offers."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from backoffice.conflicts import find_conflict, was_shown
from backoffice.offer_form.actions import apply_actions
from backoffice.offer_form.add_offer import offer_names, open_draft
from backoffice.offer_form.campaign_form import CampaignForms
from backoffice.offer_form.document import campaign_context, load, offers_of
from backoffice.offer_form.mending import mend_first
from backoffice.offer_form.save import write_offer
from backoffice.rendering import actor, render_page, staff_view
from campaigns.models import Campaign
from campaigns.offers import drafts
from campaigns.offers.drafts import DraftError
from core import clock
from definitions import yaml_roundtrip


@staff_view("view_draft", "change_draft")
@mend_first
def edit_campaign(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the campaign of a draft, save its words, and take an offer out of the draft."""
    draft = open_draft(request, pk)
    document = load(draft.source)
    saving = request.method == "POST" and ("save" in request.POST or "remove_offer" in request.POST)
    published = Campaign.objects.filter(code=document.get("campaign")).exists()
    context = campaign_context(document, checked="save" in request.POST, is_published=published)
    form = CampaignForms(document, context, apply_actions(request.POST) if request.method == "POST" else None)
    valid = request.method != "POST" or form.is_valid()
    if request.method == "POST":
        write_offer(document, form.to_campaign(), context.zone)
        _take_out(document, request.POST.get("remove_offer", ""))
    source = yaml_roundtrip.dump(document)
    conflict = find_conflict(request, draft, saved=draft.source, mine=source) if valid else None
    if saving and valid and was_shown(request, conflict):
        try:
            drafts.write(draft, source, was=draft.digest, at=clock.now(), by=actor(request))
        except DraftError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("The draft is saved."), extra_tags="saved")
            return redirect("backoffice:draft-campaign", pk)
    return render_page(
        request,
        "offer_form/campaign",
        title=_("Campaign of this draft"),
        draft=draft,
        form=form,
        problems=list(form.problems()),
        conflict=conflict,
        restored="restored" in request.POST,
        base_digest=request.POST.get("was") or draft.digest,
        is_bound=request.method == "POST",
        offers=offer_names(document),
    )


def _take_out(document: Any, code: str) -> None:
    """Take the offer with that code out of the document."""
    offers = offers_of(document)
    for number, offer in enumerate(offers):
        if code and isinstance(offer, dict) and offer.get("code") == code:
            del offers[number]
            return
