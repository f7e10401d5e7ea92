"""Pages of simulations: request, progress and results, also as a workbook."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from backoffice import rating_trials
from backoffice.draft_review import name_of
from backoffice.rendering import actor, render_page, staff_view
from campaigns import tasks
from campaigns.models import Campaign, Draft, Simulation
from campaigns.simulation import jobs
from core import clock, instants
from core.formatting import format_money, format_number
from core.spreadsheets import CONTENT_TYPES
from definitions import parser
from definitions.errors import DefinitionError


class NewSimulationForm(forms.Form):
    """Data on which a draft is simulated, and the comparison."""

    until = forms.DateTimeField(
        validators=[instants.validate],
        label=gettext_lazy("Data until (Beijing time)"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    weeks = forms.IntegerField(
        label=gettext_lazy("Weeks by which dates are shifted (-52: the year before)"),
        min_value=-1040,
        max_value=1040,
        initial=0,
    )
    compare = forms.BooleanField(
        label=gettext_lazy("Compare with the published campaign"), required=False, initial=True
    )


class ChooseDraftForm(forms.Form):
    """Draft to simulate."""

    draft = forms.ModelChoiceField(
        Draft.objects.filter(status__in=Draft.OPEN).order_by("-changed_at"), label=gettext_lazy("Draft")
    )


@staff_view("view_draft", "add_simulation", methods=("GET", "HEAD"))
def choose(request: HttpRequest) -> HttpResponse:
    """Choose the open draft to simulate; without any, show how to begin one."""
    form = ChooseDraftForm(request.GET if "draft" in request.GET else None)
    if form.is_bound and form.is_valid():
        return redirect("backoffice:new-simulation", form.cleaned_data["draft"].pk)
    has_drafts = Draft.objects.filter(status__in=Draft.OPEN).exists()
    return render_page(request, "choose_draft", title=_("New simulation"), form=form, has_drafts=has_drafts)


@staff_view("view_draft", "add_simulation")
def create(request: HttpRequest, pk: int) -> HttpResponse:
    """Request a simulation; a worker runs it."""
    draft = get_object_or_404(Draft, pk=pk)
    form = NewSimulationForm(request.POST or None, initial={"until": clock.now()})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            simulation = jobs.request(
                draft,
                until=data["until"],
                days=7 * data["weeks"],
                base=_published_source(draft) if data["compare"] else "",
                at=clock.real(),
                by=actor(request),
            )
        except DefinitionError as error:
            messages.error(request, str(error))
            return redirect("backoffice:draft", draft.pk)
        transaction.on_commit(lambda: tasks.run_simulation.delay(simulation.pk))
        return redirect("backoffice:simulation", simulation.pk)
    return render_page(
        request, "new_simulation", title=_("Simulate %(draft)s") % {"draft": draft}, form=form, draft=draft
    )


def _published_source(draft: Draft) -> str:
    """Return the published text of the draft's campaign, or an empty string. Raises DefinitionError."""
    campaign = Campaign.objects.filter(code=parser.read(draft.source).campaign).first()
    return campaign.source if campaign else ""


@dataclass(frozen=True)
class OfferResult:
    """Result of a simulation for one offer, and that of what was published, if the two were compared."""

    data: dict[str, Any]
    before: dict[str, Any] | None = None

    @property
    def code(self) -> str:
        return str(self.data["code"])

    @property
    def name(self) -> str:
        return name_of(self.data)

    @property
    def granted_before(self) -> int | None:
        return int(self.before["granted"]) if self.before else None

    @property
    def gone_at(self) -> datetime | None:
        at = self.data["gone_at"]
        return datetime.fromisoformat(at) if at else None

    @property
    def costs(self) -> list[tuple[str, Decimal, Decimal]]:
        return [(currency, Decimal(spent), Decimal(promised)) for currency, spent, promised in self.data["costs"]]

    @property
    def refused(self) -> list[tuple[str, int, int]]:
        language = "zh-hans" if (get_language() or "").startswith("zh") else "en"
        return [(reason[language], reason["count"], reason["near"]) for reason in self.data["refused"]]

    @property
    def bands(self) -> list[tuple[str, str, int, int]]:
        """Return for each band its sentence, what is used, and how many limits have been used, and used up."""
        language = "zh-hans" if (get_language() or "").startswith("zh") else "en"
        return [
            (band[language], _used_of(band), band["limits"], band["full"])
            for band in self.data.get("bands", ())  # older simulations have none
        ]

    @property
    def near_misses(self) -> int:
        return sum(near for _text, _count, near in self.refused)

    @property
    def takers(self) -> list[tuple[str, str, int, Decimal, str]]:
        return [(code, name, n, Decimal(amount), currency) for code, name, n, amount, currency in self.data["takers"]]


def _used_of(band: dict[str, Any]) -> str:
    """Return what is used of a band in words."""
    if band["currency"]:
        return format_money(Decimal(band["used"]), band["currency"])
    return format_number(int(band["used"]))


@dataclass(frozen=True)
class Totals:
    """Sums over all offers of a simulation; costs by currency."""

    granted: int
    near_misses: int
    used_up: int
    costs: list[tuple[str, Decimal]]


def _totals(results: list[OfferResult]) -> Totals:
    costs: dict[str, Decimal] = defaultdict(Decimal)
    for result in results:
        for currency, spent, promised in result.costs:
            costs[currency] += spent + promised
    return Totals(
        granted=sum(result.data["granted"] for result in results),
        near_misses=sum(result.near_misses for result in results),
        used_up=sum(result.gone_at is not None for result in results),
        costs=sorted(costs.items()),
    )


@staff_view("view_simulation", methods=("GET", "HEAD"))
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the progress or the results of a simulation."""
    simulation = get_object_or_404(Simulation.objects.defer("table", "source", "base").select_related("draft"), pk=pk)
    if simulation.scorecard:
        return _detail_of_trial(request, simulation)
    before = {data["code"]: data for data in simulation.result.get("base", ())}
    results = [OfferResult(data, before.get(data["code"])) for data in simulation.result.get("offers", ())]
    names = {data["code"]: name_of(data) for data in (*before.values(), *(result.data for result in results))}
    compared = [{**each, "name": names.get(each["code"], "")} for each in simulation.result.get("compared", ())]
    return render_page(
        request,
        "simulation",
        title=_("Simulation of %(draft)s") % {"draft": simulation.draft},
        simulation=simulation,
        results=results,
        totals=_totals(results),
        compared=compared,
        over=simulation.status in Simulation.OVER,
    )


def _detail_of_trial(request: HttpRequest, simulation: Simulation) -> HttpResponse:
    words = {"code": simulation.scorecard, "draft": simulation.draft}
    return render_page(
        request,
        "simulation",
        title=_("Rules of %(code)s in %(draft)s") % words,
        simulation=simulation,
        trial=rating_trials.result_of(simulation),
        over=simulation.status in Simulation.OVER,
    )


@staff_view("add_simulation", methods=("POST",))
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel a simulation."""
    simulation = get_object_or_404(Simulation, pk=pk)
    if jobs.cancel(simulation, at=clock.real()):
        messages.success(request, _("Simulation cancelled."))
    return redirect("backoffice:simulation", pk)


@staff_view("view_simulation", methods=("GET", "HEAD"))
def workbook(_request: HttpRequest, pk: int) -> HttpResponse:
    """Download the simulated grants as a workbook."""
    simulation = get_object_or_404(Simulation, pk=pk)
    if simulation.table is None or simulation.scorecard:
        raise Http404
    response = HttpResponse(bytes(simulation.table), content_type=CONTENT_TYPES["xlsx"])
    response["Content-Disposition"] = f'attachment; filename="simulation-{simulation.pk}.xlsx"'
    return response
