"""A quota burning down, as a drawing: places left over time, and where the forecast leads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from campaigns.figures import Point
from campaigns.forecast import Forecast

WIDTH, HEIGHT = 320, 80


@dataclass(frozen=True)
class Chart:
    """Paths in a ground of WIDTH by HEIGHT: what is left as steps, the forecast's band, and its likely line."""

    line: str
    band: str
    likely: str
    now: float
    starts: datetime
    ends: datetime


def burn_down(
    points: Sequence[Point], *, limit: int, at: datetime, closes: datetime | None, forecast: Forecast | None
) -> Chart | None:
    """The drawing as of `at`, up to where the offer closes; None where nothing was taken yet."""
    if not points:
        return None
    first = points[0].at
    last = max([at, *([forecast.latest or forecast.likely] if forecast else [])])
    last = max(at, min(last, closes or at + 3 * (at - first)))
    span = max((last - first).total_seconds(), 1.0)

    def x(when: datetime) -> float:
        return round(WIDTH * min(max((when - first).total_seconds() / span, 0.0), 1.0), 1)

    def y(left: int) -> float:
        return round(HEIGHT * (1 - max(left, 0) / limit), 1)

    level, path = y(limit), f"M0 {y(limit)}"
    for point in points:
        path += f"H{x(point.at)}V{y(limit - point.total)}"
        level = y(limit - point.total)
    path += f"H{x(at)}"
    band = likely = ""
    if forecast is not None:

        def reached(gone: datetime | None) -> str:
            """Where a line from now to the end of the places leaves the ground: below, or to the right."""
            if gone is None:
                return f"{x(last)} {level}"
            share = min(1.0, (last - at) / (gone - at)) if gone > at else 1.0
            return f"{x(min(gone, last))} {round(level + (HEIGHT - level) * share, 1)}"

        corner = f"L{x(last)} {HEIGHT}" if forecast.soonest < last and not (forecast.latest or last) < last else ""
        start = f"M{x(at)} {level}L"
        band = f"{start}{reached(forecast.soonest)}{corner}L{reached(forecast.latest)}Z"
        likely = f"{start}{reached(forecast.likely)}"
    return Chart(path, band, likely, x(at), first, last)
