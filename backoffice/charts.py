"""Burn-down chart of a quota, as geometry for SVG: the quota left over time, and the forecast.

Curves are in units of the data (hours, places), so the drawing fits any width; texts and marks are placed in per cent
of the area, so they keep their size.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.reporting.forecast import Forecast
from campaigns.reporting.quota_history import Point
from core.formatting import format_number, format_short_date, format_short_instant

HOUR = timedelta(hours=1)
MOST_POINTS = 60
"""More points than this are thinned out: the hover areas would be too narrow to hit."""
MOST_TICKS = 7
TICK_HOURS = (1, 2, 3, 6, 12, 24, 48, 72, 120, 168, 240, 336, 720, 1440, 2160, 4320, 8760)
EDGE = 8.0
"""Closer to an edge than this, in per cent, the label of a point is moved inwards."""


@dataclass(frozen=True)
class Tick:
    """Label of an axis. `minor` labels are hidden where there is little room."""

    at: str
    text: str
    minor: bool = False


@dataclass(frozen=True)
class Spot:
    """Point of the curve with its label, which appears on hover and focus; offsets are in pixels."""

    x: str
    y: str
    left: str
    width: str
    dx: int
    dy: int
    when: str
    value: str


@dataclass(frozen=True)
class Chart:
    """Everything that the template draws. `hours` and `limit` are the ranges of the axes."""

    hours: float
    limit: int
    grid: str
    line: str
    area: str
    band: str
    likely: str
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    spots: Sequence[Spot]
    now: str
    left: str
    closes: str
    closes_label: str
    summary: str


@dataclass(frozen=True)
class PlotArea:
    """Ranges of the axes: instants from `first` to `last`, quota left from `limit` (top) to zero."""

    first: datetime
    last: datetime
    limit: int
    zone: tzinfo
    at: datetime

    @property
    def hours(self) -> float:
        return max((self.last - self.first) / HOUR, 1.0)

    def x(self, when: datetime) -> float:
        """Return hours since `first`, inside the area."""
        return round(min(max((when - self.first) / HOUR, 0.0), self.hours), 2)

    def y(self, left: float) -> float:
        """Return the distance from the top, in places."""
        return round(min(max(self.limit - left, 0), self.limit), 2)

    def across(self, when: datetime) -> str:
        return f"{100 * self.x(when) / self.hours:.2f}%"

    def down(self, left: float) -> str:
        return f"{100 * self.y(left) / self.limit:.2f}%"

    def day(self, when: datetime) -> str:
        return format_short_date(when, str(self.zone), now=self.at)


def burn_down_chart(
    points: Sequence[Point],
    *,
    limit: int,
    at: datetime,
    closes: datetime | None,
    forecast: Forecast | None,
    zone: tzinfo,
) -> Chart | None:
    """Return the chart as of `at`; None when no place was taken yet. `closes` is the first instant after the offer."""
    if not points:
        return None
    plot = PlotArea(points[0].at, _last_instant(points[0].at, at, closes, forecast), limit, zone, at)
    curve = _curve(points, plot)
    line = "L".join(f"{plot.x(when)} {plot.y(left)}" for when, left in curve)
    left = curve[-1][1]
    band, likely = _forecast_paths(plot, forecast, left) if forecast else ("", "")
    shows_end = closes is not None and closes <= plot.last
    steps = range(round_step(limit), limit + 1, round_step(limit))
    return Chart(
        hours=plot.hours,
        limit=limit,
        grid="".join(f"M0 {plot.y(n)}H{plot.hours}" for n in steps),
        line=f"M{line}",
        area=f"M{line}V{limit}H0Z",
        band=band,
        likely=likely,
        x_ticks=list(_x_ticks(plot)),
        y_ticks=[Tick(plot.down(n), format_number(n)) for n in (0, *steps)],
        spots=_spots(plot, curve),
        now=plot.across(at),
        left=plot.down(left),
        closes=plot.across(closes) if closes and shows_end and closes > at else "",
        closes_label=_("Closes %(date)s") % {"date": plot.day(closes)} if closes else "",
        summary=_summary(plot, left, forecast),
    )


def _last_instant(first: datetime, at: datetime, closes: datetime | None, forecast: Forecast | None) -> datetime:
    """Return the right edge: the close of the offer unless that is far off, otherwise the end of the forecast."""
    far = at + 3 * max(at - first, timedelta(days=1))
    if closes is not None and closes <= far:
        return max(closes, at)
    ahead = forecast.latest or forecast.likely if forecast else at
    return max(at, min(ahead, far))


def _curve(points: Sequence[Point], plot: PlotArea) -> list[tuple[datetime, int]]:
    """Return the quota left at the end of every hour or day until now, also of those in which nothing changed."""
    curve = [(plot.first, plot.limit)]
    for point, following in zip(points, [*points[1:], None], strict=True):
        until = min(following.at if following else plot.at, plot.at)
        end = min(point.ends, plot.at)
        while end < until:
            curve.append((end, plot.limit - point.total))
            end += point.ends - point.at
        curve.append((max(until, curve[-1][0]), plot.limit - point.total))
    return _thinned(curve)


def _thinned(curve: list[tuple[datetime, int]]) -> list[tuple[datetime, int]]:
    step = -(-len(curve) // MOST_POINTS)
    return [*curve[:-1:step], curve[-1]]


def round_step(limit: int) -> int:
    """Return a round step that divides the axis into at most four parts."""
    rough, size = max(1, -(-limit // 4)), 1
    while size * 10 <= rough:
        size *= 10
    return next(size * n for n in (1, 2, 5, 10) if size * n >= rough)


def _x_ticks(plot: PlotArea) -> Iterator[Tick]:
    hours = next((n for n in TICK_HOURS if plot.hours / n <= MOST_TICKS), TICK_HOURS[-1])
    show = format_short_date if hours >= 24 else format_short_instant
    n, when = 0, plot.first
    while when <= plot.last:
        yield Tick(plot.across(when), show(when, str(plot.zone), now=plot.at), minor=n % 2 == 1)
        n, when = n + 1, when + timedelta(hours=hours)


def _spots(plot: PlotArea, curve: Sequence[tuple[datetime, int]]) -> list[Spot]:
    """Return the points with areas to hover over, each reaching half way to its neighbours."""
    places = [100 * plot.x(when) / plot.hours for when, _left in curve]
    edges = [places[0], *((a + b) / 2 for a, b in pairwise(places)), places[-1]]
    show = format_short_date if curve[-1][0] - curve[0][0] > timedelta(days=MOST_POINTS / 24) else format_short_instant
    return [
        Spot(
            x=f"{place:.2f}%",
            y=plot.down(left),
            left=f"{start:.2f}%",
            width=f"{end - start:.2f}%",
            dx=34 if place < EDGE else -34 if place > 100 - EDGE else 0,
            dy=12 if left > plot.limit * 0.65 else -50,
            when=show(when, str(plot.zone), now=plot.at),
            value=_left_text(left),
        )
        for (when, left), place, (start, end) in zip(curve, places, pairwise(edges), strict=True)
    ]


def _left_text(left: int) -> str:
    return ngettext("%(n)s left", "%(n)s left", left) % {"n": format_number(left)}


def _summary(plot: PlotArea, left: int, forecast: Forecast | None) -> str:
    """Return the chart in words, for screen readers."""
    words = {"limit": format_number(plot.limit), "left": format_number(left), "day": plot.day(plot.first)}
    text = _("Quota of %(limit)s; first use on %(day)s, %(left)s left now.") % words
    if forecast is None:
        return text
    return f"{text} {forecast_range(forecast, plot.zone, plot.at)}"


def forecast_range(forecast: Forecast, zone: tzinfo, at: datetime) -> str:
    """Return the range of a forecast: `Likely range: 23 Sep to 27 Sep.`."""
    soonest = format_short_date(forecast.soonest, str(zone), now=at)
    if forecast.latest is None:
        return _("Likely range: from %(soonest)s, possibly never.") % {"soonest": soonest}
    latest = format_short_date(forecast.latest, str(zone), now=at)
    return _("Likely range: %(soonest)s to %(latest)s.") % {"soonest": soonest, "latest": latest}


def _forecast_paths(plot: PlotArea, forecast: Forecast, left: int) -> tuple[str, str]:
    """Return the band between the slowest and the fastest pace, and the likely line, both from now on."""
    at, last, level = plot.at, plot.last, plot.y(left)

    def reached(gone: datetime | None) -> str:
        if gone is None:
            return f"{plot.x(last)} {level}"
        share = min(1.0, (last - at) / (gone - at)) if gone > at else 1.0
        return f"{plot.x(min(gone, last))} {round(level + (plot.limit - level) * share, 2)}"

    open_end = forecast.latest is None or forecast.latest >= last
    corner = f"L{plot.x(last)} {plot.limit}" if forecast.soonest < last and open_end else ""
    start = f"M{plot.x(at)} {level}L"
    return (
        f"{start}{reached(forecast.soonest)}{corner}L{reached(forecast.latest)}Z",
        f"{start}{reached(forecast.likely)}",
    )
