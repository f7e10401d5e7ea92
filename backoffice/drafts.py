"""Drafts at the desk: begun from what is in force, written, submitted, approved by another, launched."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

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
    """What a draft is called."""

    title = forms.CharField(label=gettext_lazy("What this draft is for"), max_length=200)


class DefinitionForm(forms.Form):
    """The text, and the digest of the one that the writer saw."""

    source = forms.CharField(
        label=gettext_lazy("Definition"), strip=False, widget=forms.Textarea(attrs={"rows": 30, "spellcheck": "false"})
    )
    was = forms.CharField(widget=forms.HiddenInput)

    def clean_source(self) -> str:
        text: str = self.cleaned_data["source"]
        return text.replace("\r\n", "\n")


class CloneForm(forms.Form):
    """A season on other dates."""

    code = forms.SlugField(label=gettext_lazy("Code of the new campaign"), max_length=64)
    ending = forms.RegexField(
        r"^-[a-z0-9-]+$", label=gettext_lazy("Ending for the codes of its offers, such as -2023"), max_length=20
    )
    way = forms.ChoiceField(
        label=gettext_lazy("Dates"),
        choices=[("weekdays", gettext_lazy("same weekdays")), ("dates", gettext_lazy("same dates"))],
        widget=forms.RadioSelect,
        initial="weekdays",
    )
    years = forms.IntegerField(label=gettext_lazy("Years later"), min_value=1, max_value=10, initial=1)

    def moved(self, source: str) -> tuple[str, list[reschedule.MovedTime]]:
        """The text on its new dates. Raises DefinitionError."""
        years = self.cleaned_data["years"]
        if self.cleaned_data["way"] == "dates":
            return reschedule.shift_by_years(source, years)
        return reschedule.shift_by_days(source, round(years * 365.2425 / 7) * 7)


def _campaign(code: str) -> Campaign:
    return get_object_or_404(Campaign, code=code)


@staff_view("add_draft")
def create(request: HttpRequest) -> HttpResponse:
    """A new draft: of a published campaign, or from a small example."""
    of = _campaign(request.GET["of"]) if request.GET.get("of") else None
    initial = {"title": _("Change %(name)s") % {"name": of.name} if of else _("A new campaign")}
    form = NewDraftForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        source = of.source if of else EXAMPLE
        draft = drafts.begin(source, title=form.cleaned_data["title"], at=clock.now(), by=actor(request), of=of)
        return redirect("backoffice:draft", draft.pk)
    effects = [_("It begins with what is in force. Nothing changes until it is approved and launched.")]
    if of is None:
        effects = [_("It begins with a small example. Nothing changes until it is approved and launched.")]
    back = reverse("admin:campaigns_draft_changelist")
    return render_confirmation(request, title=_("New draft"), effects=effects, button=_("Begin"), back=back, form=form)


@staff_view("add_draft")
def clone(request: HttpRequest, code: str) -> HttpResponse:
    """A season on new dates: what moves is shown, then a draft is made of it."""
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
    """A draft: its text, what is wrong with it, what it changes, what was done; and what can be done now."""
    draft = get_object_or_404(Draft, pk=pk)
    writable = draft.status in Draft.OPEN and has_permissions(request, "change_draft")
    form = DefinitionForm(request.POST or None, initial={"source": draft.source, "was": draft.digest})
    if request.method == "POST":
        if not writable:
            raise PermissionDenied
        if form.is_valid() and _save(request, draft, form):
            return redirect("backoffice:draft", draft.pk)
    text, problems = check_definition(draft.source)
    return render_page(
        request,
        "draft",
        title=str(draft),
        draft=draft,
        form=form,
        writable=writable,
        problems=problems,
        text=text,
        differences=list(_differences(text)) if text else [],
        doubts=_warnings(text) if text else [],
        acts=draft.acts.order_by("-pk"),
        buttons=_buttons(request, draft, bool(text)),
        trials=Simulation.objects.filter(draft=draft).defer("table", "source", "base").order_by("-pk")[:10],
        may_try=has_permissions(request, "add_simulation"),
    )


def _save(request: HttpRequest, draft: Draft, form: DefinitionForm) -> bool:
    """Whether the text was kept; what was typed stays on the page where it was not."""
    try:
        drafts.write(
            draft, form.cleaned_data["source"], was=form.cleaned_data["was"], at=clock.now(), by=actor(request)
        )
    except DraftError as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, _("The draft is saved."))
    return True


def check_definition(source: str) -> tuple[CampaignDefinition | None, tuple[Problem, ...]]:
    """The campaign that a text describes, or what is wrong with it."""
    try:
        return parser.read(source), ()
    except DefinitionError as error:
        return None, error.problems


def _differences(text: CampaignDefinition) -> list[diff.OfferDifference]:
    in_force = {
        offer.code: offer.terms for offer in published_offers.published() if offer.row.campaign.code == text.campaign
    }
    return [one for one in diff.compare(in_force, text.offers) if one.changed or not one.new]


def _warnings(text: CampaignDefinition) -> list[str]:
    return [*publishing.objections(text), *find_warnings(text), *audience.warnings(text.offers, at=clock.now())]


# For each verb: the permission, the states in which it can be done, its word, and what is asked for.
TRANSITIONS: dict[str, tuple[str, tuple[str, ...], Any, bool]] = {
    "submit": ("change_draft", ("draft",), gettext_lazy("Submit for approval"), False),
    "approve": ("approve_draft", ("submitted",), gettext_lazy("Approve"), False),
    "return": ("approve_draft", ("submitted", "approved"), gettext_lazy("Give back to the author"), True),
    "launch": ("launch_draft", ("approved",), gettext_lazy("Launch"), False),
    "withdraw": ("change_draft", Draft.OPEN, gettext_lazy("Withdraw"), True),
}


def _buttons(request: HttpRequest, draft: Draft, is_right: bool) -> list[tuple[str, Any, str]]:
    """What can be done with the draft as it stands, by who asks: verb, word, and what stands against it."""
    found = []
    for verb, (permission, states, word, _reason) in TRANSITIONS.items():
        if draft.status in states and has_permissions(request, permission):
            mine = verb == "approve" and actor(request) in (*draft.authors, draft.submitted_by)
            why_not = _("you wrote or submitted it") if mine else ""
            if verb == "submit" and not is_right:
                why_not = _("the text is not right yet")
            found.append((verb, word, why_not))
    return found


def _perform(verb: str, draft: Draft, form: ReasonForm | None, request: HttpRequest) -> str:
    """Do it; returns what to say."""
    at: dict[str, Any] = {"at": clock.now(), "by": actor(request)}
    reason = form.cleaned_data["reason"] if form else ""
    does: dict[str, Callable[[], object]] = {
        "submit": lambda: drafts.submit(draft, **at),
        "approve": lambda: drafts.approve(draft, shown=request.POST.get("shown", ""), **at),
        "return": lambda: drafts.give_back(draft, reason=reason, **at),
        "withdraw": lambda: drafts.withdraw(draft, reason=reason, **at),
        "launch": lambda: drafts.launch(draft, **at),
    }
    made = does[verb]()
    if verb == "launch":
        return _("Launched: %(n)d offers have a new version.") % {"n": len(made) if isinstance(made, list) else 0}
    return _("The draft is %(status)s.") % {"status": draft.get_status_display()}


@staff_view("view_draft")
def transition(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Submit, approve, give back, withdraw or launch a draft: asked first, with what it changes, then done."""
    draft = get_object_or_404(Draft, pk=pk)
    if verb not in TRANSITIONS:
        raise Http404
    permission, _states, word, asks = TRANSITIONS[verb]
    if not has_permissions(request, permission):
        raise PermissionDenied
    form = ReasonForm(request.POST or None) if asks else None
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            messages.success(request, _perform(verb, draft, form, request))
        except (DraftError, DefinitionError) as refusal:
            messages.error(request, str(refusal))
        return redirect("backoffice:draft", draft.pk)
    text, problems = check_definition(draft.source)
    changes = list(_differences(text)) if text else []
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
    made = sum(not one.old for one in changes)
    changed = sum(one.old and one.new for one in changes)
    stay = sum(one.old and not one.new for one in changes)
    sizes = _("%(made)d new offers, %(changed)d offers changed, %(stay)d left out: these go on as they are.")
    what = {
        "submit": _("Somebody else is asked to approve it. Whoever writes in it after that voids the submission."),
        "approve": _("It can be launched exactly as it is shown here; any later edit voids the approval."),
        "return": _("The author goes on with it; the approval, if there is one, is void."),
        "launch": _("It is in force at once. Grants that were given keep the terms they were given under."),
        "withdraw": _("The draft is given up. What is in force stays as it is."),
    }[verb]
    return [what, sizes % {"made": made, "changed": changed, "stay": stay}]
