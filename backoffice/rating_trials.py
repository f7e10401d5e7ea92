"""Trials of scorecard rules: request from a draft, results with who rises and falls, and their file."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from backoffice.rendering import actor, staff_view
from campaigns import tasks
from campaigns.models import Draft, Simulation
from campaigns.simulation import rating_trials
from campaigns.simulation.rating_trials import TrialError
from core import clock
from core.facts import Label
from core.formatting import format_percent
from core.spreadsheets import CONTENT_TYPES
from definitions.errors import DefinitionError
from definitions.parser import CampaignDefinition
from definitions.scorecards import ScorecardTerms
from merchants.models import Merchant
from ratings.models import Evaluation, Series

DIRECTIONS: dict[str, Label] = {
    "down": gettext_lazy("Fall"),
    "up": gettext_lazy("Rise"),
    "gone": gettext_lazy("No longer rated"),
    "new": gettext_lazy("Rated for the first time"),
}


NEWEST_FIRST = (Series.PREDICTED, Series.OFFICIAL)
"""Series to compare with: predicted ratings rest on the latest facts and rules."""


@dataclass(frozen=True)
class LevelChange:
    """Level with the number of its subjects before and after."""

    name: str
    before: int
    after: int
    share: str

    @property
    def change(self) -> int:
        return self.after - self.before


@dataclass(frozen=True)
class SubjectChange:
    """Subject with its merchant, its levels and its scores."""

    subject: str
    merchant: Merchant | None
    before: str
    after: str
    score_before: Decimal | None
    score_after: Decimal | None


@dataclass(frozen=True)
class Direction:
    """Subjects that move in one direction: the first of them, and how many there are."""

    label: Label
    count: int
    changes: Sequence[SubjectChange]


@dataclass(frozen=True)
class ChangedScorecard:
    """Scorecard whose rules a draft changes, with the evaluations to compare with, and its latest trial."""

    terms: ScorecardTerms
    evaluations: Sequence[tuple[Evaluation, Label]]
    trial: Simulation | None
    is_current: bool

    @property
    def summary(self) -> str:
        """Return the state or the result of the latest trial in a line."""
        return summary_of(self.trial) if self.trial else ""


def changed_scorecards(draft: Draft, text: CampaignDefinition, changed: Collection[str]) -> list[ChangedScorecard]:
    """Return the scorecards of a draft whose rules it changes."""
    return [_changed(draft, terms) for terms in text.scorecards if terms.code in changed]


def _changed(draft: Draft, terms: ScorecardTerms) -> ChangedScorecard:
    done = Simulation.objects.filter(draft=draft, scorecard=terms.code).defer("table", "base").order_by("-pk").first()
    latest = [(rating_trials.latest_evaluation(terms.code, one.value), one.label) for one in NEWEST_FIRST]
    evaluations = [(row, label) for row, label in latest if row is not None]
    return ChangedScorecard(terms, evaluations, done, done is not None and done.source == draft.source)


@staff_view("view_draft", "add_simulation", methods=("POST",))
def create(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Request a trial of the rules of a draft; a worker runs it."""
    draft = get_object_or_404(Draft, pk=pk)
    series = request.POST.get("series", "")
    try:
        trial = rating_trials.request(draft, code, series=series, at=clock.real(), by=actor(request))
    except (DefinitionError, TrialError) as error:
        messages.error(request, str(error))
        return redirect("backoffice:draft", draft.pk)
    transaction.on_commit(lambda: tasks.run_simulation.delay(trial.pk))
    return redirect("backoffice:simulation", trial.pk)


@staff_view("view_simulation", "merchants.view_merchant", methods=("GET", "HEAD"))
def changes_file(_request: HttpRequest, pk: int) -> HttpResponse:
    """Download every subject that rises or falls as CSV."""
    trial = get_object_or_404(Simulation.objects.exclude(scorecard=""), pk=pk)
    if trial.table is None:
        raise Http404
    response = HttpResponse(bytes(trial.table), content_type=CONTENT_TYPES["csv"])
    response["Content-Disposition"] = f'attachment; filename="{trial.scorecard}-{trial.pk}.csv"'
    return response


def result_of(trial: Simulation) -> dict[str, Any]:
    """Return what the page of a finished trial shows."""
    data = trial.result
    if not data:
        return {}
    names = _names(data)
    total = sum(after for _code, _before, after in data["levels"])
    shares = {
        code: format_percent(round(100 * after / total, 1)) if total else "" for code, _n, after in data["levels"]
    }
    levels = [LevelChange(names[code], n, after, shares[code]) for code, n, after in reversed(data["levels"])]
    return {
        "levels": levels,
        "most": max([1, *(max(level.before, level.after) for level in levels)]),
        "moves": [(names.get(old, old), names.get(new, new), n) for old, new, n in data["moves"]],
        "directions": list(_directions(data, names)),
        "of_merchants": all(row[0] == row[1] for rows in data["listed"].values() for row in rows),
        "series_label": Series(trial.series).label,
    }


def _names(data: dict[str, Any]) -> dict[str, str]:
    """Return the names of the levels by code, in the language in force; one that the draft leaves out has its code."""
    language = "zh" if (get_language() or "").startswith("zh") else "en"
    known = {code: str(names[language]) for code, names in data["names"].items()}
    return {code: known.get(code, code) for code, _before, _after in data["levels"]}


def _directions(data: dict[str, Any], names: dict[str, str]) -> Iterator[Direction]:
    listed: dict[str, list[list[Any]]] = data["listed"]
    merchants = Merchant.objects.in_bulk({row[1] for rows in listed.values() for row in rows})
    for name, label in DIRECTIONS.items():
        if data[name]:
            changes = [_change(row, merchants, names) for row in listed[name]]
            yield Direction(label, data[name], changes)


def _change(row: list[Any], merchants: dict[str, Merchant], names: dict[str, str]) -> SubjectChange:
    subject, merchant, before, after, *scores = row
    old, new = (None if score is None else Decimal(score) for score in scores)
    levels = names.get(before, before), names.get(after, after)
    return SubjectChange(subject, merchants.get(merchant), *levels, old, new)


def summary_of(trial: Simulation) -> str:
    """Return the result of a trial in a line: `12 rise, 30 fall`."""
    if trial.status != Simulation.Status.DONE:
        return trial.get_status_display()
    return _("%(up)s rise, %(down)s fall") % {"up": trial.result["up"], "down": trial.result["down"]}
