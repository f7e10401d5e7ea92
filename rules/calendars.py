"""Days, weeks, months and years on the clock of a zone: their first instants, in Python and as an SQL function."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from django.db.backends.signals import connection_created
from django.db.models import DateTimeField, Func

Unit = Literal["day", "week", "month", "year"]
UNITS: tuple[str, ...] = get_args(Unit)
LONGEST_MONTH = timedelta(days=31)


def midnight(day: date, zone: str) -> datetime:
    """Return 00:00 of a day in a zone, in UTC: the first one where it occurs twice, the end of the gap where none."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def first_day(day: date, unit: Unit, shift: int = 0) -> date:
    """Return the first day of the period in which `day` lies. Periods start `shift` days after those of the calendar.

    A week starts on Monday.
    """
    moved = day - timedelta(days=shift)
    match unit:
        case "day":
            first = moved
        case "week":
            first = moved - timedelta(days=moved.weekday())
        case "month":
            first = moved.replace(day=1)
        case "year":
            first = moved.replace(month=1, day=1)
    return first + timedelta(days=shift)


def following_first_day(first: date, unit: Unit, shift: int = 0) -> date:
    """Return the first day of the period after the one that starts on the day `first`."""
    longest = {"day": timedelta(days=1), "week": timedelta(days=7), "month": LONGEST_MONTH, "year": timedelta(days=366)}
    return first_day(first + longest[unit], unit, shift)


class PeriodStart(Func):
    """SQL function: first instant of the period in which an instant lies, by `unit`, `shift` and `zone`."""

    output_field = DateTimeField()
    arity = 1

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # PostgreSQL takes the second of a midnight that occurs twice. One hour after 23:00 is the first, but goes
        # wrong after a day that was left out: the earlier of both is right.
        zone, shift = f"'{self.extra['zone']}'", f"interval '{int(self.extra['shift'])} days'"
        local = f"(%(expressions)s AT TIME ZONE {zone}) - {shift}"
        first = f"(date_trunc('{self.extra['unit']}', {local}) + {shift})"
        hour = "interval '1 hour'"
        template = f"LEAST({first} AT TIME ZONE {zone}, ({first} - {hour}) AT TIME ZONE {zone} + {hour})"
        sql, params = self.as_sql(compiler, connection, template=template, **extra)
        return sql, (*params, *params)  # the template has the expression twice

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        words = "'{unit}', {shift:d}, '{zone}'".format(**self.extra)
        template = f"fairground_period_start(%(expressions)s, {words})"
        return self.as_sql(compiler, connection, template=template, **extra)


def period_start(at: datetime, unit: Unit, shift: int, zone: str) -> datetime:
    """Return the first instant of the period in which `at` lies, in UTC."""
    return midnight(first_day(at.astimezone(ZoneInfo(zone)).date(), unit, shift), zone)


def _period_start_in_sqlite(stored: str | None, unit: Unit, shift: int, zone: str) -> str | None:
    if stored is None:
        return None
    start = period_start(datetime.fromisoformat(stored).replace(tzinfo=UTC), unit, shift, zone)
    return str(start.replace(tzinfo=None))


def _teach_sqlite(connection: Any, **_: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function("fairground_period_start", 4, _period_start_in_sqlite, deterministic=True)


connection_created.connect(_teach_sqlite, dispatch_uid="period_start")
