"""Load the allocation of competing offers: the places taken, releases to come, and fees that grants hold."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from campaigns.allocation.allocator import Allocation, Claim, Quota, Release
from campaigns.allocation.band_state import BandState
from campaigns.models import Decision, Grant, MerchantQuota, Offer
from campaigns.offers.published_offers import PublishedOffer
from core.db.compiled_queries import AnyOfParameter, compiled_query, instant, number

# Claims for which merchants and fees are loaded at once: few queries, and memory that does not grow with the tick.
CHUNK = 5_000
# The decision that a grant is based on. A reopened grant has none any more: it has left its place at once.
DECISION = Decision.objects.filter(
    offer=OuterRef("offer"),
    subject=OuterRef("subject"),
    claimed_at=OuterRef("claimed_at"),
    outcome=Decision.Outcome.GRANTED,
)


@compiled_query
def _releases() -> QuerySet[Grant, Any]:
    """Releases after the instant up to which claims were decided: until then, claims find the place taken."""
    released = Grant.objects.filter(
        Exists(DECISION), offer=number("offer"), status=Grant.Status.RELEASED, ended_at__gt=instant("since")
    )
    return released.order_by("ended_at", "pk").values_list("ended_at", "merchant_id", "band_units", "amount")


@compiled_query
def _places_taken() -> QuerySet[Offer, Any]:
    return Offer.objects.filter(pk=number("offer")).values_list("places_taken")


@compiled_query
def _places_of_merchants() -> QuerySet[MerchantQuota, Any]:
    quotas = MerchantQuota.objects.filter(AnyOfParameter("merchant_id", "merchants"), offer=number("offer"))
    return quotas.order_by().values_list("merchant_id", "places_taken")


@compiled_query
def _fees_held() -> QuerySet[Grant, Any]:
    """Select the instants until which grants of some offers hold the fees of some subjects."""
    holding = Grant.objects.filter(
        Exists(DECISION), AnyOfParameter("offer", "offers", numbers=True), AnyOfParameter("subject", "subjects")
    )
    return holding.order_by().values_list("subject", "ended_at")


class QuotaState:
    """The allocation of `offers`, loaded from the database; places released after `since` come back in time.

    `competing` are all offers on the fee: a grant of one that is paused, and decides no claims now, holds it too.

    Places of merchants, and fees that other grants hold, are loaded in chunks as claims pass through `prefetched`: the
    cost grows with the claims, not with the grants that there are. `places_taken` has the places of each limited offer,
    `bands` the bands of each offer that has some, and `units_taken` what was given of them, by the name of the counter.
    With `few_claims`, the check whether any grant exists is left out: it costs more than it saves.
    """

    def __init__(
        self,
        offers: list[PublishedOffer],
        *,
        competing: list[PublishedOffer],
        since: datetime | None,
        few_claims: bool = False,
    ) -> None:
        self.offers = offers
        self._competing = [offer.id for offer in competing]
        self.bands = {offer.code: BandState(offer) for offer in offers if offer.terms.limits.bands}
        self.allocation = Allocation(
            {
                offer.code: Quota(
                    limit=offer.row.limit,
                    limit_per_merchant=offer.row.limit_per_merchant,
                    qualified_claims=offer.row.qualified_claims,
                    stopped_at=offer.row.stopped_at,
                    bands=self.bands[offer.code].allocated if offer.code in self.bands else None,
                )
                for offer in offers
            }
        )
        self.places_taken: Counter[int] = Counter()
        self.units_taken: Counter[str] = Counter()
        self._releasing: dict[str, Counter[str]] = {offer.code: Counter() for offer in offers}
        self._loaded: set[str] = set()
        self._has_grants = few_claims or Grant.objects.filter(offer__in=self._competing).exists()
        if self._has_grants:
            for offer in offers:
                self._load_places(offer, since)

    def _load_places(self, offer: PublishedOffer, since: datetime | None) -> None:
        releases = _releases()(offer=offer.id, since=since) if since else []
        quota = self.allocation.quotas[offer.code]
        if offer.row.limit is not None:
            # Read again: grants of the offer may have been released since the row was locked.
            [(self.places_taken[offer.id],)] = _places_taken()(offer=offer.id)
            quota.places_taken = self.places_taken[offer.id] + len(releases)
        bands = self.bands.get(offer.code)
        for at, merchant, units, amount in releases:
            self._releasing[offer.code][merchant] += 1
            keys = bands.expect(json.loads(units or "{}")) if bands else ()
            self.allocation.expect(Release(at, offer.code, merchant, keys, amount))

    def prefetched(self, claims: Iterator[Claim]) -> Iterator[Claim]:
        """Yield the claims as they come, after loading the places and fees that the decision on them needs."""
        while chunk := list(islice(claims, CHUNK)):
            for code, bands in self.bands.items():
                if self._has_grants or bands.reads_limits:
                    bands.load(claim.keys for claim in chunk if claim.offer == code)
            if self._has_grants:
                self._load_merchants({claim.merchant for claim in chunk})
                if len(self._competing) > 1:
                    self._load_fees({claim.subject for claim in chunk})
            yield from chunk

    def _load_merchants(self, merchants: set[str]) -> None:
        new = merchants - self._loaded
        self._loaded |= new
        for offer in self.offers:
            if offer.row.limit_per_merchant is None or not new:
                continue
            places_of = self.allocation.quotas[offer.code].places_of
            # Added: some of these places may have been released already by claims of other merchants before.
            places_of.update(dict(_places_of_merchants()(offer=offer.id, merchants=sorted(new))))
            places_of.update({merchant: n for merchant, n in self._releasing[offer.code].items() if merchant in new})

    def _load_fees(self, subjects: set[str]) -> None:
        for subject, ended_at in _fees_held()(offers=self._competing, subjects=sorted(subjects)):
            self.allocation.hold(subject, ended_at)
