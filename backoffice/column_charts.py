"""Column charts by hour or day, as geometry for SVG: stacked values, with axes and the values of each column.

A column is one unit wide, and heights are in units of the data; texts are placed in per cent of the area, as in
`backoffice.charts`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from backoffice.charts import EDGE, MOST_POINTS, MOST_TICKS, Spot, Tick, round_step
from core.formatting import format_number, format_short_date, format_short_instant

GAP = 0.12
"""Space on each side of a column, as a share of its width."""
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Column:
    """Values of the hour or day that begins at `at`, one for each part of the stack."""

    at: datetime
    values: tuple[Decimal, ...]
    until: datetime

    @property
    def total(self) -> Decimal:
        return sum(self.values, Decimal(0))


@dataclass(frozen=True)
class Part:
    """Part of all columns: its name, the class that colours it and its path."""

    name: str | Promise
    css: str
    path: str


@dataclass(frozen=True)
class ColumnChart:
    """Everything that the template draws. `width` is the number of columns and `top` the end of the vertical axis."""

    width: int
    top: str
    grid: str
    parts: Sequence[Part]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    spots: Sequence[Spot]
    summary: str


def column_chart(
    values: Mapping[datetime, tuple[Decimal, ...]],
    parts: Sequence[tuple[str | Promise, str]],
    *,
    step: timedelta,
    until: datetime,
    show: Callable[[Decimal], str],
) -> ColumnChart | None:
    """Return the chart of values by their hour or day, None without any.

    `parts` are the name and class of each part of the stack, `step` is an hour or a day, `until` the last instant that
    is shown, and `show` formats a value. Negative values are drawn as zero.
    """
    columns = _grouped(list(_filled(values, step=step, until=until, size=len(parts))))
    if not columns:
        return None
    most = max(column.total for column in columns).to_integral_value(ROUND_CEILING)
    unit = Decimal(round_step(max(1, int(most))))
    top = max(Decimal(1), (most / unit).to_integral_value(ROUND_CEILING)) * unit
    steps = [unit * n for n in range(1, int(top / unit) + 1)]
    texts = Texts(show, format_short_date if step >= DAY else format_short_instant, until)
    return ColumnChart(
        width=len(columns),
        top=str(top),
        grid="".join(f"M0 {top - n}H{len(columns)}" for n in steps),
        parts=[Part(name, css, _path(columns, n, top)) for n, (name, css) in enumerate(parts)],
        x_ticks=list(_x_ticks(columns, texts)),
        y_ticks=[Tick(_percent(top - n, top), format_number(n)) for n in (Decimal(0), *steps)],
        spots=[_spot(columns, n, top, texts) for n in range(len(columns))],
        summary=_summary(columns, texts),
    )


@dataclass(frozen=True)
class Texts:
    """Form of values and instants; the year is shown where it is not that of `now`."""

    show: Callable[[Decimal], str]
    label: Callable[..., str]
    now: datetime

    def when(self, at: datetime) -> str:
        return self.label(at, str(at.tzinfo), now=self.now)


def _filled(
    values: Mapping[datetime, tuple[Decimal, ...]], *, step: timedelta, until: datetime, size: int
) -> Iterator[Column]:
    """Yield a column for every hour or day from the first one to `until`, also for those without a value."""
    at, last = min(values, default=until), max([*values, until])
    while values and at <= last:
        found = values.get(at, (Decimal(0),) * size)
        yield Column(at, tuple(max(value, Decimal(0)) for value in found), at + step)
        at += step


def _grouped(columns: Sequence[Column]) -> list[Column]:
    """Return at most MOST_POINTS columns: consecutive ones are added up."""
    size = -(-len(columns) // MOST_POINTS) or 1
    groups = [columns[n : n + size] for n in range(0, len(columns), size)]
    return [Column(group[0].at, _added(group), group[-1].until) for group in groups]


def _added(columns: Sequence[Column]) -> tuple[Decimal, ...]:
    return tuple(sum(values, Decimal(0)) for values in zip(*(column.values for column in columns), strict=True))


def _path(columns: Sequence[Column], part: int, top: Decimal) -> str:
    """Return the rectangles of one part, each standing on the parts before it."""
    path = ""
    for n, column in enumerate(columns):
        below, height = sum(column.values[:part], Decimal(0)), column.values[part]
        if height:
            path += f"M{n + GAP} {top - below}V{top - below - height}H{n + 1 - GAP}V{top - below}Z"
    return path


def _percent(part: Decimal | float, whole: Decimal | int) -> str:
    return f"{100 * float(part) / float(whole):.2f}%"


def _x_ticks(columns: Sequence[Column], texts: Texts) -> Iterator[Tick]:
    every = -(-len(columns) // MOST_TICKS)
    for number, n in enumerate(range(0, len(columns), every)):
        yield Tick(_percent(n + 0.5, len(columns)), texts.when(columns[n].at), minor=number % 2 == 1)


def _spot(columns: Sequence[Column], n: int, top: Decimal, texts: Texts) -> Spot:
    column, width = columns[n], len(columns)
    place, last = 100 * (n + 0.5) / width, column.until - timedelta(seconds=1)
    first = texts.when(column.at)
    return Spot(
        x=_percent(n + 0.5, width),
        y=_percent(top - column.total, top),
        left=_percent(n, width),
        width=_percent(1, width),
        dx=34 if place < EDGE else -34 if place > 100 - EDGE else 0,
        dy=12 if column.total > top * Decimal("0.65") else -50,
        when=first if last.date() == column.at.date() else f"{first} – {texts.when(last)}",
        value=texts.show(column.total),
    )


def _summary(columns: Sequence[Column], texts: Texts) -> str:
    """Return the chart in words, for screen readers."""
    most = max(columns, key=lambda column: column.total)
    total = sum((column.total for column in columns), Decimal(0))
    words = {"total": texts.show(total), "most": texts.show(most.total), "day": texts.when(most.at)}
    return _("%(total)s in all; the most on %(day)s: %(most)s.") % words
