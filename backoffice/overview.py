"""The desk's first page: every offer's quota, what it has cost, when it runs out, what comes next, what is ill."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.charts import Chart, burn_down
from backoffice.rendering import may, page, show
from campaigns.models import Draft, Grant, Revocation
from campaigns.monitoring import health
from campaigns.offers import published_offers, schedule
from campaigns.offers.published_offers import PublishedOffer
from campaigns.offers.schedule import State
from campaigns.reporting import offer_metrics
from campaigns.reporting.forecast import Forecast
from campaigns.reporting.offer_metrics import Cost
from core import clock
from rules.time_windows import Bound

COMING = 8
WORDS: dict[str, str | Promise] = {
    "": "",
    "warn": gettext_lazy("80% taken"),
    "high": gettext_lazy("95% taken"),
    "full": gettext_lazy("exhausted"),
}
DATES: dict[str, Promise] = {
    "opens": gettext_lazy("opens"),
    "closes": gettext_lazy("closes"),
    "decided": gettext_lazy("places are given, coupons issued"),
    "deadline": gettext_lazy("deadline of fulfilment"),
    "coupons_from": gettext_lazy("coupons can be used"),
    "coupons_to": gettext_lazy("coupons expire"),
}


@dataclass(frozen=True)
class Line:
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
        used, limit = self.offer.row.used, self.offer.row.limit
        if not limit:
            return ""
        share = used / limit
        return "full" if share >= 1 else "high" if share >= 0.95 else "warn" if share >= 0.8 else ""

    @property
    def word(self) -> str:
        return str(WORDS[self.level])

    @property
    def percent(self) -> int:
        row = self.offer.row
        return min(100, row.used * 100 // row.limit) if row.limit else 0


@dataclass(frozen=True)
class Coming:
    """A date that lies ahead."""

    offer: PublishedOffer
    label: str | Promise
    bound: Bound


def lines(several: Sequence[PublishedOffer], *, at: datetime) -> list[Line]:
    """The offers with their figures: a fixed number of queries for all of them."""
    ids = [offer.id for offer in several]
    owed, costs, held = offer_metrics.owed(ids), offer_metrics.costs(ids), offer_metrics.reserved(ids)
    states = {offer.id: offer_metrics.state_of(offer, at=at, owed=offer.id in owed) for offer in several}
    burning = [offer for offer in several if offer.row.limit and states[offer.id] in (State.LIVE, State.PAUSED)]
    points = offer_metrics.histories([offer.id for offer in burning], zone=timezone.get_current_timezone())
    forecasts = offer_metrics.forecasts([offer for offer in burning if states[offer.id] is State.LIVE], at=at)
    found = []
    for offer in several:
        key, end, ahead = offer.id, schedule.closes(offer.terms), forecasts.get(offer.id)
        chart = burn_down(
            points.get(key, []), limit=offer.row.limit or 1, at=at, closes=end.after if end else None, forecast=ahead
        )
        found.append(Line(offer, states[key], costs.get(key, []), held.get(key, 0), ahead, chart, end))
    return found


def coming(several: Sequence[PublishedOffer], *, at: datetime) -> list[Coming]:
    """What happens next, over all offers."""
    ahead = sorted(_ahead(several, at), key=lambda one: (one.bound.instant, one.offer.code))
    return ahead[:COMING]


def _ahead(several: Sequence[PublishedOffer], at: datetime) -> Iterator[Coming]:
    for offer in several:
        if offer.row.stopped_at is None:
            for kind, bound in schedule.dates(offer.terms):
                if bound.instant > at:
                    yield Coming(offer, DATES[kind], bound)


@page(methods=("GET", "HEAD"))
def board(request: HttpRequest) -> HttpResponse:
    """Everything at one look, for whoever may look at offers; others see what they may."""
    if not may(request, "view_offer"):
        return show(request, "empty", title=_("Board"))
    at, several = clock.now(), published_offers.published()
    found = lines(several, at=at)
    order = [State.LIVE, State.PAUSED, State.SCHEDULED, State.ENDED, State.CLOSED]
    groups = [(state, [line for line in found if line.state is state]) for state in order]
    ill = health.checks(now=clock.real())
    return show(
        request, "board", title=_("Board"), groups=[group for group in groups if group[1]], ill=ill,
        healthy=all(check.ok for check in ill), coming=coming(several, at=at), waiting=_waiting(),
    )  # fmt: skip


def _waiting() -> dict[str, int]:
    """What waits for a person."""
    return {
        "submitted": Draft.objects.filter(status=Draft.Status.SUBMITTED).count(),
        "approved": Draft.objects.filter(status=Draft.Status.APPROVED).count(),
        "review": Grant.objects.exclude(review="").count(),
        "revocations": Revocation.objects.filter(status=Revocation.Status.PROPOSED).count(),
    }
