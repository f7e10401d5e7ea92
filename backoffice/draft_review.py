"""Review of a draft: changes in both languages, checks, steps, simulated outcome, comments."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from difflib import unified_diff
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from campaigns.models import AuditEvent, Draft, Simulation
from campaigns.offers import documents, published_offers, schedule
from core.facts import Label
from definitions import diff
from definitions.diff import OfferDifference
from definitions.parser import CampaignDefinition

LANGUAGES = (("zh-hans", "zh-Hans"), ("en", "en"))
LONGEST_QUOTE = 300
WEEKS_OF_A_YEAR = 52
MOST_SIMULATIONS = 10


def differences(text: CampaignDefinition) -> list[OfferDifference]:
    """Return the difference of each offer and document from what is published, in the language in force."""
    in_force: dict[str, diff.Part] = {
        offer.code: offer.terms for offer in published_offers.published() if offer.row.campaign.code == text.campaign
    }
    in_force |= {document.terms.code: document.terms for document in documents.of_campaign(text.campaign)}
    compared = diff.compare(in_force, [*text.offers, *(terms for _kind, terms in text.documents())])
    return [difference for difference in compared if difference.changed or not difference.new]


@dataclass(frozen=True)
class BothLanguages:
    """Difference of one offer in the reader's language, and the same in the other, with its tag."""

    own: OfferDifference
    other: OfferDifference
    tag: str


def in_both_languages(text: CampaignDefinition) -> list[BothLanguages]:
    """Return the differences in the language in force, each with its twin in the other language."""
    chinese = (get_language() or "").startswith("zh")
    other, tag = next((code, tag) for code, tag in LANGUAGES if code.startswith("zh") is not chinese)
    own = differences(text)
    with translation.override(other):
        twins = {twin.code: twin for twin in differences(text)}
    return [BothLanguages(each, twins[each.code], tag) for each in own]


def changed_lines(compared: Sequence[BothLanguages]) -> list[str]:
    """Return the sentences that change, for a comment to quote."""
    return [line[:LONGEST_QUOTE] for each in compared for line in (*each.own.lost, *each.own.gained)]


def text_lines(draft: Draft) -> list[tuple[str, str]]:
    """Return the lines of the text that change, with context: pairs of `del`, `ins` or nothing, and the line."""
    lines = unified_diff(draft.base_source.splitlines(), draft.source.splitlines(), lineterm="", n=3)
    marks = {"-": "del", "+": "ins"}
    return [(marks.get(line[:1], ""), line) for line in lines if not line.startswith(("---", "+++"))]


@dataclass(frozen=True)
class Check:
    """Check of a draft: `tone` is `ok`, `warn` or `bad`."""

    text: str
    tone: str


def checks(
    *,
    valid: bool,
    outdated: bool,
    mine: bool,
    simulated: bool | None,
    warnings: Sequence[str],
    problems: Sequence[object],
) -> list[Check]:
    """Return the checks of a draft for its reader, what is wrong first.

    `simulated` is None for readers who may not view simulations.
    """
    found = [
        *(Check(str(problem), "bad") for problem in problems),
        *(Check(warning, "warn") for warning in warnings),
        *([Check(_("Based on what is published"), "ok")] if not outdated else [Check(_("Out of date"), "bad")]),
    ]
    if simulated is not None:
        text = _("Simulated as it is") if simulated else _("Not simulated as it is")
        found.append(Check(text, "ok" if simulated else "warn"))
    if valid:
        found.append(Check(_("The definition is valid"), "ok"))
    if not mine:
        found.append(Check(_("You are not an author"), "ok"))
    return sorted(found, key=lambda check: ("bad", "warn", "ok").index(check.tone))


@dataclass(frozen=True)
class Step:
    """Step of a draft on its way: `state` is `done`, `now` or empty."""

    name: Label
    state: str
    by: str = ""
    at: datetime | None = None


def steps(draft: Draft, acts: Sequence[AuditEvent]) -> list[Step]:
    """Return the steps of a draft: written, submitted, approved, live; or withdrawn."""
    order = ["written", "submitted", "approved", "launched"]
    names = (gettext_lazy("Drafted"), gettext_lazy("Submitted"), gettext_lazy("Approved"), gettext_lazy("Live"))
    reached = {"draft": 0, "submitted": 1, "approved": 2, "launched": 3, "withdrawn": 0}[draft.status]
    latest = {act.verb: act for act in reversed(acts)}
    found = []
    for n, (verb, name) in enumerate(zip(order, names, strict=True)):
        act = latest.get(verb) if n <= reached else None
        state = "done" if n <= reached else "now" if n == reached + 1 and draft.status in Draft.OPEN else ""
        found.append(Step(name, state, act.by if act else "", act.at if act else None))
    if draft.status == Draft.Status.WITHDRAWN:
        found = [found[0], Step(gettext_lazy("Withdrawn"), "now")]
    return found


def next_step(draft: Draft, *, mine: bool) -> str:
    """Return what the draft needs next, and from whom; empty if it needs nothing more."""
    authors = ", ".join(draft.authors)
    match draft.status:
        case Draft.Status.DRAFT:
            return _("Next: %(authors)s submits it for approval.") % {"authors": authors}
        case Draft.Status.SUBMITTED if mine:
            return _("Waits for a second person: you wrote or submitted this draft.")
        case Draft.Status.SUBMITTED:
            return _("Next: a second person, who has not written in it, approves it or requests changes.")
        case Draft.Status.APPROVED:
            return _("Next: an operator launches it. %(by)s approved it.") % {"by": draft.approved_by}
    return ""


@dataclass(frozen=True)
class Figure:
    """Simulated figure of one offer: what is published now against the draft."""

    label: str
    now: Decimal
    proposed: Decimal
    currency: str = ""

    @property
    def change(self) -> Decimal:
        return self.proposed - self.now


@dataclass(frozen=True)
class OfferOutcome:
    """Simulated outcome of one offer: its name, its code, and the figures that are known."""

    name: str
    code: str
    figures: tuple[Figure, ...]


def outcomes(simulation: Simulation | None, changed: Collection[str]) -> list[OfferOutcome]:
    """Return the simulated outcome of the offers that the draft changes, and of others whose figures change."""
    if simulation is None:
        return []
    result = simulation.result
    before = {data["code"]: data for data in result.get("base", ())}
    found = [
        OfferOutcome(name_of(data), data["code"], tuple(_figures(before.get(data["code"]), data)))
        for data in result["offers"]
    ]
    return [each for each in found if each.code in changed or any(figure.change for figure in each.figures)]


def name_of(data: dict[str, Any]) -> str:
    """Return the name of an offer in a result, in the language in force."""
    names: dict[str, str] = data["names"]
    return names["zh" if (get_language() or "").startswith("zh") else "en"]


def _figures(before: dict[str, Any] | None, after: dict[str, Any]) -> Iterator[Figure]:
    old: dict[str, Any] = before or {"granted": 0, "merchants": 0, "costs": [], "refused": []}
    yield Figure(_("Benefits granted"), Decimal(old["granted"]), Decimal(after["granted"]))
    yield Figure(_("Merchants reached"), Decimal(old["merchants"]), Decimal(after["merchants"]))
    costs = (
        {currency: Decimal(spent) + Decimal(promised) for currency, spent, promised in each["costs"]}
        for each in (old, after)
    )
    was, will = costs
    for currency in sorted({*was, *will}):
        yield Figure(_("Cost"), was.get(currency, Decimal(0)), will.get(currency, Decimal(0)), currency)


def latest_simulation(draft: Draft) -> tuple[Simulation | None, bool]:
    """Return the latest finished simulation of a draft, and whether it ran on the text as it is."""
    done = Simulation.objects.filter(draft=draft, scorecard="", status=Simulation.Status.DONE).defer("table", "base")
    latest = done.order_by("-pk").first()
    return latest, latest is not None and latest.source == draft.source


def latest_simulations(draft: Draft) -> "QuerySet[Simulation]":
    """Return the newest simulations of a draft, finished or not."""
    rows = Simulation.objects.filter(draft=draft, scorecard="").defer("table", "source", "base")
    return rows.order_by("-pk")[:MOST_SIMULATIONS]


def weeks_back(text: CampaignDefinition, *, at: datetime) -> int:
    """Return by how many weeks to shift the dates, so that there are facts: a year for a season that is to come."""
    starts = [bound.instant for terms in text.offers if (bound := schedule.opens(terms)) is not None]
    return -WEEKS_OF_A_YEAR if starts and min(starts) >= at else 0


class CommentForm(forms.Form):
    """Comment on a draft, about one of its changed lines or about all of it."""

    quote = forms.ChoiceField(
        label=gettext_lazy("About"), required=False, widget=forms.Select(attrs={"class": "select"})
    )
    text = forms.CharField(
        label=gettext_lazy("Add a comment"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "textarea"}),
    )

    def __init__(self, data: Any, lines: Sequence[str]) -> None:
        super().__init__(data)
        choices = [("", gettext_lazy("The whole draft")), *((line, line) for line in dict.fromkeys(lines))]
        field = self.fields["quote"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
