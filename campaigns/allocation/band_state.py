"""Load the counters of an offer's bands for an allocation, and what comes back to them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from campaigns.allocation.bands import AllocatedBand, Bands, Keys, Outcome
from campaigns.models import BandCounter
from campaigns.offers import quota_bands
from campaigns.offers.published_offers import PublishedOffer
from core.db.compiled_queries import AnyOfParameter, compiled_query, number
from definitions.quotas import ALL, MERCHANT

OUTCOMES = {ALL: Outcome.QUOTA_EXHAUSTED, MERCHANT: Outcome.MERCHANT_CAP}


@compiled_query
def _counters() -> "QuerySet[BandCounter, Any]":
    counters = BandCounter.objects.filter(AnyOfParameter("key", "keys"), band=number("band"))
    return counters.order_by().values_list("key", "taken")


class BandState:
    """The bands of one offer, whose counters are loaded as claims need them.

    `stored` has the units of each counter as they are in the database, by name; what is given is added to them.
    """

    def __init__(self, offer: PublishedOffer) -> None:
        self.bands = offer.terms.limits.bands
        self.ids = quota_bands.ids_of(offer.id, self.bands)
        self._allocated = [
            AllocatedBand(
                number=n,
                at_most=band.units,
                outcome=OUTCOMES.get(band.per, Outcome.HOLDER_CAP),
                is_amount=band.is_amount,
                partly=band.last is not None,
            )
            for n, band in enumerate(self.bands)
        ]
        self._terms = offer.terms
        self.allocated = Bands(self._allocated)
        self.stored: Counter[str] = Counter()
        self._loaded: list[set[str]] = [set() for _ in self.bands]
        self._releasing: list[Counter[str]] = [Counter() for _ in self.bands]

    def expect(self, units: Mapping[str, int]) -> Keys:
        """Note what a released grant will give back; until then it counts as taken. Returns its keys."""
        keys: list[str | None] = [None] * len(self.ids)
        for name, taken in units.items():
            band, _, key = name.partition(":")
            if int(band) in self.ids:  # else a later version has left the band out
                n = self.ids.index(int(band))
                keys[n] = key
                self._releasing[n][key] += taken
        return tuple(keys)

    def units(self, keys: Keys, amount: Decimal) -> dict[str, int]:
        """Return what a grant of `amount` takes, by the name of the counter."""
        return quota_bands.band_units(self.ids, self.bands, keys, amount)

    @property
    def reads_limits(self) -> bool:
        """Return whether the limit of a band is a fact of each holder."""
        return any(band.units is None for band in self.bands)

    def limits(self, keys: Keys) -> dict[str, int]:
        """Return the limits that facts of the holders state, by the name of the counter."""
        stated = zip(self.ids, self._allocated, keys, strict=True)
        return {f"{pk}:{key}": band.limit(key) for pk, band, key in stated if band.at_most is None and key is not None}

    def load(self, claims: Iterable[Keys]) -> None:
        """Load the counters of claims that were not loaded before, and their limits."""
        wanted = [{key for key in column if key is not None} for column in zip(*claims, strict=True)]
        for n, keys in enumerate(wanted):
            new = keys - self._loaded[n]
            self._loaded[n] |= new
            if new:
                self._load(n, new)

    def _load(self, n: int, keys: set[str]) -> None:
        taken = self._allocated[n].taken
        if self.bands[n].units is None:
            self._load_limits(n, keys)
        # Added: some of these units may have been released already by claims of other holders before.
        for key, units in _counters()(band=self.ids[n], keys=sorted(keys)):
            taken[key] += units
            self.stored[f"{self.ids[n]}:{key}"] += units
        taken.update({key: units for key, units in self._releasing[n].items() if key in keys})

    def _load_limits(self, n: int, keys: set[str]) -> None:
        band = self.bands[n]
        holder_of = {key: quota_bands.holder_in(band, key) for key in keys}
        limits = quota_bands.limits_of(self._terms, band, set(holder_of.values()))
        self._allocated[n].limits |= {key: limits[holder] for key, holder in holder_of.items()}
