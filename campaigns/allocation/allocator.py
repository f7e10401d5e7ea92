"""First come, first served: ordered claims and releases in, results out. No database, no clock.

Claims that met the conditions of their offer come in the order of claim time, then subject. This module alone decides
which of them get a place: the limit per merchant, the limit of the offer, the bands of its quota, the largest discount
where several offers apply to one fee, and the places that come back.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from heapq import heappop, heappush
from itertools import groupby
from operator import attrgetter

from campaigns.allocation.bands import NO_KEYS, BandRefusal, Bands, Keys
from campaigns.models import Decision

Outcome = Decision.Outcome
MERCHANT_CAP = BandRefusal(Outcome.MERCHANT_CAP)
QUOTA_EXHAUSTED = BandRefusal(Outcome.QUOTA_EXHAUSTED)


@dataclass(frozen=True, slots=True)
class Claim:
    """A subject that claims a place at `at`.

    `decided_at` is the instant at which the offer decides all claims, if it has one. `released_at` is when the place
    would come back, `ended_at` when the grant would stop being live, as far as the facts tell by now.
    `fee_already_reduced` is set where a coupon attached to the order has reduced the fee. `keys` names the counters of
    the claim in the bands of its offer. `context` is returned with the result, for the caller.
    """

    at: datetime
    subject: str
    merchant: str
    offer: str
    amount: Decimal = Decimal(0)
    released_at: datetime | None = None
    ended_at: datetime | None = None
    fee_already_reduced: bool = False
    context: object = None
    decided_at: datetime | None = None
    keys: Keys = NO_KEYS

    @property
    def sort_key(self) -> tuple[datetime, datetime, str]:
        """Return the order of claims: by claim time, but not before the instant at which the offer decides."""
        return (max(self.at, self.decided_at) if self.decided_at else self.at, self.at, self.subject)


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """The outcome of a claim, and its position among the claims of the offer that met the conditions.

    `amount` is what is granted: the benefit, or less where a budget had less left. `refusal` is that of a band.
    """

    claim: Claim
    outcome: Outcome
    queue_position: int
    amount: Decimal = Decimal(0)
    refusal: BandRefusal | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """A place that comes back at `at`, with what it took from the bands: claims of that instant and later have it."""

    at: datetime
    offer: str
    merchant: str
    keys: Keys = NO_KEYS
    amount: Decimal = Decimal(0)


@dataclass
class Quota:
    """Quota of one offer: its limits, the places taken, and the number of qualified claims so far.

    `places_of` counts the places of each merchant. `stopped_at` is the last instant at which places are given, where an
    operator has stopped the offer.
    """

    limit: int | None = None
    limit_per_merchant: int | None = None
    qualified_claims: int = 0
    stopped_at: datetime | None = None
    places_taken: int = 0
    places_of: Counter[str] = field(default_factory=Counter)
    bands: Bands | None = None

    def is_stopped_for(self, claim: Claim) -> bool:
        """Return whether the offer had been stopped before the claim."""
        return self.stopped_at is not None and claim.sort_key[0] > self.stopped_at

    def refusal(self, claim: Claim, amount: Decimal) -> BandRefusal | None:
        """Return why there is no place, in this order: merchant at its limit, another holder, nothing left for all."""
        if self.limit_per_merchant is not None and self.places_of[claim.merchant] >= self.limit_per_merchant:
            return MERCHANT_CAP
        of_band = None if self.bands is None else self.bands.refusal(claim.keys, claim.amount, amount)
        if of_band is not None and of_band.outcome is not Outcome.QUOTA_EXHAUSTED:
            return of_band
        # More places than the limit can be taken: releases are counted at their instant, claims may come late.
        return QUOTA_EXHAUSTED if self.limit is not None and self.places_taken >= self.limit else of_band

    def take(self, claim: Claim, amount: Decimal) -> None:
        """Count one more place."""
        self.places_taken += 1
        if self.limit_per_merchant is not None:  # else a count of every merchant, for nothing
            self.places_of[claim.merchant] += 1
        if self.bands is not None:
            self.bands.add(claim.keys, amount)

    def release(self, release: Release) -> None:
        """Count one place less."""
        self.places_taken -= 1
        if self.limit_per_merchant is not None:
            self.places_of[release.merchant] -= 1
        if self.bands is not None:
            self.bands.add(release.keys, release.amount, -1)


class Allocation:
    """Gives the places of offers that compete for one fee. Load it with what was given before, then decide claims."""

    def __init__(self, quotas: dict[str, Quota]) -> None:
        self.quotas = quotas
        self._releases: list[tuple[datetime, int, Release]] = []
        self._fees_held_until: dict[str, datetime | None] = {}
        self._count = 0

    def expect(self, release: Release) -> None:
        """Add a place that will come back; until then it counts as taken."""
        self._count += 1  # breaks ties of the heap: releases themselves have no order
        heappush(self._releases, (release.at, self._count, release))

    def hold(self, subject: str, until: datetime | None) -> None:
        """Note that a live grant holds the fee of a subject until an instant, None for good; the longest counts."""
        known = self._fees_held_until.get(subject, until)
        self._fees_held_until[subject] = None if known is None or until is None else max(known, until)

    def decide(self, claims: Iterable[Claim]) -> Iterator[ClaimResult]:
        """Yield a result for each claim; `claims` are ordered by `sort_key`.

        At one instant, releases come before claims. Of the claims of one subject the largest discount is tried first,
        equal ones by offer code; a claim that gets no place leaves the fee to the next.
        """
        for (at, _claimed, subject), group in groupby(claims, key=attrgetter("sort_key")):
            while self._releases and self._releases[0][0] <= at:
                release = heappop(self._releases)[2]
                self.quotas[release.offer].release(release)
            contenders = list(group)
            if len(contenders) > 1:
                contenders.sort(key=lambda claim: (-claim.amount, claim.offer))
            for claim in contenders:
                yield self._decide(claim, fee_held=self._is_fee_held(subject, at))

    def _is_fee_held(self, subject: str, at: datetime) -> bool:
        if subject not in self._fees_held_until:
            return False
        until = self._fees_held_until[subject]
        return until is None or until > at

    def _decide(self, claim: Claim, *, fee_held: bool) -> ClaimResult:
        quota = self.quotas[claim.offer]
        quota.qualified_claims += 1
        # First: whether a coupon reduces the fee can depend on what happened while the offer was paused.
        if quota.is_stopped_for(claim):
            return ClaimResult(claim, Outcome.STOPPED, quota.qualified_claims)
        if claim.fee_already_reduced or fee_held:
            return ClaimResult(claim, Outcome.SUPERSEDED, quota.qualified_claims)
        amount = claim.amount if quota.bands is None else quota.bands.amount(claim.keys, claim.amount)
        if refusal := quota.refusal(claim, amount):
            return ClaimResult(claim, refusal.outcome, quota.qualified_claims, refusal=refusal)
        quota.take(claim, amount)
        if len(self.quotas) > 1:  # else no other offer competes for the fee
            self.hold(claim.subject, claim.ended_at)
        if claim.released_at is not None:
            self.expect(Release(claim.released_at, claim.offer, claim.merchant, claim.keys, amount))
        return ClaimResult(claim, Outcome.GRANTED, quota.qualified_claims, amount)
