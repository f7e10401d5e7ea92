"""Periods of a calendar: days, weeks, months and years of a zone, and hours of days of the week."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from django.db.models import Case, DateTimeField, Q, When
from django.db.models.functions import ExtractDay, ExtractHour, ExtractIsoWeekDay, ExtractMinute
from django.db.models.lookups import GreaterThanOrEqual, In, LessThan
from django.utils.translation import gettext as _
from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from rules.base import DefinitionModel, WrittenNumber
from rules.calendars import PeriodStart, Unit, first_day, following_first_day, midnight
from rules.errors import ErrorCollector, UnknownWordError
from rules.time_windows import Zone

Bounds = tuple[datetime, datetime]
INSTANT = DateTimeField()
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)
ENDLESS = 24 * 60


class Zoned(DefinitionModel):
    """Part of a definition with a zone: that of the campaign if it has none of its own."""

    zone: Zone

    @model_validator(mode="before")
    @classmethod
    def _zone_of_campaign(cls, value: object, info: ValidationInfo) -> Any:
        if isinstance(value, dict) and "zone" not in value and info.context:
            return {"zone": info.context.get("zone"), **value}
        return value

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.zone))


class CalendarPeriod(Zoned):
    """Day, week (from Monday), month or year of a zone's calendar.

    A month may be one from a later day on, `from_day`: the days before it lie in no part.
    """

    calendar: Unit
    from_day: Annotated[int, WrittenNumber, Field(ge=2, le=28)] | None = None

    @model_validator(mode="after")
    def _day_of_a_month(self) -> Self:
        errors = ErrorCollector()
        with errors.at("from_day"):
            if self.from_day is not None and self.calendar != "month":
                raise ValueError(_("only a month starts on a later day: write calendar: month, or leave it out"))
        errors.raise_collected("CalendarPeriod")
        return self

    @property
    def _shift(self) -> int:
        return (self.from_day or 1) - 1

    def bounds_of(self, at: datetime) -> Bounds | None:
        """Return the first instant of the part in which `at` lies, and the first one after it, in UTC; None outside."""
        local = self._local(at)
        start, end = _calendar_bounds(local, self.calendar, 0, self.zone)
        if self.from_day is not None:
            if local.day < self.from_day:
                return None
            start = midnight(local.date().replace(day=self.from_day), self.zone)
        return start, end

    def key_of(self, at: datetime) -> str | None:
        """Return the key of the part in which `at` lies: `2022-10-05`, `2022-W41`, `2022-10`, `2022`; None outside."""
        local = self._local(at)
        if self.from_day is not None and local.day < self.from_day:
            return None
        year, week, _day = local.isocalendar()
        formats = {"day": f"{local:%Y-%m-%d}", "week": f"{year}-W{week:02}", "month": f"{local:%Y-%m}"}
        return formats.get(self.calendar, f"{local:%Y}")

    def start_of(self, at: Any) -> Any:
        """Return the expression of the first instant of the part in which the expression `at` lies; NULL outside."""
        start = PeriodStart(at, unit=self.calendar, shift=self._shift, zone=self.zone)
        if self.from_day is None:
            return start
        inside = GreaterThanOrEqual(ExtractDay(at, tzinfo=ZoneInfo(self.zone)), self.from_day)
        return Case(When(inside, then=start), output_field=INSTANT)


class MonthFrom(Zoned):
    """Month that starts at 00:00 on another day than the first, and ends at 00:00 of that day of the next month."""

    month_from: Annotated[int, WrittenNumber, Field(ge=1, le=28)]

    @property
    def _shift(self) -> int:
        return self.month_from - 1

    def bounds_of(self, at: datetime) -> Bounds:
        """Return the first instant of the month in which `at` lies, and the first one after it, in UTC."""
        return _calendar_bounds(self._local(at), "month", self._shift, self.zone)

    def key_of(self, at: datetime) -> str:
        """Return the key of the month in which `at` lies: its first day, such as `2022-10-05`."""
        return first_day(self._local(at).date(), "month", self._shift).isoformat()

    def start_of(self, at: Any) -> Any:
        """Return the expression of the first instant of the month in which the expression `at` lies."""
        return PeriodStart(at, unit="month", shift=self._shift, zone=self.zone)


def _weekday(word: str) -> str:
    if word not in WEEKDAYS:
        message = _("no weekday %(word)r") % {"word": word}
        raise UnknownWordError(message, word=word, known=WEEKDAYS)
    return word


def _time_of_day(value: str) -> str:
    if not TIME_OF_DAY.fullmatch(value):
        raise ValueError(_("%(found)r is not a time of day like 09:00") % {"found": value[:20]})
    return value


TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]


class Weekdays(Zoned):
    """Days of the week, all day or between two times of the day: an hour that occurs twice counts both times."""

    weekdays: tuple[Annotated[str, AfterValidator(_weekday)], ...] = Field(min_length=1)
    from_: TimeOfDay = Field("00:00", alias="from")
    to: TimeOfDay = "24:00"

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.from_ >= self.to:
            words = {"end": self.to, "start": self.from_}
            raise ValueError(_("the hours are empty: they end at %(end)s before they start at %(start)s") % words)
        return self

    @property
    def _minutes(self) -> tuple[int, int]:
        return _minute_of_day(self.from_), _minute_of_day(self.to)

    def bounds_of(self, at: datetime) -> Bounds | None:
        """Return the first and the last hour of the day in which `at` lies, in UTC; None outside."""
        local = self._local(at)
        start, end = self._minutes
        is_inside = start <= local.hour * 60 + local.minute < end
        if not is_inside or WEEKDAYS[local.weekday()] not in self.weekdays:
            return None
        day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        first = day.replace(hour=start // 60, minute=start % 60).astimezone(UTC)
        if end == ENDLESS:
            return first, midnight(local.date() + timedelta(days=1), self.zone)
        return first, day.replace(hour=end // 60, minute=end % 60, fold=1).astimezone(UTC)

    def key_of(self, at: datetime) -> str | None:
        """Return the day in which `at` lies, such as `2022-10-05`; None outside."""
        return self._local(at).date().isoformat() if self.bounds_of(at) else None

    def start_of(self, at: Any) -> Any:
        """Return the expression of 00:00 of the day in which the expression `at` lies, NULL outside the hours."""
        start = PeriodStart(at, unit="day", shift=0, zone=self.zone)
        return Case(When(self.q(at), then=start), output_field=INSTANT)

    def q(self, at: Any) -> Q:
        """Return the filter of the rows whose expression `at` lies on the days and in the hours."""
        zone = ZoneInfo(self.zone)
        days = Q(In(ExtractIsoWeekDay(at, tzinfo=zone), [WEEKDAYS.index(day) + 1 for day in self.weekdays]))
        minute = ExtractHour(at, tzinfo=zone) * 60 + ExtractMinute(at, tzinfo=zone)
        start, end = self._minutes
        return days & Q(GreaterThanOrEqual(minute, start)) & Q(LessThan(minute, end))


def _minute_of_day(written: str) -> int:
    return int(written[:2]) * 60 + int(written[3:])


def _calendar_bounds(local: datetime, unit: Unit, shift: int, zone: str) -> Bounds:
    first = first_day(local.date(), unit, shift)
    return midnight(first, zone), midnight(following_first_day(first, unit, shift), zone)
