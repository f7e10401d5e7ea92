"""Page on which one offer of a draft is edited as a form, beside the sentences and the YAML that it produces."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from backoffice.conflicts import find_conflict, was_shown
from backoffice.drafts import check_definition
from backoffice.offer_form.fields import CampaignContext
from backoffice.offer_form.offer import OfferForm
from backoffice.offer_form.save import write_offer
from backoffice.rendering import actor, has_permissions, render_page, staff_view
from campaigns.models import Draft
from campaigns.offers import drafts
from campaigns.offers.drafts import DraftError
from core import clock
from definitions import offer_sentences, yaml_roundtrip
from definitions.errors import DefinitionError, Problem
from definitions.parser import CampaignDefinition


@staff_view("view_draft", "change_draft")
def edit_offer(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Show the form. Every change posts it to refresh the preview; the button `save` writes the draft.

    A form with errors is never saved, and shows what was typed.
    """
    draft = get_object_or_404(Draft, pk=pk)
    if draft.status not in Draft.OPEN or not has_permissions(request, "change_draft"):
        raise PermissionDenied
    data = _load(draft.source)
    number, offer = _find_offer(data, code)
    saved = yaml_roundtrip.dump(offer)
    form = OfferForm(offer, _campaign_context(data), request.POST or None)
    valid = request.method != "POST" or form.is_valid()
    if request.method == "POST" and valid:
        write_offer(offer, form)
    source = yaml_roundtrip.dump(data)
    text, problems = check_definition(source) if valid else (None, ())
    own = _report(form, number, problems)
    conflict = find_conflict(request, draft, saved=saved, mine=yaml_roundtrip.dump(offer)) if valid else None
    refusal = ""
    if "save" in request.POST:
        if not valid or own:
            refusal = _("Not saved. Correct the marked fields.")
        elif was_shown(request, conflict):
            refusal = _save(request, draft, source)
            if not refusal:
                return redirect("backoffice:offer-form", pk, code)
    base = request.POST.get("was") or drafts.digest(saved)
    shown = {"offer": offer, "text": text, "other_problems": [problem for problem in problems if problem not in own]}
    return _render(request, draft, code, form=form, refusal=refusal, conflict=conflict, base_digest=base, **shown)


def _render(
    request: HttpRequest, draft: Draft, code: str, *, offer: Any, text: CampaignDefinition | None, **context: Any
) -> HttpResponse:
    terms = next((terms for terms in text.offers if terms.code == code), None) if text else None
    return render_page(
        request,
        "offer_form",
        title=f"{draft}: {code}",
        draft=draft,
        code=code,
        form_is_bound=request.method == "POST",
        restored="restored" in request.POST,
        sentences=offer_sentences.describe_terms(terms) if terms else None,
        yaml=yaml_roundtrip.dump(offer),
        **context,
    )


def _report(form: OfferForm, number: int, problems: Sequence[Problem]) -> list[Problem]:
    """Show the problems of the offer at its fields; return them."""
    path = f"offers.{number}"
    own = [problem for problem in problems if f"{problem.field}.".startswith(f"{path}.")]
    for problem in own:
        form.report(problem.field.removeprefix(path).removeprefix("."), problem.message)
    return own


def _save(request: HttpRequest, draft: Draft, source: str) -> str:
    """Write the draft; return why it is refused, or an empty string."""
    try:
        drafts.write(draft, source, was=draft.digest, at=clock.now(), by=actor(request))
    except DraftError as error:
        return str(error)
    messages.success(request, _("The draft is saved."), extra_tags="saved")
    return ""


def _load(source: str) -> Any:
    try:
        return yaml_roundtrip.load(source)
    except DefinitionError as error:
        raise Http404 from error


def _find_offer(data: Any, code: str) -> tuple[int, Any]:
    """Return the position of the offer in the text, and the offer. Raises Http404."""
    offers = data.get("offers")
    for number, offer in enumerate(offers if isinstance(offers, list) else ()):
        if isinstance(offer, dict) and offer.get("code") == code:
            return number, offer
    raise Http404


def _campaign_context(data: Any) -> CampaignContext:
    lists = {name: _values_of(entry) for name, entry in (data.get("lists") or {}).items()}
    return CampaignContext(str(data.get("zone", "UTC")), list(data.get("windows") or ()), lists)


def _values_of(entry: Any) -> list[str]:
    """Return the values of a shared list, whose values are a list or have labels."""
    values = entry.get("values") if isinstance(entry, dict) else entry
    return [str(value) for value in values or ()]
