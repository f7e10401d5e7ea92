"""The desk's first page: every offer's quota, what it has cost, when it runs out, what comes next, what is ill."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.charts import Chart, burn_down_chart
from backoffice.rendering import has_permissions, render_page, staff_view
from campaigns.models import Draft, Grant, Revocation
from campaigns.monitoring import health
from campaigns.offers import published_offers, schedule
from campaigns.offers.published_offers import PublishedOffer
from campaigns.offers.schedule import State
from campaigns.reporting import offer_metrics, quota_history
from campaigns.reporting.forecast import Forecast
from campaigns.reporting.offer_metrics import Cost
from core import clock
from rules.time_windows import Bound

MAX_UPCOMING = 8
LEVEL_LABELS: dict[str, str | Promise] = {
    "": "",
    "warn": gettext_lazy("80% taken"),
    "high": gettext_lazy("95% taken"),
    "full": gettext_lazy("exhausted"),
}
DATE_LABELS: dict[str, Promise] = {
    "opens": gettext_lazy("opens"),
    "closes": gettext_lazy("closes"),
    "decided": gettext_lazy("places are given, coupons issued"),
    "deadline": gettext_lazy("deadline of fulfilment"),
    "coupons_from": gettext_lazy("coupons can be used"),
    "coupons_to": gettext_lazy("coupons expire"),
}


@dataclass(frozen=True)
class OfferSummary:
    """One offer as its operators see it. `level` is "", warn, high or full, by how much is taken."""

    offer: PublishedOffer
    state: State
    costs: Sequence[Cost]
    held: int
    forecast: Forecast | None
    chart: Chart | None
    closes: Bound | None

    @property
    def lasts(self) -> bool:
        """Whether it closes, by the whole band of the forecast, before its places are gone."""
        return self.forecast is not None and self.closes is not None and self.forecast.soonest >= self.closes.after

    @property
    def may_last(self) -> bool:
        """Whether it may close before its places are gone."""
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
    def word(self) -> str:
        return str(LEVEL_LABELS[self.level])

    @property
    def percent(self) -> int:
        row = self.offer.row
        return min(100, row.places_taken * 100 // row.limit) if row.limit else 0


@dataclass(frozen=True)
class UpcomingDate:
    """A date that lies ahead."""

    offer: PublishedOffer
    label: str | Promise
    bound: Bound


def summarize_offers(several: Sequence[PublishedOffer], *, at: datetime) -> list[OfferSummary]:
    """The offers with their figures: a fixed number of queries for all of them."""
    ids = [offer.id for offer in several]
    owed, costs, held = offer_metrics.with_obligations(ids), offer_metrics.costs(ids), offer_metrics.reserved(ids)
    states = {offer.id: offer_metrics.state_of(offer, at=at, owed=offer.id in owed) for offer in several}
    burning = [offer for offer in several if offer.row.limit and states[offer.id] in (State.LIVE, State.PAUSED)]
    points = quota_history.histories([offer.id for offer in burning], zone=timezone.get_current_timezone())
    forecasts = quota_history.forecasts([offer for offer in burning if states[offer.id] is State.LIVE], at=at)
    found = []
    for offer in several:
        key, end, ahead = offer.id, schedule.closes(offer.terms), forecasts.get(offer.id)
        chart = burn_down_chart(
            points.get(key, []), limit=offer.row.limit or 1, at=at, closes=end.after if end else None, forecast=ahead
        )
        found.append(OfferSummary(offer, states[key], costs.get(key, []), held.get(key, 0), ahead, chart, end))
    return found


def upcoming_dates(several: Sequence[PublishedOffer], *, at: datetime) -> list[UpcomingDate]:
    """What happens next, over all offers."""
    ahead = sorted(_future_dates(several, at), key=lambda one: (one.bound.instant, one.offer.code))
    return ahead[:MAX_UPCOMING]


def _future_dates(several: Sequence[PublishedOffer], at: datetime) -> Iterator[UpcomingDate]:
    for offer in several:
        if offer.row.stopped_at is None:
            for kind, bound in schedule.dates(offer.terms):
                if bound.instant > at:
                    yield UpcomingDate(offer, DATE_LABELS[kind], bound)


@staff_view(methods=("GET", "HEAD"))
def overview_page(request: HttpRequest) -> HttpResponse:
    """Everything at one look, for whoever may look at offers; others see what they may."""
    if not has_permissions(request, "view_offer"):
        return render_page(request, "no_access", title=_("Board"))
    at, several = clock.now(), published_offers.published()
    found = summarize_offers(several, at=at)
    order = [State.LIVE, State.PAUSED, State.SCHEDULED, State.ENDED, State.CLOSED]
    groups = [(state, [line for line in found if line.state is state]) for state in order]
    ill = health.checks(now=clock.real())
    return render_page(
        request,
        "overview",
        title=_("Board"),
        groups=[group for group in groups if group[1]],
        ill=ill,
        healthy=all(check.ok for check in ill),
        coming=upcoming_dates(several, at=at),
        waiting=_count_pending_actions(),
    )


def _count_pending_actions() -> dict[str, int]:
    """What waits for a person."""
    return {
        "submitted": Draft.objects.filter(status=Draft.Status.SUBMITTED).count(),
        "approved": Draft.objects.filter(status=Draft.Status.APPROVED).count(),
        "review": Grant.objects.exclude(review="").count(),
        "revocations": Revocation.objects.filter(status=Revocation.Status.PROPOSED).count(),
    }
