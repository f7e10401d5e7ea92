"""When a quota runs out, at the pace of late: a pure estimate with a band, and how it was come by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

WINDOW = timedelta(hours=72)
LEAST = 5
"""Fewer places than this, given in the window, say nothing about a pace."""
SPREAD = 2.0
"""Of a count that comes by chance, n, two times the square root of n lies to either side 19 times out of 20."""


@dataclass(frozen=True)
class Forecast:
    """The instants at which no place is left: likely, and the band around it; `latest` empty where it may never be.

    `taken` places were given, less those given back, in the time `since` which the pace was taken.
    """

    soonest: datetime
    likely: datetime
    latest: datetime | None
    taken: int
    since: datetime


def forecast(
    taken: Sequence[tuple[datetime, int]], *, left: int, at: datetime, opened: datetime | None = None
) -> Forecast | None:
    """An estimate as of `at` from places taken (+1) and given back (−1), each with its instant.

    The pace is that of the last 72 hours, or since the offer opened where that is less. None where too few places were
    given in that time to tell, or none is left.
    """
    since = max(at - WINDOW, opened) if opened is not None and opened < at else at - WINDOW
    count = sum(n for when, n in taken if since < when <= at)
    if count < LEAST or left <= 0:
        return None
    wide = SPREAD * sqrt(count)
    passed = at - since

    def gone(pace: float) -> datetime:
        return at + passed * (left / pace)

    latest = gone(count - wide) if count > wide else None
    return Forecast(gone(count + wide), gone(count), latest, count, since)
