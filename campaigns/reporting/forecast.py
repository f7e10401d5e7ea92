"""Forecast of the instant at which the last place of a quota is taken: an estimate with a band, without I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

WINDOW = timedelta(hours=72)
LEAST_TAKEN = 5
"""Fewer places than this, taken within the window, give no pace."""
STANDARD_ERRORS = 2.0
"""Width of the band. Random counts of mean n have a standard error of √n; two of them cover 19 cases of 20."""


@dataclass(frozen=True)
class Forecast:
    """Instants at which no place is left: the likely one, and its band. `latest` is None if it may never happen.

    The pace is that of `taken` places, less those given back, since the instant `since`.
    """

    soonest: datetime
    likely: datetime
    latest: datetime | None
    taken: int
    since: datetime


def forecast(
    taken: Sequence[tuple[datetime, int]], *, left: int, at: datetime, opened: datetime | None = None
) -> Forecast | None:
    """Return an estimate as of `at`, from the instants at which places were taken (+n) and given back (−n).

    The pace is that of the last 72 hours, or of the time since the offer opened if that is shorter. Return None if
    no place is left, or too few were taken in that time.
    """
    since = max(at - WINDOW, opened) if opened is not None and opened < at else at - WINDOW
    count = sum(n for when, n in taken if since < when <= at)
    if count < LEAST_TAKEN or left <= 0:
        return None
    error = STANDARD_ERRORS * sqrt(count)
    elapsed = at - since

    def last_place(pace: float) -> datetime:
        return at + elapsed * (left / pace)

    return Forecast(
        soonest=last_place(count + error),
        likely=last_place(count),
        latest=last_place(count - error) if count > error else None,
        taken=count,
        since=since,
    )
