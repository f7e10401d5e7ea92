"""Places of offers over time: how many were taken in each hour or day, and when the last one will be."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from django.db.models import Case, IntegerField, Max, Min, Q, QuerySet, Sum, Value, When
from django.db.models.functions import TruncDay, TruncHour

from campaigns.models import Grant, JournalEntry
from campaigns.offers.published_offers import PublishedOffer
from campaigns.offers.schedule import opens
from campaigns.reporting.forecast import WINDOW, Forecast, forecast

LONGEST_HOURLY = timedelta(days=4)
"""A history is by the hour up to this length, and by the day beyond it."""
FORECAST_LIFETIME = timedelta(seconds=10)
MOST_FORECASTS = 1_000


@dataclass(frozen=True)
class Point:
    """Places taken in the hour or day from `at` to `ends`, less those given back, and all places taken at its end."""

    at: datetime
    ends: datetime
    taken: int
    total: int


def histories(offer_ids: Iterable[int], *, zone: tzinfo) -> dict[int, list[Point]]:
    """Return the history of each offer, oldest point first, by hours or days of the zone. At most three queries."""
    changes = _changes(offer_ids)
    spans = (
        changes.values("offer_id").annotate(first=Min("at"), last=Max("at")).values_list("offer_id", "first", "last")
    )
    hourly: list[int] = []
    daily: list[int] = []
    for offer, first, last in spans:
        (hourly if last - first <= LONGEST_HOURLY else daily).append(offer)
    points: dict[int, list[Point]] = {}
    for ids, trunc, length in ((hourly, TruncHour, timedelta(hours=1)), (daily, TruncDay, timedelta(days=1))):
        counted = changes.filter(offer__in=ids).annotate(span=trunc("at", tzinfo=zone)).values("offer_id", "span")
        rows: Any = counted.annotate(n=Sum("step")).order_by("offer_id", "span") if ids else ()
        for row in rows:
            history = points.setdefault(row["offer_id"], [])
            total = row["n"] + (history[-1].total if history else 0)
            history.append(Point(row["span"], row["span"] + length, row["n"], total))
    return points


def forecasts(offers: Sequence[PublishedOffer], *, at: datetime) -> dict[int, Forecast]:
    """Return the forecast of each offer as of `at`, in one query for all of them.

    Offers without a limit, without a place left, or with too few grants recently have none.
    """
    limited = {
        offer.id: offer for offer in offers if offer.row.limit is not None and offer.row.places_taken < offer.row.limit
    }
    recent = _changes(limited).filter(at__gt=at - WINDOW, at__lte=at).annotate(span=TruncHour("at"))
    taken: dict[int, list[tuple[datetime, int]]] = {}
    for key, span, n in recent.values("offer_id", "span").annotate(n=Sum("step")).values_list("offer_id", "span", "n"):
        taken.setdefault(key, []).append((min(span + timedelta(minutes=59), at), n))
    by_offer = {}
    for key, offer in limited.items():
        first = opens(offer.terms)
        left = (offer.row.limit or 0) - offer.row.places_taken
        by_offer[key] = forecast(taken.get(key, []), left=left, at=at, opened=first.instant if first else None)
    return {key: estimate for key, estimate in by_offer.items() if estimate is not None}


_cache: dict[Any, tuple[datetime, Forecast | None]] = {}


def latest_forecast(offer: PublishedOffer, *, at: datetime) -> Forecast | None:
    """Return the offer's forecast, at most FORECAST_LIFETIME older than `at`.

    It is made again when another hundredth of the places is taken.
    """
    key = (offer.key, offer.row.places_taken * 100 // (offer.row.limit or 1))
    made_at, known = _cache.get(key, (None, None))
    if made_at is None or not made_at <= at < made_at + FORECAST_LIFETIME:
        known = forecasts([offer], at=at).get(offer.id)
        if len(_cache) > MOST_FORECASTS:
            _cache.clear()
        _cache[key] = (at, known)
    return known


def _changes(offer_ids: Iterable[int]) -> "QuerySet[JournalEntry]":
    """Return the journal entries by which a place was taken (`step` 1) or given back (`step` −1)."""
    entries = JournalEntry.objects.filter(Q(source="") | Q(target=Grant.Status.RELEASED), grant__isnull=False)
    step = Case(When(source="", then=Value(1)), default=Value(-1), output_field=IntegerField())
    return entries.filter(offer__in=list(offer_ids)).order_by().annotate(step=step)
