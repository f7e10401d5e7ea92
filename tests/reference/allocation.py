"""First come, first served: one offer at a time, in order of claim instant and subject."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from heapq import heappop, heappush

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Claim:
    """A subject that met every condition, and the state in which its grant is by the end."""

    at: datetime
    subject: str
    merchant: str
    amount: Decimal
    currency: str
    status: str = "settled"
    released_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """The limit of an offer and its limit per merchant; None means no limit."""

    limit: int | None = None
    per_merchant: int | None = None


def allocate(claims: Iterable[Claim], quota: Quota) -> Iterator[Claim]:
    """Yield the claims that are granted. A release gives its place to later claims, never to an earlier refusal."""
    used = 0
    used_by: Counter[str] = Counter()
    releases: list[tuple[datetime, str]] = []
    for claim in sorted(claims, key=lambda claim: (claim.at, claim.subject)):
        while releases and releases[0][0] <= claim.at:
            used -= 1
            used_by[heappop(releases)[1]] -= 1
        if quota.per_merchant is not None and used_by[claim.merchant] >= quota.per_merchant:
            continue
        if quota.limit is not None and used >= quota.limit:
            continue
        used += 1
        used_by[claim.merchant] += 1
        if claim.released_at is not None:
            heappush(releases, (claim.released_at, claim.merchant))
        yield claim


def percent(of: Decimal, rate: int) -> Decimal:
    """A percentage, rounded half up to the cent."""
    return (of * rate / 100).quantize(CENT, ROUND_HALF_UP)
