"""A draft's offer as a form and as text, always in step: what is filled in is put into the text, and said in words."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from backoffice.drafts import check_definition
from backoffice.offer_form.fields import Campaign
from backoffice.offer_form.layout import sheet
from backoffice.offer_form.save import Filled, fill
from backoffice.rendering import actor, has_permissions, render_page, staff_view
from campaigns.models import Draft
from campaigns.offers import drafts
from campaigns.offers.drafts import DraftError
from core import clock
from definitions import offer_sentences, yaml_roundtrip
from definitions.errors import DefinitionError, Problem


@staff_view("view_draft", "change_draft")
def offer(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """The form. Every change sends it, to see the sentences and the text; the button saves."""
    draft = get_object_or_404(Draft, pk=pk)
    if draft.status not in Draft.OPEN or not has_permissions(request, "change_draft"):
        raise PermissionDenied
    data, refusal = _data(draft.source), ""
    number, one = _offer(data, code)
    if request.method == "POST":
        try:
            fill(one, Filled(request.POST, str(data.get("zone", "UTC"))))
        except DefinitionError as error:
            refusal = str(error)
    source = yaml_roundtrip.dump(data)
    if request.method == "POST" and "save" in request.POST and not refusal:
        try:
            drafts.write(draft, source, was=request.POST.get("was", ""), at=clock.now(), by=actor(request))
        except DraftError as error:
            refusal = str(error)
        else:
            messages.success(request, _("The draft is saved."))
            return redirect("backoffice:offer-form", pk, code)
    text, problems = check_definition(source)
    terms = next((terms for terms in text.offers if terms.code == code), None) if text else None
    return render_page(
        request,
        "offer_form",
        title=f"{draft}: {code}",
        draft=draft,
        code=code,
        refusal=refusal,
        sections=list(sheet(one, _campaign(data, number, problems))),
        words=offer_sentences.describe_terms(terms) if terms else None,
        text=yaml_roundtrip.dump(one),
        elsewhere=[problem for problem in problems if not _here(problem, number)],
        top=[problem.message for problem in problems if problem.field == f"offers.{number}"],
    )


def _data(source: str) -> Any:
    try:
        return yaml_roundtrip.load(source)
    except DefinitionError as error:
        raise Http404 from error


def _offer(data: Any, code: str) -> tuple[int, Any]:
    """Which of the text's offers it is. Raises Http404."""
    offers = data.get("offers")
    for n, one in enumerate(offers if isinstance(offers, list) else ()):
        if isinstance(one, dict) and one.get("code") == code:
            return n, one
    raise Http404


def _here(problem: Problem, number: int) -> bool:
    return f"{problem.field}.".startswith(f"offers.{number}.")


def _campaign(data: Any, number: int, problems: tuple[Problem, ...]) -> Campaign:
    """What the inputs must know, with each problem at its place."""
    told: dict[str, list[str]] = {}
    for problem in problems:
        if _here(problem, number):
            place = problem.field.removeprefix(f"offers.{number}").removeprefix(".")
            told.setdefault(place.replace("benefit.coupons.", "benefit."), []).append(problem.message)
    windows, lists = (list(data.get(key) or ()) for key in ("windows", "lists"))
    return Campaign(str(data.get("zone", "UTC")), windows, lists, told)
