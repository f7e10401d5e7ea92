"""Pages of drafts: edit, submit, approve by a second person, rebase, launch."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice import draft_review, rating_trials
from backoffice.conflicts import Conflict, find_conflict, was_shown
from backoffice.rendering import ReasonForm, actor, has_permissions, render_confirmation, render_page, staff_view
from campaigns.eligibility import audience
from campaigns.models import Draft
from campaigns.offers import draft_comments, drafts, publishing
from campaigns.offers.drafts import DraftError
from core import clock
from definitions import diff, parser
from definitions.errors import DefinitionError, Problem
from definitions.parser import CampaignDefinition
from definitions.warnings import find_warnings


class DefinitionForm(forms.Form):
    """Definition as text; `was` is the digest of the text that the page showed."""

    source = forms.CharField(
        label=gettext_lazy("Definition"), strip=False, widget=forms.Textarea(attrs={"rows": 30, "spellcheck": "false"})
    )
    was = forms.CharField(widget=forms.HiddenInput)

    def clean_source(self) -> str:
        return _normalized(self.cleaned_data["source"])


def _normalized(text: str) -> str:
    """Return a text with the line ends of a draft: browsers send others."""
    return text.replace("\r\n", "\n")


@staff_view("view_draft")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a draft with its changes, checks, simulation, comments, history and actions; save its text."""
    draft = get_object_or_404(Draft, pk=pk)
    writable = draft.status in Draft.OPEN and has_permissions(request, "change_draft")
    form = DefinitionForm(request.POST or None, initial={"source": draft.source, "was": draft.digest})
    conflict = find_conflict(request, draft, saved=draft.source, mine=_normalized(request.POST.get("source", "")))
    restored = "restored" in request.POST
    if request.method == "POST" and not restored and _save(request, draft, form, conflict, writable=writable):
        return redirect("backoffice:draft", draft.pk)
    return render_page(
        request,
        "draft",
        title=str(draft),
        draft=draft,
        form=form,
        writable=writable,
        restored=restored,
        conflict=conflict,
        **_review(request, draft),
    )


def _review(request: HttpRequest, draft: Draft) -> dict[str, Any]:
    """Return what the page shows of a draft besides its text."""
    text, problems = check_definition(draft.source)
    outdated, mine = bool(drafts.out_of_date([draft])), drafts.had_a_hand(draft, actor(request))
    compared = draft_review.in_both_languages(text) if text else []
    simulated = _simulated(request, draft, {each.own.code for each in compared if each.own.new})
    changed = {each.own.code for each in compared if each.own.changed}
    warnings, acts = draft_warnings(text) if text else [], list(draft.acts.order_by("-pk"))
    return {
        "text": text,
        "is_yaml": request.GET.get("view") == "yaml",
        "text_lines": draft_review.text_lines(draft),
        "compared": compared,
        "checks": draft_review.checks(
            valid=text is not None,
            outdated=outdated,
            mine=mine,
            simulated=simulated["simulated"],
            warnings=warnings,
            problems=problems,
        ),
        "returned": drafts.return_of(draft),
        "out_of_date": outdated,
        "acts": acts,
        "steps": draft_review.steps(draft, acts),
        "next_step": draft_review.next_step(draft, mine=mine),
        "effects": _effects(NEXT[draft.status], [each.own for each in compared]) if draft.status in NEXT else [],
        "buttons": _buttons(request, draft, text is not None, outdated=outdated),
        "scorecards": rating_trials.changed_scorecards(draft, text, changed) if text else [],
        "may_simulate": text is not None and has_permissions(request, "add_simulation"),
        "weeks": draft_review.weeks_back(text, at=clock.now()) if text else 0,
        "comments": draft.comments.order_by("pk"),
        "comment_form": draft_review.CommentForm(None, draft_review.changed_lines(compared)),
        "may_comment": _may_comment(request),
        **simulated,
    }


def _simulated(request: HttpRequest, draft: Draft, new: set[str]) -> dict[str, Any]:
    """Return what the page shows of the simulations of a draft to who may see them; `new` are codes of new offers."""
    sees = has_permissions(request, "view_simulation")
    simulation, simulated = draft_review.latest_simulation(draft) if sees else (None, None)
    return {
        "simulation": simulation,
        "simulated": simulated,
        "outcomes": draft_review.outcomes(simulation, new),
        "sees_simulations": sees,
        "simulations": draft_review.latest_simulations(draft) if sees else (),
    }


NEXT: dict[str, str] = {
    Draft.Status.DRAFT: "submit",
    Draft.Status.SUBMITTED: "approve",
    Draft.Status.APPROVED: "launch",
}
"""The verb that brings a draft to its next state."""


def _may_comment(request: HttpRequest) -> bool:
    return has_permissions(request, "change_draft") or has_permissions(request, "approve_draft")


@staff_view("view_draft", methods=("POST",))
def comment(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a comment to a draft, by one who writes or approves drafts."""
    if not _may_comment(request):
        raise PermissionDenied
    draft = get_object_or_404(Draft, pk=pk)
    text, _problems = check_definition(draft.source)
    lines = draft_review.changed_lines(draft_review.in_both_languages(text)) if text else []
    form = draft_review.CommentForm(request.POST, lines)
    if form.is_valid():
        data = form.cleaned_data
        draft_comments.add(draft, data["text"], quote=data["quote"], at=clock.now(), by=actor(request))
    else:
        messages.error(request, _("The comment is not saved: it is empty, too long, or about a line that has changed."))
    return redirect(f"{reverse('backoffice:draft', args=[pk])}#comments")


def _save(
    request: HttpRequest, draft: Draft, form: DefinitionForm, conflict: Conflict | None, *, writable: bool
) -> bool:
    """Save the text and return whether that worked; otherwise the page keeps what was typed."""
    if not writable:
        raise PermissionDenied
    if not form.is_valid() or not was_shown(request, conflict):
        return False
    try:
        drafts.write(draft, form.cleaned_data["source"], was=draft.digest, at=clock.now(), by=actor(request))
    except DraftError as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, _("The draft is saved."), extra_tags="saved")
    return True


def check_definition(source: str) -> tuple[CampaignDefinition | None, tuple[Problem, ...]]:
    """Return the campaign that a text defines, or the problems of the text."""
    try:
        return parser.read(source), ()
    except DefinitionError as error:
        return None, error.problems


def draft_warnings(text: CampaignDefinition) -> list[str]:
    """Return what a reviewer should know of a definition without errors."""
    return [*publishing.objections(text), *find_warnings(text), *audience.warnings(text.offers)]


# For each verb: the permission, the states in which it can be done, its word, and what is asked for.
TRANSITIONS: dict[str, tuple[str, tuple[str, ...], Any, bool]] = {
    "submit": ("change_draft", ("draft",), gettext_lazy("Submit for approval"), False),
    "approve": ("approve_draft", ("submitted",), gettext_lazy("Approve"), False),
    "return": ("approve_draft", ("submitted", "approved"), gettext_lazy("Request changes"), True),
    "launch": ("launch_draft", ("approved",), gettext_lazy("Launch"), False),
    "rebase": ("change_draft", Draft.OPEN, gettext_lazy("Rebase on the published campaign"), False),
    "withdraw": ("change_draft", Draft.OPEN, gettext_lazy("Withdraw"), True),
}


def _buttons(request: HttpRequest, draft: Draft, is_right: bool, *, outdated: bool) -> list[tuple[str, Any, str]]:
    """Return the actions that the user may take now: verb, label, and the reason for which it is disabled."""
    buttons = []
    for verb, (permission, states, word, _reason) in TRANSITIONS.items():
        if verb == "rebase" and not outdated:
            continue
        if draft.status in states and has_permissions(request, permission):
            mine = verb == "approve" and drafts.had_a_hand(draft, actor(request))
            why_not = _("you wrote or submitted this draft") if mine else ""
            if verb == "submit" and not is_right:
                why_not = _("the definition has errors")
            if outdated and verb in ("submit", "approve", "launch"):
                why_not = _("out of date: rebase it first")
            buttons.append((verb, word, why_not))
    return buttons


def _perform(verb: str, draft: Draft, form: ReasonForm | None, request: HttpRequest) -> str:
    """Carry out an action and return the message for the user."""
    at: dict[str, Any] = {"at": clock.now(), "by": actor(request)}
    reason = form.cleaned_data["reason"] if form else ""
    does: dict[str, Callable[[], object]] = {
        "submit": lambda: drafts.submit(draft, **at),
        "approve": lambda: drafts.approve(draft, shown=request.POST.get("shown", ""), **at),
        "return": lambda: drafts.give_back(draft, reason=reason, **at),
        "withdraw": lambda: drafts.withdraw(draft, reason=reason, **at),
        "rebase": lambda: drafts.rebase(draft, shown=request.POST.get("shown", ""), **at),
        "launch": lambda: drafts.launch(draft, **at),
    }
    result = does[verb]()
    if verb == "launch":
        n = len(result) if isinstance(result, list) else 0
        text = ngettext("Launched. %(n)d offer has a new version.", "Launched. %(n)d offers have a new version.", n)
        return text % {"n": n}
    done = {
        "submit": _("The draft is submitted for approval."),
        "approve": _("The draft is approved."),
        "return": _("The draft is returned to its author with your reason."),
        "rebase": _("The draft is rebased. It needs a new approval."),
        "withdraw": _("The draft is withdrawn."),
    }
    return done[verb]


@staff_view("view_draft")
def transition(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Submit, approve, return, withdraw or launch a draft, after a confirmation that lists the changes."""
    draft = get_object_or_404(Draft, pk=pk)
    if verb not in TRANSITIONS:
        raise Http404
    permission, _states, _word, asks = TRANSITIONS[verb]
    if not has_permissions(request, permission):
        raise PermissionDenied
    form = ReasonForm(request.POST or None) if asks else None
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            messages.success(request, _perform(verb, draft, form, request))
        except (DraftError, DefinitionError) as refusal:
            messages.error(request, str(refusal))
        return redirect("backoffice:draft", draft.pk)
    return _confirm(request, draft, verb, form)


def _confirm(request: HttpRequest, draft: Draft, verb: str, form: ReasonForm | None) -> HttpResponse:
    source, conflicts = draft.source, list[str]()
    if verb == "rebase" and draft.pk in drafts.out_of_date([draft]):
        source, conflicts = drafts.rebased(draft)
    text, problems = check_definition(source)
    changes = draft_review.differences(text) if text else []
    _permission, _states, word, _asks = TRANSITIONS[verb]
    return render_confirmation(
        request,
        title=f"{word}: {draft}",
        effects=[*_effects(verb, changes), *map(_conflict_text, conflicts), *map(str, problems)],
        button=str(word),
        back=reverse("backoffice:draft", args=[draft.pk]),
        form=form,
        destructive=verb in ("launch", "withdraw"),
        hidden={"shown": drafts.digest(source)},
        differences=changes,
    )


def _conflict_text(path: str) -> str:
    text = _("Changed both here and in the published campaign, the value of this draft stays: %(field)s.")
    return text % {"field": path}


def _effects(verb: str, changes: list[diff.OfferDifference]) -> list[str]:
    made = sum(not difference.old for difference in changes)
    changed = sum(difference.old and difference.new for difference in changes)
    stay = sum(difference.old and not difference.new for difference in changes)
    sizes = _("New offers: %(made)d. Changed offers: %(changed)d. Not in this draft, unchanged: %(stay)d.")
    what = {
        "submit": _("A second person must approve the draft. Editing it later voids the submission."),
        "approve": _("The draft can be launched exactly as shown here. Any later edit voids the approval."),
        "return": _("The draft returns to its author. An existing approval becomes void."),
        "launch": _("The draft takes effect immediately. Existing grants keep the terms of their own version."),
        "rebase": _(
            "The changes of this draft are applied to what is published now. A second person must approve the result."
        ),
        "withdraw": _("The draft is withdrawn. Published offers stay unchanged."),
    }[verb]
    return [what, sizes % {"made": made, "changed": changed, "stay": stay}]
