"""Numbers for those who watch with Prometheus: read from the database as it is, so that any process tells the truth.

What only a process knows, how long claims took there, is kept in it; several processes of one machine share a folder
(`PROMETHEUS_MULTIPROC_DIR`).
"""

import os
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Min, Sum
from prometheus_client import REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from campaigns.allocation.allocator import Outcome
from campaigns.models import Decision, Heartbeat, Offer, TickRun
from campaigns.monitoring import health
from campaigns.notifications import messages, webhooks
from campaigns.reporting import offer_metrics
from imports.models import ImportBatch

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0)
CLAIM_SECONDS = Histogram(
    "fairground_claim_seconds", "How long a claim over REST took, by what became of it.", ["outcome"], buckets=BUCKETS
)
COUNTED_FOR = timedelta(seconds=30)
"""Refusals are counted over all decisions: no more often than this."""
_refused: dict[str, tuple[datetime, list[tuple[str, int, int]]]] = {}


class House(Collector):
    """Everything that the database knows, as of `now` by the host's clock."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterable[Metric]:
        """Some fifteen queries, none of which grows with what was given but the count of refusals."""
        yield from self._offers()
        yield from self._work()
        yield from self._signs()

    def _offers(self) -> Iterator[Metric]:
        rows = list(Offer.objects.exclude(version=None).values_list("pk", "code", "limit", "used", "line"))
        limits = _gauge("quota_limit", "Places of an offer that has a limit.", "offer")
        left = _gauge("quota_left", "Places that are left.", "offer")
        used = _gauge("quota_used", "Places taken, reserved ones included.", "offer")
        held = _gauge("quota_reserved", "Of those: not settled yet.", "offer")
        line = _gauge("claims", "Claims that met every condition so far.", "offer")
        reserved = offer_metrics.reserved([pk for pk, *_ in rows])
        for pk, code, limit, taken, claims in rows:
            used.add_metric([code], taken)
            held.add_metric([code], reserved.get(pk, 0))
            line.add_metric([code], claims)
            if limit is not None:
                limits.add_metric([code], limit)
                left.add_metric([code], max(limit - taken, 0))
        refusals = _gauge("refusals", "Claims refused so far, by reason.", "offer", "reason")
        for code, outcome, count in _refusals(self.now):
            refusals.add_metric([code, Outcome(outcome).name.lower()], count)
        yield from (limits, left, used, held, line, refusals)

    def _work(self) -> Iterator[Metric]:
        done = TickRun.objects.exclude(finished_at=None).aggregate(
            n=Count("pk"), decided=Sum("decided"), moved=Sum("moved"), issued=Sum("issued")
        )
        yield _gauge("ticks", "Ticks that ended.", value=done["n"])
        for name in ("decided", "moved", "issued"):
            yield _gauge(f"ticks_{name}", f"What ticks have {name}, in all.", value=done[name] or 0)
        last = TickRun.objects.exclude(finished_at=None).order_by("-pk").first()
        if last is not None:
            yield _gauge("tick_age_seconds", "Since the last tick began.", value=self._since(last.started_at))
        facts = ImportBatch.objects.filter(processed=False).aggregate(n=Count("pk"), oldest=Min("recorded_at"))
        mail = messages.to_mail().aggregate(n=Count("pk"), oldest=Min("event__recorded_at"))
        sent = webhooks.standing(at=self.now)
        waiting = _gauge("waiting", "What waits to be done.", "what")
        oldest = _gauge("waiting_age_seconds", "For how long the oldest of it has waited.", "what")
        for what, found in (("facts", facts), ("mail", mail), ("webhooks", sent)):
            waiting.add_metric([what], found["n"])
            oldest.add_metric([what], self._since(found["oldest"]) if found["oldest"] else 0)
        if (queue := health.queued()) is not None:
            waiting.add_metric(["tasks"], queue)
        yield from (waiting, oldest)
        yield _gauge(
            "webhook_failures", "Deliveries whose last try failed and that are not given up.", value=sent["failing"]
        )
        yield _gauge("webhooks_given_up", "Deliveries that nobody tries any more.", value=sent["given_up"])

    def _signs(self) -> Iterator[Metric]:
        signs = _gauge("sign_of_life_age_seconds", "Since a process showed that it lives.", "process")
        for row in Heartbeat.objects.all():
            signs.add_metric([row.name], self._since(row.at))
        yield signs
        well = _gauge("well", "1 where the board says that something is well, else 0.", "check")
        for check in health.checks(now=self.now):
            well.add_metric([check.key], check.ok)
        yield well

    def _since(self, at: datetime) -> float:
        return max((self.now - at).total_seconds(), 0)


def _gauge(name: str, text: str, *labels: str, value: float | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"fairground_{name}", text, labels=labels or None, value=value)


def _refusals(now: datetime) -> list[tuple[str, int, int]]:
    when, known = _refused.get("", (None, []))
    if when is None or not when <= now < when + COUNTED_FOR:
        refused = Decision.objects.exclude(outcome=Outcome.GRANTED).order_by()
        counted = refused.values("offer__code", "outcome").annotate(n=Count("pk"))
        known = list(counted.values_list("offer__code", "outcome", "n"))
        _refused[""] = (now, known)
    return known


def text(*, now: datetime) -> bytes:
    """All metrics in Prometheus' text format."""
    house = CollectorRegistry()
    house.register(House(now))
    own: CollectorRegistry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        own = CollectorRegistry()
        MultiProcessCollector(own)  # type: ignore[no-untyped-call]  # untyped there
    return generate_latest(house) + generate_latest(own)
