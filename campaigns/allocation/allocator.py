"""First come, first served: ordered claims and releases in, decisions out. No database, no clock.

Claims that met their offer's conditions come in the order of claim time, then subject. Here, and nowhere else, is
decided which of them get a place: the merchant's cap, the offer's limit, the largest discount where several offers hit
one fee, and what happens to places that are given back (programs.md, sections 4 and 7).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from heapq import heappop, heappush
from itertools import groupby
from operator import attrgetter


class Outcome(IntEnum):
    """What became of a claim. Values are those of the `Decision` model."""

    GRANTED = 1
    REFUSED = 2
    SUPERSEDED = 3
    MERCHANT_CAP = 4
    QUOTA_EXHAUSTED = 5
    STOPPED = 6


@dataclass(frozen=True, slots=True)
class Claim:
    """A subject asking for a place at `at`.

    `released_at` is when its place would come back if it gets one, `ended_at` when its grant would stop being live, as
    far as is known now. `fee_already_reduced` when something else already took the fee: a coupon attached to the order.
    `about` is whatever the caller wants to find again with the verdict.
    """

    at: datetime
    subject: str
    merchant: str
    offer: str
    amount: Decimal = Decimal(0)
    released_at: datetime | None = None
    ended_at: datetime | None = None
    fee_already_reduced: bool = False
    about: object = None
    decided_at: datetime | None = None

    @property
    def turn(self) -> tuple[datetime, datetime, str]:
        """Its place in time: by claim, but not before the instant at which the offer decides at all."""
        return (max(self.at, self.decided_at) if self.decided_at else self.at, self.at, self.subject)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A claim's outcome, its place in line, and the seats it sits on where it was granted and seats are counted."""

    claim: Claim
    outcome: Outcome
    place: int
    seat: int | None = None
    merchant_seat: int | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """A place that comes back at `at`, to be had by claims of that instant and later."""

    at: datetime
    offer: str
    merchant: str
    seat: int | None
    merchant_seat: int | None


class Seats:
    """Numbered seats from 1 to `limit`; the lowest free one is taken first. Without a limit there are no numbers.

    Held are those up to `first`, but for the `free` ones, and those in `taken`, each as often as it is named: a seat
    that comes back later may have been given on already. Some who came before there was a limit, or under a higher
    one, sit without a number or above it, and count.
    """

    __slots__ = ("_count", "_freed", "_more", "_next", "limit")

    def __init__(
        self, limit: int | None, taken: Iterable[int | None] = (), *, first: int = 0, free: Sequence[int] = ()
    ) -> None:
        seats = list(taken) if limit is not None else []
        self.limit = limit
        self._count = first - len(free) + len(seats)
        self._freed = sorted(free)
        self._next = first + 1
        # Holders beyond the one that each seat below `_next` has, unless it is free.
        self._more = Counter(seat for seat in seats if seat is not None)

    @property
    def full(self) -> bool:
        """Whether no seat is left."""
        return self.limit is not None and self._count >= self.limit

    def take(self) -> int | None:
        """Take the lowest free seat; only where not full."""
        if self.limit is None:
            return None
        self._count += 1
        if self._freed:
            return heappop(self._freed)
        while self._next in self._more:
            self._leave(self._next)
            self._next += 1
        self._next += 1
        return self._next - 1

    def free(self, seat: int | None) -> None:
        """Give back a seat that is taken; none, where its holder has no number."""
        self._count -= 1
        if seat is None:
            return
        if seat in self._more:
            self._leave(seat)
        elif self.limit is not None and seat <= self.limit:
            heappush(self._freed, seat)

    def _leave(self, seat: int) -> None:
        """One holder fewer beyond the one."""
        self._more[seat] -= 1
        if not self._more[seat]:
            del self._more[seat]


UNCOUNTED = Seats(None)


@dataclass
class Quota:
    """The places of one offer: `limit` in all, `cap` for each merchant; `line` counts the claims so far.

    `stopped_at` is the last instant at which places are given, where an operator has stopped the offer.
    """

    limit: int | None = None
    cap: int | None = None
    line: int = 0
    stopped_at: datetime | None = None
    seats: Seats = field(init=False)
    merchants: dict[str, Seats] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.seats = Seats(self.limit)

    def of(self, merchant: str) -> Seats:
        """The merchant's own seats."""
        if self.cap is None:
            return UNCOUNTED
        if merchant not in self.merchants:
            self.merchants[merchant] = Seats(self.cap)
        return self.merchants[merchant]

    def refusal(self, claim: Claim) -> Outcome | None:
        """Why there is no place: the offer was stopped, the merchant has its share, all are taken. None: there is."""
        if self.stopped_at is not None and claim.turn[0] > self.stopped_at:
            return Outcome.STOPPED
        if self.of(claim.merchant).full:
            return Outcome.MERCHANT_CAP
        return Outcome.QUOTA_EXHAUSTED if self.seats.full else None

    def free(self, release: Release) -> None:
        """Take a place back."""
        self.seats.free(release.seat)
        self.of(release.merchant).free(release.merchant_seat)


class Allocation:
    """Places of offers that compete for the same fee, given in order. Feed it what was given before, then claims."""

    def __init__(self, quotas: dict[str, Quota]) -> None:
        self.quotas = quotas
        self._releases: list[tuple[datetime, int, Release]] = []
        self._holders: dict[str, datetime | None] = {}
        self._count = 0

    def expect(self, release: Release) -> None:
        """Note a place that will come back."""
        self._count += 1
        heappush(self._releases, (release.at, self._count, release))

    def hold(self, subject: str, until: datetime | None) -> None:
        """Note that a subject's fee has a live grant already, until an instant or for good; the longer counts."""
        known = self._holders.get(subject, until)
        self._holders[subject] = None if known is None or until is None else max(known, until)

    def decide(self, claims: Iterable[Claim]) -> Iterator[Verdict]:
        """A verdict for each claim, in an order in which equal times are taken by subject.

        `claims` come ordered by their turn. At one instant, releases come before claims; of one subject's claims the
        largest discount is tried first, equal ones by offer code, and one that finds no place gives way to the next.
        """
        for (at, _claimed, subject), contenders in groupby(claims, key=attrgetter("turn")):
            while self._releases and self._releases[0][0] <= at:
                release = heappop(self._releases)[2]
                self.quotas[release.offer].free(release)
            tried = list(contenders)
            if len(tried) > 1:
                tried.sort(key=lambda claim: (-claim.amount, claim.offer))
            for claim in tried:
                yield self._decide(claim, self._held(subject, at))

    def _held(self, subject: str, at: datetime) -> bool:
        if subject not in self._holders:
            return False
        until = self._holders[subject]
        return until is None or until > at

    def _decide(self, claim: Claim, held: bool) -> Verdict:
        quota = self.quotas[claim.offer]
        quota.line += 1
        if claim.fee_already_reduced or held:
            return Verdict(claim, Outcome.SUPERSEDED, quota.line)
        if refusal := quota.refusal(claim):
            return Verdict(claim, refusal, quota.line)
        seat, merchant_seat = quota.seats.take(), quota.of(claim.merchant).take()
        if len(self.quotas) > 1:
            self.hold(claim.subject, claim.ended_at)
        if claim.released_at is not None:
            self.expect(Release(claim.released_at, claim.offer, claim.merchant, seat, merchant_seat))
        return Verdict(claim, Outcome.GRANTED, quota.line, seat, merchant_seat)
