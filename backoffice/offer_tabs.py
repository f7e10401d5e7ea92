"""Tabs of the page of an offer: its figures, its terms, its versions and its history."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.charts import Chart, burn_down_chart, forecast_range
from backoffice.column_charts import ColumnChart, column_chart
from backoffice.overview import OfferSummary
from backoffice.rendering import has_permissions
from campaigns.models import AuditEvent, Version
from campaigns.offers import published_offers, schedule
from campaigns.offers.band_usage import BandUsage
from campaigns.offers.pending_changes import PendingChange
from campaigns.reporting import offer_metrics, quota_history, refusals
from campaigns.reporting.band_figures import band_forecasts
from campaigns.reporting.offer_metrics import Cost, DayCost, PayerCost
from campaigns.reporting.quota_history import Point
from core.formatting import format_money, format_number
from definitions import diff, offer_sentences, yaml_roundtrip
from definitions.diff import OfferDifference

LANGUAGES = (("en", "English"), ("zh-Hans", "简体中文"))
MOST_VERSIONS = 20
RECENT_EVENTS = 5
DRAFT_EVENTS = (
    AuditEvent.Verb.SUBMITTED,
    AuditEvent.Verb.RETURNED,
    AuditEvent.Verb.APPROVED,
    AuditEvent.Verb.WITHDRAWN,
)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

Context = dict[str, Any]


@dataclass(frozen=True)
class Milestone:
    """Date of an offer, or today: `mark` is the class of its point."""

    label: str | Promise
    at: datetime | None
    note: str = ""
    mark: str = ""


@dataclass(frozen=True)
class DailyCosts:
    """Costs in one currency by the day of the claims, with their sums as on the overview."""

    total: Cost
    days: Sequence[DayCost]
    chart: ColumnChart | None
    payers: Sequence[PayerCost] = ()

    @property
    def title(self) -> str:
        return _("Costs by day, %(currency)s") % {"currency": self.total.currency}


@dataclass(frozen=True)
class VersionSummary:
    """Version of an offer, with what it changed. `act` is its publication; the first version has no difference."""

    version: Version
    act: AuditEvent | None
    difference: OfferDifference | None
    is_live: bool


def performance(request: HttpRequest, line: OfferSummary, pending: Sequence[PendingChange]) -> Context:
    """Return the figures of the offer."""
    offer, zone = line.offer, timezone.get_current_timezone()
    points = quota_history.histories([offer.id], zone=zone).get(offer.id, [])
    left = _left_chart(line, points)
    return {
        "claims": offer_metrics.claim_count(offer),
        "merchants": offer_metrics.merchant_count(offer),
        "left_chart": left,
        "used_chart": _used_chart(points, line.at),
        "shows_used": left is None or request.GET.get("chart") == "used",
        "points": points[::-1],
        "is_hourly": bool(points) and points[0].ends - points[0].at < DAY,
        "costs": list(_daily_costs(line)),
        "refusals": refusals.reasons(offer),
        "takers": offer_metrics.top_merchants(offer) if has_permissions(request, "merchants.view_merchant") else [],
        "milestones": list(_milestones(line)),
        "recent": _history(line, pending)[:RECENT_EVENTS],
        "terms": _terms(line),
        "bands": list(_bands(line)),
    }


def _bands(line: OfferSummary) -> Iterator[tuple[BandUsage, str]]:
    """Yield the use of each band, with the range in which nothing of its period will be left."""
    zone = timezone.get_current_timezone()
    for usage, ahead in zip(line.bands, band_forecasts(line.offer, line.bands, at=line.at), strict=True):
        yield usage, forecast_range(ahead, zone, line.at) if ahead is not None else ""


def terms(_request: HttpRequest, line: OfferSummary, _pending: Sequence[PendingChange]) -> Context:
    """Return the terms in both languages, and as YAML."""
    text = yaml_roundtrip.dump_json(published_offers.as_data(line.offer.terms))
    return {"terms": _terms(line), "definition": text}


def versions(_request: HttpRequest, line: OfferSummary, _pending: Sequence[PendingChange]) -> Context:
    """Return the versions, the newest first, each with what it changed."""
    rows = line.offer.row.versions.defer("definition").order_by("-number")[: MOST_VERSIONS + 1]
    published = AuditEvent.objects.filter(offer=line.offer.id, verb=AuditEvent.Verb.PUBLISHED)
    acts = {act.after.get("version"): act for act in _with_draft(published)}
    listed = list(rows)
    summaries = [
        VersionSummary(new, acts.get(new.number), _difference(old, new) if old else None, n == 0)
        for n, (new, old) in enumerate(zip(listed, [*listed[1:], None], strict=True))
    ]
    return {"versions": summaries[:MOST_VERSIONS], "has_more": len(listed) > MOST_VERSIONS}


def history(_request: HttpRequest, line: OfferSummary, pending: Sequence[PendingChange]) -> Context:
    """Return what people did with the offer and with drafts that changed it, or would."""
    return {"acts": _history(line, pending)[:100]}


TABS: dict[str, tuple[Promise, Callable[[HttpRequest, OfferSummary, Sequence[PendingChange]], Context]]] = {
    "performance": (gettext_lazy("Performance"), performance),
    "terms": (gettext_lazy("Terms and YAML"), terms),
    "versions": (gettext_lazy("Versions"), versions),
    "history": (gettext_lazy("History"), history),
}


def _terms(line: OfferSummary) -> list[tuple[str, str, offer_sentences.TermSentences]]:
    """Return the terms in each language, independent of that of the page."""
    return [(code, name, _terms_in(code, line)) for code, name in LANGUAGES]


def _terms_in(language: str, line: OfferSummary) -> offer_sentences.TermSentences:
    with translation.override(language.lower()):
        return offer_sentences.describe_terms(line.offer.terms)


def _left_chart(line: OfferSummary, points: Sequence[Point]) -> Chart | None:
    """Return the quota left over time: that of the overview where it has one."""
    limit = line.offer.row.limit
    if line.chart or limit is None:
        return line.chart
    return burn_down_chart(
        points, limit=limit, at=line.at, closes=None, forecast=None, zone=timezone.get_current_timezone()
    )


def _used_chart(points: Sequence[Point], at: datetime) -> ColumnChart | None:
    if not points:
        return None
    step = points[0].ends - points[0].at
    values = {point.at: (Decimal(point.taken),) for point in points}
    return column_chart(values, [(gettext_lazy("Used"), "col")], step=step, until=at, show=format_number)


def _daily_costs(line: OfferSummary) -> Iterator[DailyCosts]:
    by_currency = offer_metrics.costs_by_day(line.offer, zone=timezone.get_current_timezone())
    by_payer = offer_metrics.costs_by_payer(line.offer)
    parts = [(gettext_lazy("Settled or redeemed"), "col"), (gettext_lazy("Reserved"), "col-held")]
    for total in line.costs:
        days = by_currency.get(total.currency, [])

        def show(amount: Decimal, currency: str = total.currency) -> str:
            return format_money(amount, currency)

        values = {day.day: (day.spent, day.promised) for day in days}
        chart = column_chart(values, parts, step=DAY, until=line.at, show=show)
        yield DailyCosts(total, days[::-1], chart, by_payer.get(total.currency, ()))


def _milestones(line: OfferSummary) -> Iterator[Milestone]:
    """Yield the dates of the offer in order, with today among them."""
    today = Milestone(gettext_lazy("Today"), None, _day_of(line), "is-now")
    dates = sorted(schedule.dates(line.offer.terms), key=lambda date: date[1].instant)
    for kind, bound in dates:
        if bound.instant > line.at and today:
            yield today
            today = None  # type: ignore[assignment]  # shown once
        label = schedule.DATE_LABELS[kind]
        is_past = bound.instant <= line.at
        yield Milestone(label, bound.instant, "" if is_past else _ahead(bound.instant, line.at), "is-done" * is_past)
    if today:
        yield today


def _day_of(line: OfferSummary) -> str:
    """Return `day 20 of 30` while the offer is open, on the clock of its dates."""
    start, end = schedule.opens(line.offer.terms), line.closes
    if start is None or end is None or not start.instant <= line.at < end.after:
        return ""
    first, last, now = (at.astimezone(ZoneInfo(end.zone)).date() for at in (start.instant, end.instant, line.at))
    return _("day %(n)d of %(days)d") % {"n": (now - first).days + 1, "days": (last - first).days + 1}


def _ahead(when: datetime, at: datetime) -> str:
    days = (timezone.localtime(when).date() - timezone.localtime(at).date()).days
    return ngettext("in %(n)d day", "in %(n)d days", days) % {"n": days} if days else _("today")


def _history(line: OfferSummary, pending: Sequence[PendingChange]) -> "QuerySet[AuditEvent]":
    launched = AuditEvent.objects.filter(offer=line.offer.id, draft__isnull=False).values("draft")
    of_drafts = Q(draft__in=launched) | Q(draft__in=[change.draft.pk for change in pending])
    acts = AuditEvent.objects.filter(Q(offer=line.offer.id) | of_drafts & Q(verb__in=DRAFT_EVENTS))
    return _with_draft(acts).order_by("-pk")


def _with_draft(acts: "QuerySet[AuditEvent]") -> "QuerySet[AuditEvent]":
    return acts.select_related("draft").defer("draft__source", "draft__base_source")


def _difference(old: Version, new: Version) -> OfferDifference:
    before, after = published_offers.terms_of(old), published_offers.terms_of(new)
    return next(diff.compare({before.code: before}, [after]))
