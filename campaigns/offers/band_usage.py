"""Use of the bands of quotas: what is taken and left of each, for all grants or by holder, as of an instant."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from campaigns.models import BandCounter, QuotaBand
from campaigns.offers.published_offers import PublishedOffer
from campaigns.offers.quota_bands import limits_of, show_units
from core.facts import Collection
from definitions.band_sentences import describe_band, describe_holder
from definitions.quotas import ALL, MERCHANT, Band
from rules.periods import bounds_of

FULL, HIGH, WARN = 100, 95, 80


@dataclass(frozen=True)
class BandUsage:
    """Use of one band in the period of `at`: `used` units of all grants, or of the merchant that was asked about.

    `ends` is the instant at which the next period begins, None without one. `outside`: `at` lies in no part of the
    period, so that nothing is counted now. `holders` have taken something, `full` of them all that they can; `is_own`:
    it is the limit of the merchant that was asked about. `rows` are the subjects of the offer; `limit` is that of the
    merchant, or of all, in units.
    """

    band: Band
    rows: Collection
    limit: int = 0
    used: int = 0
    ends: datetime | None = None
    outside: bool = False
    holders: int = 0
    full: int = 0
    is_own: bool = False

    @property
    def is_shared(self) -> bool:
        """Return whether all grants share the limit."""
        return self.band.per == ALL

    @property
    def sentence(self) -> str:
        """Return the band in words."""
        return describe_band(self.band, self.rows)

    @property
    def holder(self) -> str:
        """Return the holder who has a limit of its own, in words."""
        return describe_holder(self.band)

    @property
    def left(self) -> int:
        """Return the units that are left."""
        return max(0, self.limit - self.used)

    @property
    def shown_used(self) -> str:
        """Return what is used, in words."""
        return show_units(self.band, self.used)

    @property
    def shown_left(self) -> str:
        """Return what is left, in words."""
        return show_units(self.band, self.left)

    @property
    def shown_limit(self) -> str:
        """Return the limit, in words."""
        return show_units(self.band, self.limit)

    @property
    def level(self) -> str:
        """Return `full`, `high` (95%), `warn` (80%) or nothing, by the share that is used."""
        if not (self.is_shared or self.is_own):
            return ""
        share = self.used * 100 / self.limit if self.limit else FULL
        return "full" if share >= FULL else "high" if share >= HIGH else "warn" if share >= WARN else ""

    @property
    def is_full(self) -> bool:
        """Return whether nothing is left in the present period, for all or for the merchant that was asked about."""
        return not self.outside and self.level == "full"

    @property
    def tone(self) -> str:
        """Return the tone of its bar."""
        return "bad" if self.level == "full" else "warn" if self.level else ""


def usages(
    offers: Iterable[PublishedOffer], *, at: datetime, merchant: str | None = None
) -> dict[int, list[BandUsage]]:
    """Return the use of the bands of each offer that has some, in their order. Two queries for all of them.

    With `merchant`, the use of bands for each merchant is that of this one, and those of other holders are left out.
    """
    banded = [offer for offer in offers if offer.terms.limits.bands]
    if not banded:
        return {}
    rows = QuotaBand.objects.filter(offer__in=[offer.id for offer in banded])
    ids = {(offer, signature): pk for pk, offer, signature in rows.values_list("pk", "offer_id", "signature")}
    bands = [
        (offer, ids.get((offer.id, band.signature)), band)
        for offer in banded
        for band in offer.terms.limits.bands
        if merchant is None or band.per in (ALL, MERCHANT)
    ]
    counted = _counted([(pk, band) for _offer, pk, band in bands], at, merchant)
    found: dict[int, list[BandUsage]] = {}
    for offer, pk, band in bands:
        is_own = merchant is not None and band.per == MERCHANT
        limit = band.units or (limits_of(offer.terms, band, [merchant])[merchant] if merchant and band.fact else 0)
        usage = BandUsage(band, offer.terms.collection, limit, is_own=is_own)
        found.setdefault(offer.id, []).append(_used(usage, counted.get(pk), at))
    return found


def _counted(
    bands: Sequence[tuple[int | None, Band]], at: datetime, merchant: str | None
) -> dict[int | None, tuple[int, int, int]]:
    """Return by band the units of the present period, and how many counters have some, and have all."""
    chosen = Q(pk=None)
    for pk, band in bands:
        period = band.period_key(at)
        if pk is not None and period is not None:
            own = band.per == ALL or merchant is not None
            key = period if band.per == ALL else f"{merchant} {period}".rstrip()
            chosen |= Q(band=pk, key=key) if own else Q(band=pk, key__endswith=period)
    counters = BandCounter.objects.filter(chosen, taken__gt=0).order_by()
    full = Count("pk", filter=Q(taken__gte=Coalesce("band__at_most", "limit")))
    sums: Any = counters.values("band").annotate(units=Sum("taken"), n=Count("pk"), full=full)
    return {band: (units, n, full) for band, units, n, full in sums.values_list("band", "units", "n", "full")}


def _used(usage: BandUsage, counted: tuple[int, int, int] | None, at: datetime) -> BandUsage:
    units, holders, full = counted or (0, 0, 0)
    period = usage.band.in_
    bounds = bounds_of(period, at) if period is not None else None
    return replace(
        usage,
        used=units,
        ends=bounds[1] if bounds else None,
        outside=period is not None and bounds is None,
        holders=holders,
        full=full,
    )
