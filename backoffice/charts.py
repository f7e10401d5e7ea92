"""Burn-down chart of a quota: places left over time, and the forecast."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from campaigns.reporting.forecast import Forecast
from campaigns.reporting.quota_history import Point

WIDTH, HEIGHT = 320, 80


@dataclass(frozen=True)
class Chart:
    """SVG paths in an area of WIDTH by HEIGHT: places left as steps, the band of the forecast, its likely line."""

    line: str
    band: str
    likely: str
    now: float
    starts: datetime
    ends: datetime


@dataclass(frozen=True)
class PlotArea:
    """Ranges of the axes: instants from `first` to `last`, places from `limit` (top) to zero."""

    first: datetime
    last: datetime
    limit: int

    def x(self, when: datetime) -> float:
        span = max((self.last - self.first).total_seconds(), 1.0)
        return round(WIDTH * min(max((when - self.first).total_seconds() / span, 0.0), 1.0), 1)

    def y(self, left: int) -> float:
        return round(HEIGHT * (1 - max(left, 0) / self.limit), 1)


def burn_down_chart(
    points: Sequence[Point], *, limit: int, at: datetime, closes: datetime | None, forecast: Forecast | None
) -> Chart | None:
    """Return the chart as of `at`, up to the close of the offer; None when no place was taken yet."""
    if not points:
        return None
    first = points[0].at
    last = max([at, *([forecast.latest or forecast.likely] if forecast else [])])
    ground = PlotArea(first, max(at, min(last, closes or at + 3 * (at - first))), limit)
    steps = "".join(f"H{ground.x(point.at)}V{ground.y(limit - point.total)}" for point in points)
    band, likely = _forecast_paths(ground, forecast, at, ground.y(limit - points[-1].total)) if forecast else ("", "")
    return Chart(f"M0 {ground.y(limit)}{steps}H{ground.x(at)}", band, likely, ground.x(at), first, ground.last)


def _forecast_paths(ground: PlotArea, forecast: Forecast, at: datetime, level: float) -> tuple[str, str]:
    """Return the band between the slowest and the fastest pace, and the likely line, both from now on."""
    last = ground.last

    def reached(gone: datetime | None) -> str:
        if gone is None:
            return f"{ground.x(last)} {level}"
        share = min(1.0, (last - at) / (gone - at)) if gone > at else 1.0
        return f"{ground.x(min(gone, last))} {round(level + (HEIGHT - level) * share, 1)}"

    open_end = forecast.latest is None or forecast.latest >= last
    corner = f"L{ground.x(last)} {HEIGHT}" if forecast.soonest < last and open_end else ""
    start = f"M{ground.x(at)} {level}L"
    return (
        f"{start}{reached(forecast.soonest)}{corner}L{reached(forecast.latest)}Z",
        f"{start}{reached(forecast.likely)}",
    )
