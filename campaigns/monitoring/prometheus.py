"""Metrics for Prometheus, read from the database: every process gives the same answer.

Only the durations of claims are counted in each process; several processes of one machine share a folder
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

from campaigns.engine import quarantine_entries
from campaigns.models import Decision, Heartbeat, Offer, TickRun
from campaigns.monitoring import health
from campaigns.notifications import mailing, webhook_delivery
from campaigns.offers import band_usage, published_offers
from campaigns.reporting import offer_metrics
from imports.models import ImportBatch

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0)
CLAIM_SECONDS = Histogram(
    "fairground_claim_seconds", "Seconds that a claim over REST took, by outcome.", ["outcome"], buckets=BUCKETS
)
REFUSALS_LIFETIME = timedelta(seconds=30)
"""Refusals are counted again after this time: the query reads all decisions."""
TICK_TOTALS = {
    "decided": "Claims decided by ticks.",
    "moved": "Grants moved by ticks.",
    "issued": "Coupons issued by ticks.",
}
_refusals_cache: dict[str, tuple[datetime, list[tuple[str, int, int]]]] = {}


class DatabaseCollector(Collector):
    """Metrics that are read from the database, as of `now`, an instant of the host's clock."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterable[Metric]:
        """Yield all metrics. About fifteen queries; only the count of refusals reads more as the tables grow."""
        yield from self._offers()
        yield from self._ticks()
        yield from self._queues()
        yield from self._health()

    def _offers(self) -> Iterator[Metric]:
        rows = list(
            Offer.objects.exclude(version=None).values_list("pk", "code", "limit", "places_taken", "qualified_claims")
        )
        limits = _gauge("quota_limit", "Limit of an offer that has one.", "offer")
        left = _gauge("quota_left", "Places left.", "offer")
        used = _gauge("quota_used", "Places taken, including those of reserved grants.", "offer")
        held = _gauge("quota_reserved", "Places taken by grants that are not settled yet.", "offer")
        line = _gauge("claims", "Claims that met every condition.", "offer")
        reserved = offer_metrics.reserved([pk for pk, *_ in rows])
        for pk, code, limit, taken, claims in rows:
            used.add_metric([code], taken)
            held.add_metric([code], reserved.get(pk, 0))
            line.add_metric([code], claims)
            if limit is not None:
                limits.add_metric([code], limit)
                left.add_metric([code], max(limit - taken, 0))
        refusals = _gauge("refusals", "Claims refused, by reason.", "offer", "reason")
        for code, outcome, count in _refusals(self.now):
            refusals.add_metric([code, Decision.Outcome(outcome).name.lower()], count)
        yield from (limits, left, used, held, line, refusals)
        yield from self._budgets()

    def _budgets(self) -> Iterator[Metric]:
        """Yield the bands of quotas that all grants share, in the present period; money in its currency."""
        labels = ("offer", "band")
        limits = _gauge("budget_limit", "Limit of a band of a quota for all grants.", *labels)
        used = _gauge("budget_used", "Grants or money taken from the band in the present period.", *labels)
        offers = published_offers.published()
        found = band_usage.usages(offers, at=self.now)
        for offer in offers:
            for n, usage in enumerate(found.get(offer.id, ()), start=1):
                if usage.is_shared:
                    name = " ".join(filter(None, (str(n), usage.band.of, usage.band.currency)))
                    scale = 100 if usage.band.is_amount else 1
                    limits.add_metric([offer.code, name], usage.limit / scale)
                    used.add_metric([offer.code, name], usage.used / scale)
        yield from (limits, used)

    def _ticks(self) -> Iterator[Metric]:
        done = TickRun.objects.exclude(finished_at=None).aggregate(
            n=Count("pk"), decided=Sum("decided"), moved=Sum("moved"), issued=Sum("issued")
        )
        yield _gauge("ticks", "Ticks that finished.", value=done["n"])
        for name, text in TICK_TOTALS.items():
            yield _gauge(f"ticks_{name}", text, value=done[name] or 0)
        last = TickRun.objects.exclude(finished_at=None).order_by("-pk").first()
        if last is not None:
            yield _gauge("tick_age_seconds", "Seconds since the last tick began.", value=self._since(last.started_at))

    def _queues(self) -> Iterator[Metric]:
        facts = ImportBatch.objects.filter(processed=False).aggregate(n=Count("pk"), oldest=Min("recorded_at"))
        mail = mailing.unsent().aggregate(n=Count("pk"), oldest=Min("event__recorded_at"))
        sent = webhook_delivery.summary(at=self.now)
        waiting = _gauge("waiting", "Number of imports, mails, webhook deliveries and tasks that wait.", "what")
        oldest = _gauge("waiting_age_seconds", "Seconds that the oldest of them has waited.", "what")
        for what, found in (("facts", facts), ("mail", mail), ("webhooks", sent)):
            waiting.add_metric([what], found["n"])
            oldest.add_metric([what], self._since(found["oldest"]) if found["oldest"] else 0)
        if (queue := health.queued()) is not None:
            waiting.add_metric(["tasks"], queue)
        yield from (waiting, oldest)
        yield _gauge(
            "webhook_failures",
            "Deliveries whose last attempt failed and that will be tried again.",
            value=sent["failing"],
        )
        yield _gauge("webhooks_given_up", "Deliveries that will not be tried again.", value=sent["given_up"])

    def _health(self) -> Iterator[Metric]:
        ages = _gauge("heartbeat_age_seconds", "Seconds since the last heartbeat of a process.", "process")
        for row in Heartbeat.objects.all():
            ages.add_metric([row.name], self._since(row.at))
        yield ages
        held = _gauge("quarantined", "Subjects, merchants and offers in quarantine, by stage.", "stage")
        for stage, count in quarantine_entries.failed().order_by().values_list("stage").annotate(n=Count("pk")):
            held.add_metric([stage], count)
        yield held
        healthy = _gauge("healthy", "1 if the health check passes, else 0.", "check")
        for check in health.checks(now=self.now):
            healthy.add_metric([check.key], check.ok)
        yield healthy

    def _since(self, at: datetime) -> float:
        return max((self.now - at).total_seconds(), 0)


def _gauge(name: str, text: str, *labels: str, value: float | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"fairground_{name}", text, labels=labels or None, value=value)


def _refusals(now: datetime) -> list[tuple[str, int, int]]:
    when, known = _refusals_cache.get("", (None, []))
    if when is None or not when <= now < when + REFUSALS_LIFETIME:
        refused = Decision.objects.exclude(outcome=Decision.Outcome.GRANTED).order_by()
        counted = refused.values("offer__code", "outcome").annotate(n=Count("pk"))
        known = list(counted.values_list("offer__code", "outcome", "n"))
        _refusals_cache[""] = (now, known)
    return known


def render(*, now: datetime) -> bytes:
    """Return all metrics in Prometheus' text format, as of `now`, an instant of the host's clock."""
    database = CollectorRegistry()
    database.register(DatabaseCollector(now))
    process: CollectorRegistry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        process = CollectorRegistry()
        MultiProcessCollector(process)  # type: ignore[no-untyped-call]  # untyped there
    return generate_latest(database) + generate_latest(process)
