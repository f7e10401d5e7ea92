"""Calendar of a campaign as geometry for SVG: the windows in which offers take claims, and what follows them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from django.utils.translation import gettext as _

from backoffice.charts import Tick
from campaigns.offers import schedule
from campaigns.offers.published_offers import PublishedOffer
from core.formatting import format_short_date

APART = 0.07
"""Labels closer than this, as a share of the width, would touch."""


@dataclass(frozen=True)
class Bar:
    """Interval of a row, in per cent of the width: `run` takes claims, `after` settles them or has coupons to use."""

    css: str
    x: str
    width: str


@dataclass(frozen=True)
class Row:
    """Offer with its bars, and its dates by kind."""

    offer: PublishedOffer
    bars: Sequence[Bar]
    dates: dict[str, datetime]
    label: str

    @property
    def opens(self) -> datetime | None:
        return self.dates.get("opens")

    @property
    def closes(self) -> datetime | None:
        return self.dates.get("closes")

    @property
    def settled_by(self) -> datetime | None:
        """Return the last date of the offer after its claims: a deadline, or that of its coupons."""
        return self.dates.get("coupons_to") or self.dates.get("deadline")


@dataclass(frozen=True)
class Calendar:
    """Rows of all offers with the axis; the last tick is `minor`. `now` is empty if the present is outside."""

    rows: Sequence[Row]
    ticks: Sequence[Tick]
    now: str
    now_label: str


@dataclass(frozen=True)
class Span:
    """Interval that the calendar shows."""

    first: datetime
    last: datetime
    zone: tzinfo
    at: datetime

    def share(self, when: datetime) -> float:
        return min(max((when - self.first) / (self.last - self.first), 0.0), 1.0)

    def day(self, when: datetime) -> str:
        return format_short_date(when, str(self.zone), now=self.at)


def calendar(offers: Sequence[PublishedOffer], *, at: datetime, zone: tzinfo) -> Calendar | None:
    """Return the calendar of the offers in their order, None if none of them has a date."""
    dates = {offer.id: {kind: bound.instant for kind, bound in schedule.dates(offer.terms)} for offer in offers}
    instants = [when for found in dates.values() for when in found.values()]
    if len(set(instants)) < 2:
        return None
    span = Span(min(instants), max(instants), zone, at)
    is_inside = span.first <= at <= span.last
    return Calendar(
        rows=[_row(offer, dates[offer.id], span) for offer in offers],
        ticks=list(_ticks(span)),
        now=_percent(span.share(at)) if is_inside else "",
        now_label=span.day(at),
    )


def _row(offer: PublishedOffer, dates: dict[str, datetime], span: Span) -> Row:
    opens, closes = dates.get("opens", span.first), dates.get("closes", span.last)
    bars = []
    if "deadline" in dates:
        bars.append(_bar("after", closes, dates["deadline"], span))
    if "coupons_to" in dates:
        bars.append(_bar("after", dates.get("coupons_from", closes), dates["coupons_to"], span))
    bars.append(_bar("run", opens, closes, span))
    shown = [bar for bar in bars if bar.width != _percent(0)]
    words = {"offer": offer.row.name, "start": span.day(opens), "end": span.day(closes)}
    label = _("%(offer)s: claims from %(start)s to %(end)s") % words
    return Row(offer, shown, dates, label)


def _bar(css: str, start: datetime, end: datetime, span: Span) -> Bar:
    x, until = span.share(start), span.share(end)
    return Bar(css, _percent(x), _percent(max(until - x, 0.0)))


def _ticks(span: Span) -> Iterator[Tick]:
    """Yield the ends of the axis and the first days of months, where their labels have room."""
    taken = [span.share(span.at), 0.0, 1.0] if span.first <= span.at <= span.last else [0.0, 1.0]
    for when in (span.first, *_months(span), span.last):
        share = span.share(when)
        is_end = when in (span.first, span.last)
        near = [other for other in taken if abs(other - share) < APART and not (is_end and other == share)]
        if not near:
            taken.append(share)
            yield Tick(_percent(share), span.day(when), minor=when == span.last)


def _months(span: Span) -> Iterator[datetime]:
    """Yield the first instant of each month inside the calendar."""
    day = span.first.astimezone(span.zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while day <= span.last:
        if day > span.first:
            yield day
        day = (day + timedelta(days=32)).replace(day=1)


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"
