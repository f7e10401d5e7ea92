"""Pages of small amendments of an offer, and of a copy of it: one form each, which makes a draft."""

from collections.abc import Sequence

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from backoffice.amendments.copies import CopyForm, make_copy
from backoffice.amendments.extend_form import ExtendForm
from backoffice.amendments.forms import AmendmentForm, LimitForm, RenameForm, RestoreForm
from backoffice.amendments.list_form import ListForm
from backoffice.offer_actions import reason_against
from backoffice.offers import get_offer
from backoffice.overview import OfferSummary, summarize_offers
from backoffice.rendering import actor, render_page, staff_view
from campaigns.models import Version
from campaigns.offers import amendments, published_offers
from campaigns.offers.amendments import AmendmentError
from campaigns.offers.drafts import DraftError
from core import clock
from definitions import diff
from definitions.errors import DefinitionError

FORMS: dict[str, type[AmendmentForm]] = {
    "limit": LimitForm,
    "extend": ExtendForm,
    "rename": RenameForm,
    "list": ListForm,
}


def _line(code: str) -> OfferSummary:
    [line] = summarize_offers([get_offer(code)], at=clock.now())
    return line


@staff_view("add_draft", "change_draft")
def amend(request: HttpRequest, code: str, kind: str) -> HttpResponse:
    """Ask for a small amendment and submit it for approval."""
    if kind not in FORMS:
        raise Http404
    line = _line(code)
    why_not = reason_against(line, kind)
    if why_not and request.method == "POST":
        raise PermissionDenied
    form = FORMS[kind](request.POST or None, request.FILES or None, line=line)
    return _answer(request, line, form, why_not=str(why_not))


@staff_view("add_draft", "change_draft")
def restore(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Ask to roll an offer back to one of its versions, and submit that for approval."""
    line = _line(code)
    version = get_object_or_404(Version, offer=line.offer.id, number=number)
    form = RestoreForm(request.POST or None, line=line)
    form.version = version
    try:
        amendments.amended(line.offer.row.campaign, amendments.restore(line.offer, version))
        why_not = ""
    except (AmendmentError, DefinitionError) as refusal:
        why_not = str(refusal)
    if why_not and request.method == "POST":
        raise PermissionDenied
    now, then = line.offer.terms, published_offers.terms_of(version)
    return _answer(request, line, form, why_not=why_not, differences=list(diff.compare({now.code: now}, [then])))


def _answer(
    request: HttpRequest,
    line: OfferSummary,
    form: AmendmentForm,
    *,
    why_not: str,
    differences: Sequence[diff.OfferDifference] = (),
) -> HttpResponse:
    """Submit a valid amendment, or show its form with the effects."""
    is_valid = request.method == "POST" and form.is_valid()
    if is_valid and "preview" not in request.POST and _submit(request, line, form):
        return redirect("backoffice:draft", form.draft.pk)
    return render_page(
        request,
        "amendment",
        title=str(form.heading) % {"name": line.offer.row.name},
        form=form,
        line=line,
        offer=line.offer,
        effects=list(form.effects()) if is_valid and not form.errors else [],
        why_not=why_not,
        differences=differences,
    )


def _submit(request: HttpRequest, line: OfferSummary, form: AmendmentForm) -> bool:
    """Submit the amendment and return whether that worked; otherwise the form says why not."""
    try:
        form.draft = amendments.propose(
            line.offer, form.edit(), at=line.at, by=actor(request), reason=form.cleaned_data["reason"]
        )
    except (AmendmentError, DefinitionError) as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, _("Submitted. A second person must approve this change before it can be launched."))
    return True


@staff_view("add_draft", "change_draft")
def duplicate(request: HttpRequest, code: str) -> HttpResponse:
    """Copy an offer into a new or an open draft of its campaign, and open the copy in the form."""
    line = _line(code)
    form: forms.Form = CopyForm(request.POST or None, offer=line.offer)
    if request.method == "POST" and form.is_valid():
        try:
            draft = make_copy(line.offer, form.cleaned_data, at=line.at, by=actor(request))
        except (AmendmentError, DraftError, DefinitionError) as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("backoffice:offer-form", draft.pk, form.cleaned_data["code"])
    title = _("Duplicate %(name)s") % {"name": line.offer.row.name}
    return render_page(request, "duplicate_offer", title=title, form=form, line=line, offer=line.offer)
