"""Parser of instants: the forms that are read, and the reasons against those that are not."""

import calendar
import re
from datetime import UTC, datetime, tzinfo

from django.utils.dates import MONTHS
from django.utils.translation import gettext as _

from core.instants import END_OF_INSTANTS, FIRST_INSTANT, is_accepted
from imports.columns import CellError, CellParser

INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
# The form that programs write is matched at half the cost of INSTANT.
COMMON_INSTANT = re.compile(r"[12]\d\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\+\d\d:\d\d|Z|-\d\d:\d\d)", re.ASCII)
SERIAL_DAY = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")
AMBIGUOUS_DATE = re.compile(r"[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}(?:\D.*)?")
# The dates by which other programs say "none" or "for ever". All of them lie outside of the accepted instants.
SENTINEL_DATE = re.compile(
    r"(?:0000-00-00|0001-01-01|1753-01-01|1899-12-3[01]|1900-01-0[01]|(?:2999|3000|4712|9999)-\d\d-\d\d)(?!\d).*"
)


def instant_parser(zone: tzinfo | None) -> CellParser:
    """Return a parser of instants; one without an offset is read in `zone`."""
    matches_common_form, parse_iso = COMMON_INSTANT.fullmatch, datetime.fromisoformat

    def parse(cell: str) -> datetime:
        if matches_common_form(cell):
            try:
                value = parse_iso(cell)
            except ValueError:
                pass
            else:
                return value if FIRST_INSTANT <= value < END_OF_INSTANTS else _in_range(value)
        return _any_instant(cell, zone)

    return parse


def _any_instant(cell: str, zone: tzinfo | None) -> datetime:
    if SENTINEL_DATE.fullmatch(cell):
        raise CellError(_sentinel_reason())
    match = INSTANT.fullmatch(cell)
    if match is None:
        raise CellError(_shape_error(cell))
    try:
        value = datetime.fromisoformat(cell)
        return _in_range(_from_local(value, zone) if match[4] is None else value.astimezone(UTC))
    except CellError:
        raise
    except (ValueError, OverflowError) as error:
        raise CellError(_date_error(*match.group(1, 2, 3))) from error


def _in_range(value: datetime) -> datetime:
    if not is_accepted(value):
        sentinel = SENTINEL_DATE.fullmatch(value.isoformat())
        raise CellError(_sentinel_reason() if sentinel else _("is not between the years 1970 and 2200"))
    return value


def _sentinel_reason() -> str:
    return _("stands for “no date” in other programs: leave the cell empty")


def _from_local(value: datetime, zone: tzinfo | None) -> datetime:
    if zone is None:
        raise CellError(_("has no offset: write Z for UTC, or an offset such as +08:00"))
    instant = value.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != value:
        raise CellError(_("does not exist in the zone %s, whose clocks skip it") % zone)
    return instant


def _shape_error(cell: str) -> str:
    if cell == "0":  # what a spreadsheet shows as 1900-01-00
        return _sentinel_reason()
    if AMBIGUOUS_DATE.fullmatch(cell):
        return _("is a date whose order of day and month is not certain: name its format in a column mapping")
    if SERIAL_DAY.fullmatch(cell):
        return _("looks like a spreadsheet's serial number of a day: write it as 2022-09-05T15:00:00+08:00")
    return _("is not a valid date and time, such as 2022-09-05T15:00:00+08:00")


def _date_error(year: str, month: str, day: str) -> str:
    if not 1 <= int(month) <= 12:
        return _("there is no month %s") % month
    if int(year) < 1:
        return _("there is no year %s") % year
    # 2000 has the longest February: a day beyond it is impossible in any year, and the year need not be named.
    name = {"day": int(day), "month": MONTHS[int(month)], "year": int(year)}
    if not 1 <= int(day) <= calendar.monthrange(2000, int(month))[1]:
        return _("%(day)d %(month)s is not a date") % name
    if int(day) > calendar.monthrange(int(year), int(month))[1]:
        return _("%(day)d %(month)s %(year)d is not a date") % name
    return _("is not a time of day, or its offset is out of range")
