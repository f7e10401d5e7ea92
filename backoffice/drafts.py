"""Pages of drafts: create, edit, submit, approve by a second person, launch."""

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

from backoffice.conflicts import Conflict, find_conflict, was_shown
from backoffice.rendering import ReasonForm, actor, has_permissions, render_confirmation, render_page, staff_view
from campaigns.eligibility import audience
from campaigns.models import Campaign, Draft, Simulation
from campaigns.offers import drafts, published_offers, publishing
from campaigns.offers.drafts import DraftError
from core import clock
from definitions import diff, parser, reschedule
from definitions.errors import DefinitionError, Problem
from definitions.parser import CampaignDefinition
from definitions.warnings import find_warnings

EXAMPLE = """\
campaign: spring-2027
names: {en: Spring 2027, zh: 2027年春季}
zone: America/Los_Angeles

offers:
  - code: spring-freight
    names: {en: 5% off freight, zh: 运费95折}
    subject: freight_order
    where: all
    claim: {at: paid_at}
    conditions:
      - fact: paid_at
        within: {from: 2027-03-01 00:00:00, to: 2027-03-31 23:59:59}
    benefit: {fee: freight, percent: 5}
    quota: {limit: 1000}
    settlement: {released_by: cancelled_at, released_after_settlement: yes}
"""


class NewDraftForm(forms.Form):
    """Title of a new draft."""

    title = forms.CharField(label=gettext_lazy("Title of the draft"), max_length=200)


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


class CloneForm(forms.Form):
    """Codes and dates of a cloned campaign."""

    code = forms.SlugField(label=gettext_lazy("Code of the new campaign"), max_length=64)
    ending = forms.RegexField(
        r"^-[a-z0-9-]+$", label=gettext_lazy("Suffix for the codes of its offers, such as -2023"), max_length=20
    )
    way = forms.ChoiceField(
        label=gettext_lazy("Dates"),
        choices=[("weekdays", gettext_lazy("same weekdays")), ("dates", gettext_lazy("same dates"))],
        widget=forms.RadioSelect,
        initial="weekdays",
    )
    years = forms.IntegerField(label=gettext_lazy("Years later"), min_value=1, max_value=10, initial=1)

    def moved(self, source: str) -> tuple[str, list[reschedule.MovedTime]]:
        """Return the text on its new dates, and each moved time. Raises DefinitionError."""
        years = self.cleaned_data["years"]
        if self.cleaned_data["way"] == "dates":
            return reschedule.shift_by_years(source, years)
        return reschedule.shift_by_days(source, round(years * 365.2425 / 7) * 7)


def _campaign(code: str) -> Campaign:
    return get_object_or_404(Campaign, code=code)


@staff_view("add_draft")
def create(request: HttpRequest) -> HttpResponse:
    """Create a draft of a published campaign, or of a small example."""
    of = _campaign(request.GET["of"]) if request.GET.get("of") else None
    initial = {"title": _("Change %(name)s") % {"name": of.name} if of else _("New campaign")}
    form = NewDraftForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        source = of.source if of else EXAMPLE
        draft = drafts.begin(source, title=form.cleaned_data["title"], at=clock.now(), by=actor(request), of=of)
        return redirect("backoffice:draft", draft.pk)
    effects = [_("It begins with what is in force. Nothing changes until it is approved and launched.")]
    if of is None:
        effects = [_("It begins with a small example. Nothing changes until it is approved and launched.")]
    back = reverse("admin:campaigns_draft_changelist")
    return render_confirmation(
        request, title=_("New draft"), effects=effects, button=_("Create draft"), back=back, form=form
    )


@staff_view("add_draft")
def clone(request: HttpRequest, code: str) -> HttpResponse:
    """Show a campaign's dates moved by years, then create a draft on the new dates."""
    of = _campaign(code)
    form = CloneForm(request.POST or None, initial={"code": f"{of.code}-next", "ending": "-next"})
    moved: list[reschedule.MovedTime] = []
    if request.method == "POST" and form.is_valid():
        source, moved = form.moved(of.source)
        source = reschedule.with_new_codes(source, code=form.cleaned_data["code"], ending=form.cleaned_data["ending"])
        if "make" in request.POST:
            title = _("%(name)s on new dates") % {"name": of.name}
            draft = drafts.begin(source, title=title, at=clock.now(), by=actor(request))
            return redirect("backoffice:draft", draft.pk)
    return render_page(
        request, "clone_campaign", title=_("Clone %(name)s") % {"name": of.name}, form=form, moved=moved, campaign=of
    )


@staff_view("view_draft")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a draft with its errors, warnings, changes, history and actions; save its text."""
    draft = get_object_or_404(Draft, pk=pk)
    writable = draft.status in Draft.OPEN and has_permissions(request, "change_draft")
    form = DefinitionForm(request.POST or None, initial={"source": draft.source, "was": draft.digest})
    conflict = find_conflict(request, draft, saved=draft.source, mine=_normalized(request.POST.get("source", "")))
    restored = "restored" in request.POST
    if request.method == "POST" and not restored and _save(request, draft, form, conflict, writable=writable):
        return redirect("backoffice:draft", draft.pk)
    text, problems = check_definition(draft.source)
    return render_page(
        request,
        "draft",
        title=str(draft),
        draft=draft,
        form=form,
        writable=writable,
        restored=restored,
        conflict=conflict,
        problems=problems,
        text=text,
        differences=list(_differences(text)) if text else [],
        warnings=_warnings(text) if text else [],
        acts=draft.acts.order_by("-pk"),
        buttons=_buttons(request, draft, bool(text)),
        simulations=Simulation.objects.filter(draft=draft).defer("table", "source", "base").order_by("-pk")[:10],
        may_simulate=has_permissions(request, "add_simulation"),
    )


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


def _differences(text: CampaignDefinition) -> list[diff.OfferDifference]:
    in_force = {
        offer.code: offer.terms for offer in published_offers.published() if offer.row.campaign.code == text.campaign
    }
    return [
        difference for difference in diff.compare(in_force, text.offers) if difference.changed or not difference.new
    ]


def _warnings(text: CampaignDefinition) -> list[str]:
    return [*publishing.objections(text), *find_warnings(text), *audience.warnings(text.offers, at=clock.now())]


# For each verb: the permission, the states in which it can be done, its word, and what is asked for.
TRANSITIONS: dict[str, tuple[str, tuple[str, ...], Any, bool]] = {
    "submit": ("change_draft", ("draft",), gettext_lazy("Submit for approval"), False),
    "approve": ("approve_draft", ("submitted",), gettext_lazy("Approve"), False),
    "return": ("approve_draft", ("submitted", "approved"), gettext_lazy("Request changes"), True),
    "launch": ("launch_draft", ("approved",), gettext_lazy("Launch"), False),
    "withdraw": ("change_draft", Draft.OPEN, gettext_lazy("Withdraw"), True),
}


def _buttons(request: HttpRequest, draft: Draft, is_right: bool) -> list[tuple[str, Any, str]]:
    """Return the actions that the user may take now: verb, label, and the reason for which it is disabled."""
    buttons = []
    for verb, (permission, states, word, _reason) in TRANSITIONS.items():
        if draft.status in states and has_permissions(request, permission):
            mine = verb == "approve" and actor(request) in (*draft.authors, draft.submitted_by)
            why_not = _("you wrote or submitted this draft") if mine else ""
            if verb == "submit" and not is_right:
                why_not = _("the definition has errors")
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
    text, problems = check_definition(draft.source)
    changes = list(_differences(text)) if text else []
    _permission, _states, word, _asks = TRANSITIONS[verb]
    return render_confirmation(
        request,
        title=f"{word}: {draft}",
        effects=[*_effects(verb, changes), *map(str, problems)],
        button=str(word),
        back=reverse("backoffice:draft", args=[draft.pk]),
        form=form,
        destructive=verb in ("launch", "withdraw"),
        hidden={"shown": draft.digest},
        differences=changes,
    )


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
        "withdraw": _("The draft is withdrawn. Published offers stay unchanged."),
    }[verb]
    return [what, sizes % {"made": made, "changed": changed, "stay": stay}]
