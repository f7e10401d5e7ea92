"""Page of the ratings of a scorecard: how many subjects have each level, and who moved since the period before."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from backoffice.rendering import has_permissions, render_page, staff_view
from campaigns.models import Document, DocumentVersion
from campaigns.offers import drafts
from campaigns.offers.documents import terms_of
from campaigns.reporting import rating_figures
from campaigns.reporting.rating_figures import Movement
from core.formatting import format_percent
from definitions.scorecards import ScorecardTerms
from ratings.models import Evaluation, Series

SHOWN_PERIODS = 12


@dataclass(frozen=True)
class LevelShare:
    """Level with the number of its subjects, their share, and how many more they are than in the period before."""

    name: str
    count: int
    share: str
    change: int | None


@dataclass(frozen=True)
class Move:
    """Number of subjects that went from one level to another; an empty name means that they were not rated."""

    before: str
    after: str
    count: int


@staff_view("view_offer", methods=("GET", "HEAD"))
def ratings_page(request: HttpRequest) -> HttpResponse:
    """Show the levels by one scorecard, series and period: those in the address, or else the latest."""
    documents = list(Document.objects.filter(kind="scorecards").select_related("campaign").order_by("code"))
    chosen = request.GET.get("scorecard") or (documents[0].code if documents else "")
    document = next((row for row in documents if row.code == chosen), None)
    if document is None and chosen:
        raise Http404
    context: dict[str, Any] = _figures(document, request) if document else {}
    return render_page(request, "ratings", title=_("Ratings"), documents=documents, document=document, **context)


def _figures(document: Document, request: HttpRequest) -> dict[str, Any]:
    finished = Evaluation.objects.filter(scorecard=document.code, finished=True)
    known = finished.order_by("series").values_list("series", flat=True).distinct()
    series = [(str(one.value), one.label) for one in Series if one.value in known]
    wanted = request.GET.get("series") or (series[0][0] if series else "")
    rows = finished.filter(series=wanted).order_by("-evaluated_at")
    period = request.GET.get("period")
    current = rows.filter(period=period).first() if period else rows.first()
    if current is None:
        if period or request.GET.get("series"):
            raise Http404
        return {}
    earlier = rows.filter(evaluated_at__lt=current.evaluated_at).first()
    return {
        "series": series,
        "current": current,
        "periods": rows[:SHOWN_PERIODS],
        "earlier": earlier,
        "drafts": drafts.of_campaign(document.campaign.code) if has_permissions(request, "view_draft") else [],
        **_compared(current, earlier, _levels(document, current)),
    }


def _levels(document: Document, evaluation: Evaluation) -> dict[str, str]:
    """Return the names of the levels by code, lowest first, as the version that rated has them."""
    version = DocumentVersion.objects.select_related("document").defer("definition")
    terms = terms_of(version.get(document=document, number=evaluation.version))
    assert isinstance(terms, ScorecardTerms)
    return {level.level: str(level) for level in terms.levels}


def _compared(current: Evaluation, earlier: Evaluation | None, names: dict[str, str]) -> dict[str, Any]:
    """Return the levels of a period, and the movement since the one before."""
    counts = rating_figures.distribution(current)
    before = rating_figures.distribution(earlier) if earlier else None
    names |= {level: level for level in (before or {}) if level not in names}
    moved = rating_figures.movement(earlier, current) if earlier else None
    return {
        "levels": list(_shares(counts, before, names)),
        "most": max([*counts.values(), 1]),
        "total": sum(counts.values()),
        "moves": list(_moves(moved, names)) if moved else [],
        "rising": moved.rising(list(names)) if moved else 0,
        "falling": moved.falling(list(names)) if moved else 0,
    }


def _shares(counts: dict[str, int], before: dict[str, int] | None, names: dict[str, str]) -> Iterator[LevelShare]:
    """Yield every level, highest first."""
    total = sum(counts.values())
    for code, name in reversed(names.items()):
        n = counts.get(code, 0)
        share = format_percent(round(100 * n / total, 1)) if total else ""
        yield LevelShare(name, n, share, None if before is None else n - before.get(code, 0))


def _moves(movement: Movement, names: dict[str, str]) -> Iterator[Move]:
    """Yield the moves between different levels, the most frequent first."""
    for (old, new), n in movement.counts.most_common():
        if old != new:
            yield Move(names.get(old, old), names.get(new, new), n)
