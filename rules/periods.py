"""Periods: parts of time of a calendar, before an instant, after a fact, or between bounds.

A period holds an instant, which lies in it or not. A recurring period divides time: each instant lies in one of its
parts at most, and each part has a key, such as `2022-10`, that never changes. The others depend on more than the
instant: `last_days` on the instant as of which it is asked, `first_days` on a fact of the row.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from django.db.models import Case, ExpressionWrapper, OuterRef, Q, Value, When
from django.db.models.lookups import GreaterThanOrEqual, LessThan, LessThanOrEqual
from django.utils.translation import gettext as _
from pydantic import BeforeValidator, Discriminator, Field, Tag, ValidationInfo, model_validator

from rules.base import DefinitionModel, WrittenNumber, form_of
from rules.calendar_periods import INSTANT, Bounds, CalendarPeriod, MonthFrom, Weekdays
from rules.calendars import UNITS
from rules.errors import ErrorCollector, UnknownWordError
from rules.query_row import QueryRow
from rules.time_windows import NamedWindow, Window

MOST_DAYS = 36_500
OWN = "own"
MICROSECOND = timedelta(microseconds=1)


class Sessions(DefinitionModel):
    """Several windows that do not overlap, in order."""

    sessions: tuple[NamedWindow, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        errors = ErrorCollector()
        for n, (one, following) in enumerate(pairwise(self.sessions), start=1):
            with errors.at("sessions", n):
                if following.start < one.end:
                    words = {"start": following.from_.at, "end": one.to.at}
                    raise ValueError(_("the session starts at %(start)s before the one above ends at %(end)s") % words)
        errors.raise_collected("Sessions")
        return self

    def bounds_of(self, at: datetime) -> Bounds | None:
        """Return the bounds of the session in which `at` lies, None outside."""
        return next((bounds for window in self.sessions if (bounds := window_bounds(window, at))), None)

    def key_of(self, at: datetime) -> str | None:
        """Return the key of the session in which `at` lies, None outside."""
        return next((key for window in self.sessions if (key := window_key(window, at))), None)

    def start_of(self, at: Any) -> Any:
        """Return the expression of the start of the session in which the expression `at` lies, NULL outside."""
        return _window_start(self.sessions, at)


class LastDays(DefinitionModel):
    """So many times 24 hours before an instant, which itself does not belong to them."""

    last_days: Annotated[int, WrittenNumber, Field(ge=1, le=MOST_DAYS)]

    @property
    def length(self) -> timedelta:
        """Return the length of the period."""
        return timedelta(days=self.last_days)


class FirstDays(DefinitionModel):
    """So many times 24 hours from an instant of the row on: from its fact `after`, which belongs to them."""

    first_days: Annotated[int, WrittenNumber, Field(ge=1, le=MOST_DAYS)]
    after: str

    @property
    def length(self) -> timedelta:
        """Return the length of the period."""
        return timedelta(days=self.first_days)


class OwnPeriod(DefinitionModel):
    """The period that the subject itself is: from its start up to its end, which does not belong to it."""

    own: Literal[True]

    def q(self, found: Any, bounds: tuple[str, str]) -> Q:
        """Return the filter of the inner rows whose instant `found` lies between the columns of the outer row."""
        start, end = (OuterRef(name) for name in bounds)
        return Q(GreaterThanOrEqual(found, start)) & Q(LessThan(found, end))


def expand_word(value: object, info: ValidationInfo) -> Any:
    """Replace the word of a calendar, the word `own`, or the name of a window of the campaign."""
    return {OWN: True} if value == OWN else _expanded(value, info, known=(*UNITS, OWN))


def expand_calendar_word(value: object, info: ValidationInfo) -> Any:
    """Replace the word of a calendar, or the name of a window, where no period is the subject's own."""
    return _expanded(value, info, known=UNITS)


def _expanded(value: object, info: ValidationInfo, known: tuple[str, ...]) -> Any:
    if not isinstance(value, str):
        return value
    windows = (info.context or {}).get("windows", {})
    if value in UNITS:
        return {"calendar": value}
    if value not in windows:
        message = _("%(word)r is no period, and not among the campaign's windows") % {"word": value}
        raise UnknownWordError(message, word=value, known=(*known, *windows))
    return windows[value]


EXPANDED = BeforeValidator(expand_calendar_word, json_schema_input_type=Any)


FORMS = {
    "calendar": "CalendarPeriod",
    "month_from": "MonthFrom",
    "weekdays": "Weekdays",
    "sessions": "Sessions",
    "last_days": "LastDays",
    "first_days": "FirstDays",
    "own": "OwnPeriod",
    "from": "Window",
    "to": "Window",
}


def _form(value: object) -> str:
    return type(value).__name__ if isinstance(value, DefinitionModel) else form_of(value, FORMS, "CalendarPeriod")


def _form_of_fact(value: object) -> str:
    found = value if isinstance(value, DefinitionModel) else form_of(value, FORMS, "Window")
    return found if isinstance(found, str) else type(found).__name__


Recurring = CalendarPeriod | MonthFrom | Window | Sessions | Weekdays
"""The periods that divide time: each instant lies in one part at most."""

Repeating = CalendarPeriod | MonthFrom | Window | Sessions
"""The periods in each part of which an offer can be claimed again."""

RepeatingPeriod = Annotated[
    Annotated[CalendarPeriod, Tag("CalendarPeriod")]
    | Annotated[MonthFrom, Tag("MonthFrom")]
    | Annotated[Window, Tag("Window")]
    | Annotated[Sessions, Tag("Sessions")],
    Discriminator(_form),
    EXPANDED,
]
RecurringPeriod = Annotated[
    Annotated[CalendarPeriod, Tag("CalendarPeriod")]
    | Annotated[MonthFrom, Tag("MonthFrom")]
    | Annotated[Window, Tag("Window")]
    | Annotated[Sessions, Tag("Sessions")]
    | Annotated[Weekdays, Tag("Weekdays")],
    Discriminator(_form),
    EXPANDED,
]
Period = Annotated[
    Annotated[CalendarPeriod, Tag("CalendarPeriod")]
    | Annotated[MonthFrom, Tag("MonthFrom")]
    | Annotated[Window, Tag("Window")]
    | Annotated[Sessions, Tag("Sessions")]
    | Annotated[Weekdays, Tag("Weekdays")]
    | Annotated[LastDays, Tag("LastDays")]
    | Annotated[FirstDays, Tag("FirstDays")]
    | Annotated[OwnPeriod, Tag("OwnPeriod")],
    Discriminator(_form),
    BeforeValidator(expand_word, json_schema_input_type=Any),
]
PeriodOfFact = Annotated[
    Annotated[CalendarPeriod, Tag("CalendarPeriod")]
    | Annotated[MonthFrom, Tag("MonthFrom")]
    | Annotated[Window, Tag("Window")]
    | Annotated[Sessions, Tag("Sessions")]
    | Annotated[Weekdays, Tag("Weekdays")]
    | Annotated[FirstDays, Tag("FirstDays")],
    Discriminator(_form_of_fact),
    EXPANDED,
]
"""A period in which an instant of a row lies."""
AnyPeriod = Recurring | LastDays | FirstDays


def outline(period: object) -> Window | None:
    """Return the window from the first to the last instant of a period; None if the period says none."""
    match period:
        case Window():
            return period
        case Sessions(sessions=windows):
            return Window(from_=windows[0].from_, to=windows[-1].to)
    return None


def window_bounds(window: Window, at: datetime) -> Bounds | None:
    """Return the bounds of a window if `at` lies in it, else None."""
    return (window.start, window.end) if window.start <= at < window.end else None


def window_key(window: Window, at: datetime) -> str | None:
    """Return the key of a window, its first instant in UTC, if `at` lies in it, else None."""
    return f"{window.start:%Y-%m-%dT%H:%M:%SZ}" if window_bounds(window, at) else None


def _window_start(windows: tuple[Window, ...], at: Any) -> Any:
    inside = (
        When(Q(GreaterThanOrEqual(at, window.start)) & Q(LessThan(at, window.end)), then=Value(window.start))
        for window in windows
    )
    return Case(*inside, output_field=INSTANT)


def bounds_of(period: Recurring, at: datetime) -> Bounds | None:
    """Return the bounds, the second exclusive, of the part of a recurring period in which `at` lies; None outside."""
    return window_bounds(period, at) if isinstance(period, Window) else period.bounds_of(at)


def key_of(period: Recurring, at: datetime) -> str | None:
    """Return the key of the part of a recurring period in which `at` lies, such as `2022-10`; None outside."""
    return window_key(period, at) if isinstance(period, Window) else period.key_of(at)


def parts_of(period: Repeating, since: datetime, until: datetime) -> Iterator[tuple[str, Bounds]]:
    """Yield the key and the bounds of each part that starts from `since` on and no later than `until`, in order."""
    if isinstance(period, Window | Sessions):
        windows = [period] if isinstance(period, Window) else period.sessions
        for window in windows:
            if since <= window.start <= until and (key := window_key(window, window.start)):
                yield key, (window.start, window.end)
        return
    whole = period.model_copy(update={"from_day": None}) if isinstance(period, CalendarPeriod) else period
    around = whole.bounds_of(since)
    while around is not None and around[0] <= until:
        last = around[1] - MICROSECOND  # in the part, also where that begins on a later day
        bounds, key = period.bounds_of(last), period.key_of(last)
        if bounds is not None and key is not None and since <= bounds[0] <= until:
            yield key, bounds
        around = whole.bounds_of(around[1])


def start_of(period: Recurring, at: Any) -> Any:
    """Return the expression of the start of the part in which the expression `at` lies; NULL outside.

    Two instants lie in the same part exactly where this is the same. For weekdays it is 00:00, whatever the hours.
    """
    return _window_start((period,), at) if isinstance(period, Window) else period.start_of(at)


def period_q(period: AnyPeriod, found: Any, *, at: Any, row: QueryRow, includes_at: bool = False) -> Q:
    """Return the filter of the rows whose instant `found` lies in the period as of `at`, without those after `at`.

    A calendar period is the part in which `at` lies. `first_days` starts at a fact of `row`. `last_days` end before
    `at`, unless the period `includes_at` because another condition says which rows of that instant count.
    """
    ends_before = isinstance(period, LastDays) and not includes_at
    seen = Q((LessThan if ends_before else LessThanOrEqual)(found, at))
    match period:
        case CalendarPeriod() | MonthFrom():
            return seen & Q(GreaterThanOrEqual(found, period.start_of(at)))
        case Window():
            return seen & Q(GreaterThanOrEqual(found, period.start)) & Q(LessThan(found, period.end))
        case Sessions():
            inside = Q()
            for window in period.sessions:
                inside |= Q(GreaterThanOrEqual(found, window.start)) & Q(LessThan(found, window.end))
            return seen & inside
        case Weekdays():
            return seen & period.q(found)
        case LastDays():
            return seen & Q(GreaterThanOrEqual(found, _moved(at, -period.length)))
        case FirstDays():
            start = row.expression(period.after)
            return seen & Q(GreaterThanOrEqual(found, start)) & Q(LessThan(found, _moved(start, period.length)))


def _moved(at: Any, by: timedelta) -> Any:
    return at + by if isinstance(at, datetime) else ExpressionWrapper(at + Value(by), output_field=INSTANT)


def check_period(period: AnyPeriod | OwnPeriod, row: QueryRow) -> None:
    """Raise UnknownWordError unless the row has the fact from which the period starts."""
    errors = ErrorCollector()
    with errors.at("after"):
        if isinstance(period, FirstDays):
            row.check_instant(period.after, declared=True)
    errors.raise_collected("Period")
