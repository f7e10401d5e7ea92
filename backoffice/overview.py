"""Overview page: quotas at risk first, the other offers, work that waits, upcoming dates and the system's health."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.approvals import tasks_for
from backoffice.charts import Chart, burn_down_chart, forecast_range
from backoffice.rendering import has_permissions, render_page, staff_view
from campaigns.monitoring import health
from campaigns.offers import band_usage, published_offers, schedule
from campaigns.offers.band_usage import BandUsage
from campaigns.offers.published_offers import PublishedOffer
from campaigns.offers.schedule import DATE_LABELS, State
from campaigns.reporting import offer_metrics, quota_history
from campaigns.reporting.forecast import Forecast
from campaigns.reporting.offer_metrics import Cost
from core import clock
from core.formatting import format_number, format_short_date
from rules.time_windows import Bound

MAX_UPCOMING = 6
MAX_TASKS = 6
MAX_CARDS = 4
"""Quotas at risk beyond this number are shown as rows of the table."""
LEVELS = ("", "warn", "high", "full")


@dataclass(frozen=True)
class OfferSummary:
    """Figures of one offer as of `at`. `level` is "", warn (80%), high (95%) or full, by the used share of its quota.

    `bands` are the bands of its quota; a budget that is used up counts like the quota.
    """

    offer: PublishedOffer
    state: State
    costs: Sequence[Cost]
    held: int
    forecast: Forecast | None
    chart: Chart | None
    closes: Bound | None
    at: datetime
    bands: Sequence[BandUsage] = ()

    @property
    def closes_first(self) -> bool:
        """Return whether claims close before even the earliest forecast of the last place."""
        return self.forecast is not None and self.closes is not None and self.forecast.soonest >= self.closes.after

    @property
    def may_close_first(self) -> bool:
        """Return whether claims close before the latest forecast of the last place."""
        late = self.forecast.latest if self.forecast else None
        return self.forecast is not None and self.closes is not None and (late is None or late >= self.closes.after)

    @property
    def runs_out(self) -> bool:
        """Return whether the quota is likely used up before claims close."""
        ahead = self.forecast
        return ahead is not None and (self.closes is None or ahead.likely < self.closes.after)

    @property
    def at_risk(self) -> bool:
        """Return whether an operator should look at the quota: a live offer whose places are, or may soon be, gone."""
        return self.state in (State.LIVE, State.PAUSED) and (bool(self.level) or self.runs_out)

    @property
    def forecast_text(self) -> str:
        """Return when the quota is likely used up, in words; empty without a forecast."""
        if self.forecast is None:
            return ""
        if self.closes_first:
            return _("Will not be used up before closing.")
        likely = _short_date(self.forecast.likely, now=self.at)
        if self.runs_out:
            return _("Likely used up %(date)s.") % {"date": likely}
        return _("Likely used up %(date)s, after closing.") % {"date": likely}

    @property
    def forecast_basis(self) -> str:
        """Return the range of the forecast and the pace it rests on, in words; empty without a forecast."""
        if self.forecast is None:
            return ""
        words = {"taken": format_number(self.forecast.taken), "since": _short_date(self.forecast.since, now=self.at)}
        pace = ngettext(
            "At the pace of %(taken)s claim since %(since)s.",
            "At the pace of %(taken)s claims since %(since)s.",
            self.forecast.taken,
        )
        spread = forecast_range(self.forecast, timezone.get_current_timezone(), self.at)
        return f"{spread} {pace % words}"

    @property
    def tone(self) -> str:
        """Return the tone of its bar and pill: `bad` when used up, `warn` at risk, otherwise empty."""
        return "bad" if self.level == "full" else "warn" if self.at_risk else ""

    @property
    def left(self) -> int:
        row = self.offer.row
        return max(0, (row.limit or 0) - row.places_taken)

    @property
    def settled(self) -> int:
        return self.offer.row.places_taken - self.held

    @property
    def level(self) -> str:
        used, limit = self.offer.row.places_taken, self.offer.row.limit
        share = used / limit if limit else 0
        own = "full" if share >= 1 else "high" if share >= 0.95 else "warn" if share >= 0.8 else ""
        return max((own, *(usage.level for usage in self.bands)), key=LEVELS.index)

    @property
    def budgets(self) -> list[BandUsage]:
        """Return the bands that all grants share."""
        return [usage for usage in self.bands if usage.is_shared]

    @property
    def level_label(self) -> str:
        """Return a remark about the share that is used, from 80% on; otherwise an empty string."""
        if self.level == "full":
            return _("used up")
        return _("%(percent)s%% used") % {"percent": self.percent} if self.level and self.offer.row.limit else ""

    @property
    def percent(self) -> str:
        """Return the used share in per cent, rounded down to one decimal: `83.7`."""
        row = self.offer.row
        share = min(Decimal(100), Decimal(row.places_taken * 1000 // row.limit) / 10) if row.limit else Decimal(0)
        return f"{share:.1f}".removesuffix(".0")


@dataclass(frozen=True)
class UpcomingDate:
    """Future date that one or several offers share."""

    offers: Sequence[PublishedOffer]
    label: str | Promise
    bound: Bound

    @property
    def title(self) -> str:
        """Return the name of the offer, or how many offers share the date."""
        n = len(self.offers)
        return self.offers[0].row.name if n == 1 else ngettext("%(n)d offer", "%(n)d offers", n) % {"n": n}

    @property
    def names(self) -> str:
        """Return the names of the offers that share the date; empty for a single one."""
        return _(", ").join(offer.row.name for offer in self.offers) if len(self.offers) > 1 else ""


def _short_date(at: datetime, *, now: datetime) -> str:
    return format_short_date(at, timezone.get_current_timezone_name(), now=now)


def summarize_offers(several: Sequence[PublishedOffer], *, at: datetime) -> list[OfferSummary]:
    """Return the figures of the offers. The number of queries does not depend on the number of offers."""
    ids = [offer.id for offer in several]
    owed, costs, held = offer_metrics.with_obligations(ids), offer_metrics.costs(ids), offer_metrics.reserved(ids)
    states = {offer.id: offer_metrics.state_of(offer, at=at, owed=offer.id in owed) for offer in several}
    burning = [offer for offer in several if offer.row.limit and states[offer.id] in (State.LIVE, State.PAUSED)]
    points = quota_history.histories([offer.id for offer in burning], zone=timezone.get_current_timezone())
    forecasts = quota_history.forecasts([offer for offer in burning if states[offer.id] is State.LIVE], at=at)
    bands = band_usage.usages(several, at=at)
    summaries = []
    for offer in several:
        key, end, ahead = offer.id, schedule.closes(offer.terms), forecasts.get(offer.id)
        chart = burn_down_chart(
            points.get(key, []),
            limit=offer.row.limit or 1,
            at=at,
            closes=end.after if end else None,
            forecast=ahead,
            zone=timezone.get_current_timezone(),
        )
        summaries.append(
            OfferSummary(
                offer, states[key], costs.get(key, []), held.get(key, 0), ahead, chart, end, at, bands.get(key, ())
            )
        )
    return summaries


def upcoming_dates(several: Sequence[PublishedOffer], *, at: datetime) -> list[UpcomingDate]:
    """Return the next dates of all offers, soonest first; offers with the same event at one instant share an entry."""
    shared: dict[tuple[datetime, str], UpcomingDate] = {}
    for offer in sorted(several, key=lambda offer: offer.code):
        for kind, bound in schedule.dates(offer.terms) if offer.row.stopped_at is None else ():
            if bound.instant > at:
                known = shared.get((bound.instant, kind))
                offers = [*known.offers, offer] if known else [offer]
                shared[bound.instant, kind] = UpcomingDate(offers, DATE_LABELS[kind], bound)
    return [shared[key] for key in sorted(shared)][:MAX_UPCOMING]


@dataclass(frozen=True)
class Totals:
    """Sums of one currency over all offers. Currencies are never added together."""

    currency: str
    spent: Decimal
    promised: Decimal


def total_costs(summaries: Sequence[OfferSummary]) -> list[Totals]:
    """Return what all offers cost, by currency, the largest amount first."""
    spent: dict[str, Decimal] = defaultdict(Decimal)
    promised: dict[str, Decimal] = defaultdict(Decimal)
    for summary in summaries:
        for cost in summary.costs:
            spent[cost.currency] += cost.spent
            promised[cost.currency] += cost.promised
    totals = [Totals(currency, spent[currency], promised[currency]) for currency in spent]
    return sorted(totals, key=lambda total: (-total.spent, total.currency))


def by_urgency(summaries: Sequence[OfferSummary]) -> list[OfferSummary]:
    """Return the summaries, quotas at risk first (soonest used up first), then by the date of closing."""

    def urgency(line: OfferSummary) -> tuple[bool, float, float, str]:
        gone = 0.0 if line.level == "full" else line.forecast.likely.timestamp() if line.forecast else float("inf")
        closes = line.closes.instant.timestamp() if line.closes else float("inf")
        return (not line.at_risk, gone if line.at_risk else closes, closes, line.offer.code)

    return sorted(summaries, key=urgency)


@staff_view(methods=("GET", "HEAD"))
def overview_page(request: HttpRequest) -> HttpResponse:
    """Show the overview to users who may view offers; others are told to ask for a role."""
    if not has_permissions(request, "view_offer"):
        return render_page(request, "no_access", title=_("Overview"))
    at, several = clock.now(), published_offers.published()
    summaries = by_urgency(summarize_offers(several, at=at))
    cards = [line for line in summaries if line.at_risk and line.chart][:MAX_CARDS]
    over = (State.ENDED, State.CLOSED)
    checks, tasks = health.checks(now=clock.real()), tasks_for(request)
    return render_page(
        request,
        "overview",
        title=_("Overview"),
        cards=cards,
        others=[line for line in summaries if line not in cards and line.state not in over],
        ended=[line for line in summaries if line.state in over],
        at_risk=[line for line in summaries if line.at_risk],
        limited=sum(1 for line in summaries if line.offer.row.limit and line.state not in over),
        totals=total_costs(summaries),
        tasks=tasks[:MAX_TASKS],
        waiting=tasks,
        mine=sum(task.mine for task in tasks),
        checks=checks,
        failing=[check for check in checks if not check.ok],
        upcoming=upcoming_dates(several, at=at),
    )
