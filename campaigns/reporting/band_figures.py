"""Figures of the bands of a quota: totals over all holders and periods, and when nothing of a period will be left."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncHour
from django.utils import translation

from campaigns.models import BandCounter, Grant
from campaigns.offers.band_usage import BandUsage
from campaigns.offers.published_offers import PublishedOffer
from campaigns.offers.quota_bands import plain_units
from campaigns.offers.schedule import opens
from campaigns.reporting.forecast import WINDOW, Forecast, forecast
from definitions.band_sentences import describe_band
from rules.periods import bounds_of

Rows = Sequence[tuple[datetime, int, Any]]


def band_totals(offer: PublishedOffer) -> list[dict[str, Any]]:
    """Return the use of each band of an offer, in their order, as JSON values.

    `used` are grants, or money in `currency`. Each holder has a limit of its own in each period: `limits` have been
    used, and `full` of them to the end. The sentences are in both languages, because the reader's is not known yet.
    """
    full = Count("pk", filter=Q(taken__gte=F("limit")))
    counters = BandCounter.objects.filter(band__offer=offer.id, taken__gt=0).order_by().values("band__signature")
    rows: Any = counters.annotate(units=Sum("taken"), n=Count("pk"), full=full)
    counted = {row["band__signature"]: (row["units"], row["n"], row["full"]) for row in rows}
    found = []
    for band in offer.terms.limits.bands:
        units, limits, full_ones = counted.get(band.signature, (0, 0, 0))
        data = {"used": plain_units(band, units), "currency": band.currency or "", "limits": limits, "full": full_ones}
        for language in ("en", "zh-hans"):
            with translation.override(language):
                data[language] = describe_band(band, offer.terms.collection)
        found.append(data)
    return found


def band_forecasts(offer: PublishedOffer, usages: Sequence[BandUsage], *, at: datetime) -> list[Forecast | None]:
    """Return the forecast of each band that all grants share: when nothing of the present period will be left.

    There is none where the period ends before, where nothing is left, or where too few grants were given lately. At
    most one query.
    """
    if not any(_is_burning(usage) for usage in usages):
        return [None] * len(usages)
    recent = Grant.objects.filter(offer=offer.id, claimed_at__gt=at - WINDOW, claimed_at__lte=at)
    recent = recent.exclude(status=Grant.Status.RELEASED).order_by().annotate(span=TruncHour("claimed_at"))
    rows = list(recent.values("span").annotate(n=Count("pk"), money=Sum("amount")).values_list("span", "n", "money"))
    first = opens(offer.terms)
    return [
        _forecast(usage, rows, at, first.instant if first else None) if _is_burning(usage) else None for usage in usages
    ]


def _is_burning(usage: BandUsage) -> bool:
    return usage.is_shared and not usage.outside and usage.left > 0


def _forecast(usage: BandUsage, rows: Rows, at: datetime, opened: datetime | None) -> Forecast | None:
    """Return the forecast of a band from the grants of each hour: what is left counts in grants of their mean size."""
    bounds = bounds_of(usage.band.in_, at) if usage.band.in_ is not None else None
    since = max(filter(None, (opened, bounds[0] if bounds else None)), default=None)
    own = [row for row in rows if since is None or row[0] + timedelta(hours=1) > since]
    grants = sum(n for _span, n, _money in own)
    units = sum(money for _span, _n, money in own) * 100 if usage.band.is_amount else grants
    if not units:
        return None
    taken = [(min(span + timedelta(minutes=59), at), n) for span, n, _money in own]
    found = forecast(taken, left=ceil(usage.left * grants / units), at=at, opened=since)
    is_late = found is not None and usage.ends is not None and found.likely >= usage.ends
    return None if is_late else found
