"""Overview page: quota, cost and forecast of every offer, upcoming dates, pending actions and health checks."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.charts import Chart, burn_down_chart
from backoffice.rendering import has_permissions, render_page, staff_view
from campaigns.models import Draft, Grant, Revocation
from campaigns.monitoring import health
from campaigns.offers import drafts, published_offers, schedule
from campaigns.offers.published_offers import PublishedOffer
from campaigns.offers.schedule import State
from campaigns.reporting import offer_metrics, quota_history
from campaigns.reporting.forecast import Forecast
from campaigns.reporting.offer_metrics import Cost
from core import clock
from rules.time_windows import Bound

MAX_UPCOMING = 8
DATE_LABELS: dict[str, Promise] = {
    "opens": gettext_lazy("opens"),
    "closes": gettext_lazy("closes"),
    "decided": gettext_lazy("claims decided, coupons issued"),
    "deadline": gettext_lazy("fulfilment deadline"),
    "coupons_from": gettext_lazy("coupons can be used"),
    "coupons_to": gettext_lazy("coupons expire"),
}


@dataclass(frozen=True)
class OfferSummary:
    """Figures of one offer. `level` is "", warn (80%), high (95%) or full, by the share of the quota that is used."""

    offer: PublishedOffer
    state: State
    costs: Sequence[Cost]
    held: int
    forecast: Forecast | None
    chart: Chart | None
    closes: Bound | None

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
    def level(self) -> str:
        used, limit = self.offer.row.places_taken, self.offer.row.limit
        if not limit:
            return ""
        share = used / limit
        return "full" if share >= 1 else "high" if share >= 0.95 else "warn" if share >= 0.8 else ""

    @property
    def level_label(self) -> str:
        """Return a remark about the share that is used, from 80% on; otherwise an empty string."""
        if self.level == "full":
            return _("used up")
        return _("%(percent)s%% used") % {"percent": self.percent} if self.level else ""

    @property
    def percent(self) -> str:
        """Return the used share in per cent, rounded down to one decimal: `83.7`."""
        row = self.offer.row
        share = min(Decimal(100), Decimal(row.places_taken * 1000 // row.limit) / 10) if row.limit else Decimal(0)
        return f"{share:.1f}".removesuffix(".0")


@dataclass(frozen=True)
class UpcomingDate:
    """Future date of an offer."""

    offer: PublishedOffer
    label: str | Promise
    bound: Bound


def summarize_offers(several: Sequence[PublishedOffer], *, at: datetime) -> list[OfferSummary]:
    """Return the figures of the offers. The number of queries does not depend on the number of offers."""
    ids = [offer.id for offer in several]
    owed, costs, held = offer_metrics.with_obligations(ids), offer_metrics.costs(ids), offer_metrics.reserved(ids)
    states = {offer.id: offer_metrics.state_of(offer, at=at, owed=offer.id in owed) for offer in several}
    burning = [offer for offer in several if offer.row.limit and states[offer.id] in (State.LIVE, State.PAUSED)]
    points = quota_history.histories([offer.id for offer in burning], zone=timezone.get_current_timezone())
    forecasts = quota_history.forecasts([offer for offer in burning if states[offer.id] is State.LIVE], at=at)
    summaries = []
    for offer in several:
        key, end, ahead = offer.id, schedule.closes(offer.terms), forecasts.get(offer.id)
        chart = burn_down_chart(
            points.get(key, []), limit=offer.row.limit or 1, at=at, closes=end.after if end else None, forecast=ahead
        )
        summaries.append(OfferSummary(offer, states[key], costs.get(key, []), held.get(key, 0), ahead, chart, end))
    return summaries


def upcoming_dates(several: Sequence[PublishedOffer], *, at: datetime) -> list[UpcomingDate]:
    """Return the next dates of all offers, soonest first."""
    ahead = sorted(_future_dates(several, at), key=lambda date: (date.bound.instant, date.offer.code))
    return ahead[:MAX_UPCOMING]


def _future_dates(several: Sequence[PublishedOffer], at: datetime) -> Iterator[UpcomingDate]:
    for offer in several:
        if offer.row.stopped_at is None:
            for kind, bound in schedule.dates(offer.terms):
                if bound.instant > at:
                    yield UpcomingDate(offer, DATE_LABELS[kind], bound)


@staff_view(methods=("GET", "HEAD"))
def overview_page(request: HttpRequest) -> HttpResponse:
    """Show the overview to users who may view offers; others are told to ask for a role."""
    if not has_permissions(request, "view_offer"):
        return render_page(request, "no_access", title=_("Overview"))
    at, several = clock.now(), published_offers.published()
    summaries = summarize_offers(several, at=at)
    order = [State.LIVE, State.PAUSED, State.SCHEDULED, State.ENDED, State.CLOSED]
    groups = [(state, [line for line in summaries if line.state is state]) for state in order]
    checks = health.checks(now=clock.real())
    return render_page(
        request,
        "overview",
        title=_("Overview"),
        groups=[group for group in groups if group[1]],
        checks=checks,
        healthy=all(check.ok for check in checks),
        upcoming=upcoming_dates(several, at=at),
        pending=_count_pending_actions(),
    )


def _count_pending_actions() -> dict[str, int]:
    """Count the drafts, grants and revocations that wait for a person."""
    open_drafts = list(Draft.objects.filter(status__in=Draft.OPEN))
    outdated = drafts.out_of_date(open_drafts)
    current = Counter(draft.status for draft in open_drafts if draft.pk not in outdated)
    return {
        "submitted": current[Draft.Status.SUBMITTED],
        "approved": current[Draft.Status.APPROVED],
        "outdated": len(outdated),
        "review": Grant.objects.exclude(review="").count(),
        "revocations": Revocation.objects.filter(status=Revocation.Status.PROPOSED).count(),
    }
