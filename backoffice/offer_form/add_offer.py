"""Page that adds an offer to a draft: from a template, or as a copy of another offer."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from backoffice.offer_form.document import load, offers_of
from backoffice.offer_form.duplicates import copy_offer
from backoffice.offer_form.mending import mend_first
from backoffice.offer_form.offer_templates import TEMPLATES, offer_from
from backoffice.rendering import actor, has_permissions, render_page, staff_view
from campaigns.models import Campaign, Draft
from campaigns.offers import drafts
from campaigns.offers.drafts import DraftError
from core import clock
from definitions import yaml_roundtrip


@dataclass(frozen=True)
class CopyGroup:
    """Offers that can be copied, of one campaign or of the draft itself; `key` names it in the form."""

    key: str
    name: str
    offers: list[tuple[str, str]]


def open_draft(request: HttpRequest, pk: int) -> Draft:
    """Return a draft that the user may change. Raises Http404, PermissionDenied."""
    draft = get_object_or_404(Draft, pk=pk)
    if draft.status not in Draft.OPEN or not has_permissions(request, "change_draft"):
        raise PermissionDenied
    return draft


@staff_view("view_draft", "change_draft")
@mend_first
def add_offer(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the templates and the offers to copy; add the chosen one to the draft and open it."""
    draft = open_draft(request, pk)
    document = load(draft.source)
    chosen = TEMPLATES.get(request.POST.get("template", ""))
    if request.method == "POST" and (chosen or request.POST.get("copy")):
        offer = offer_from(chosen, document) if chosen else _copied(request.POST.get("copy", ""), document)
        refusal = append_offer(request, draft, document, offer)
        if not refusal:
            return redirect("backoffice:offer-form", pk, offer["code"])
        messages.error(request, refusal)
    return render_page(
        request,
        "offer_form/add_offer",
        title=_("Add an offer"),
        draft=draft,
        templates=TEMPLATES.items(),
        groups=[group for group in _groups(document) if group.offers],
        has_offers=bool(offers_of(document)),
    )


def append_offer(request: HttpRequest, draft: Draft, document: Any, offer: Any) -> str:
    """Write the draft with one more offer; return why it is refused, or an empty string."""
    if not isinstance(document.get("offers"), list) or not document["offers"]:
        document["offers"] = yaml_roundtrip.load("offers:\n  - {}\n")["offers"]
        document["offers"].clear()
    document["offers"].append(offer)
    source = yaml_roundtrip.dump(document)
    try:
        drafts.write(draft, source, was=draft.digest, at=clock.now(), by=actor(request))
    except DraftError as error:
        return str(error)
    return ""


def _copied(key: str, document: Any) -> Any:
    """Return a copy of the offer that `key` names: the code of its campaign, empty for the draft, and its own."""
    campaign, _slash, code = key.partition("/")
    source = load(get_object_or_404(Campaign, code=campaign).source) if campaign else document
    return copy_offer(source, code, document)


def _groups(document: Any) -> list[CopyGroup]:
    groups = [CopyGroup("", _("This draft"), offer_names(document))]
    for campaign in Campaign.objects.order_by("-pk"):
        groups.append(CopyGroup(campaign.code, str(campaign.name), offer_names(load(campaign.source))))
    return groups


def offer_names(document: Any) -> list[tuple[str, str]]:
    """Return the codes of a document's offers with their names."""
    language = "zh" if (get_language() or "").startswith("zh") else "en"
    offers = [offer for offer in offers_of(document) if isinstance(offer, dict)]
    named = [(offer, offer.get("names")) for offer in offers]
    return [
        (str(offer.get("code") or ""), str(names.get(language) or "") if isinstance(names, dict) else "")
        for offer, names in named
    ]
