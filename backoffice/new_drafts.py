"""Pages that create drafts: of a published campaign, of an example, or of a campaign on other dates."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.rendering import actor, render_confirmation, render_page, staff_view
from campaigns.models import Campaign
from campaigns.offers import drafts
from core import clock
from definitions import reschedule

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
