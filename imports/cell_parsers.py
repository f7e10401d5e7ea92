"""Types of columns. Each cell type parses text into the value to store, or raises CellError with the reason."""

import calendar
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.dates import MONTHS
from django.utils.translation import gettext as _

from core.instants import END_OF_INSTANTS, FIRST_INSTANT, is_accepted
from core.keys import normalize_key
from imports.columns import CellError, CellParser, CellType, placeholder_reason

MONEY = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,2})?")
NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]*)?")
WHOLE_NUMBER = re.compile(r"[0-9]{1,10}")
MAX_WHOLE_NUMBER = 2_147_483_647
COUNTRY = re.compile(r"[A-Z]{2}")
CURRENCY = re.compile(r"[A-Z]{3}")
INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
# The form that programs write is matched at half the cost of INSTANT.
COMMON_INSTANT = re.compile(r"[12]\d\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\+\d\d:\d\d|Z|-\d\d:\d\d)", re.ASCII)
FLAGS = {"1": True, "yes": True, "true": True, "是": True, "0": False, "no": False, "false": False, "否": False}
SERIAL_DAY = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")
AMBIGUOUS_DATE = re.compile(r"[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}(?:\D.*)?")
# The dates by which other programs say "none" or "for ever". All of them lie outside of the accepted instants.
SENTINEL_DATE = re.compile(
    r"(?:0000-00-00|0001-01-01|1753-01-01|1899-12-3[01]|1900-01-0[01]|(?:2999|3000|4712|9999)-\d\d-\d\d)(?!\d).*"
)
# Spreadsheets write an exponent with its sign, as in 1.23457E+17; pandas turns the code 1001 into 1001.0.
SHORTENED_NUMBER = re.compile(r"-?[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{1,3}|-?[0-9][.,][0-9]+[eE]-[0-9]{1,3}")
FRACTION_OF_ZEROS = re.compile(r"[0-9]+\.0+")


def key() -> CellType:
    """Code or name by which rows are matched: NFKC, without surrounding spaces, without invisible characters."""
    return lambda field, _zone: _key(_max_length(field))


def _key(max_length: int) -> CellParser:
    def parse(cell: str) -> str:
        code = normalize_key(cell)
        if not code.isprintable():
            raise CellError(_("holds the invisible character %s") % _invisible(code))
        if not code:
            raise CellError(_("is empty"))
        if reason := placeholder_reason(code) or _mangled_reason(code):
            raise CellError(reason)
        return _checked_length(code, max_length)

    return parse


def _mangled_reason(code: str) -> str | None:
    """Return the reason against a code that a program took for a number and wrote in another way."""
    if not code[0].isdigit() and code[0] != "-":
        return None
    if SHORTENED_NUMBER.fullmatch(code):
        return _("is a code that a spreadsheet turned into a number, and shortened: format the column as text")
    if FRACTION_OF_ZEROS.fullmatch(code):
        return _("is a code that a program turned into a number, and wrote with decimals: format the column as text")
    return None


def _invisible(code: str) -> str:
    character = next(character for character in code if not character.isprintable())
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()


def text() -> CellType:
    """Any text, stored unchanged. NUL is an error, because no database stores it, and so are words for "no value"."""
    return lambda field, _zone: _text(_max_length(field))


def _text(max_length: int) -> CellParser:
    def parse(cell: str) -> str:
        if "\0" in cell:
            raise CellError(_("holds the invisible character %s") % "U+0000")
        if reason := placeholder_reason(cell):
            raise CellError(reason)
        return _checked_length(cell, max_length)

    return parse


def _max_length(field: "models.Field[Any, Any]") -> int:
    assert field.max_length is not None
    return field.max_length


def _checked_length(value: str, max_length: int) -> str:
    if len(value) > max_length:
        raise CellError(_("is longer than %d characters") % max_length)
    return value


def choice() -> CellType:
    """One of the choices of the model field, in the same spelling."""
    return lambda field, _zone: _choice([str(value) for value, _label in field.flatchoices])


def _choice(allowed: list[str]) -> CellParser:
    values = {value: value for value in allowed}

    def parse(cell: str) -> str:
        if cell not in values:
            raise CellError(_("is none of %s") % ", ".join(allowed))
        return values[cell]

    return parse


def country() -> CellType:
    """Country code of ISO 3166-1 alpha-2; only the shape is checked."""
    return lambda _field, _zone: _matching(COUNTRY, lambda: _("is not a country code of two capital letters"))


def currency() -> CellType:
    """Currency code of ISO 4217; only the shape is checked."""
    return lambda _field, _zone: _matching(CURRENCY, lambda: _("is not a currency code of three capital letters"))


def _matching(shape: re.Pattern[str], reason: Callable[[], str]) -> CellParser:
    def parse(cell: str) -> str:
        if not shape.fullmatch(cell):
            raise CellError(reason())
        return cell

    return parse


def flag() -> CellType:
    """1/0, yes/no, true/false or 是/否, in any case of letters."""
    return lambda _field, _zone: _flag


def _flag(cell: str) -> bool:
    value = FLAGS.get(cell.lower())
    if value is None:
        raise CellError(_("is neither yes nor no: write 1 or 0, yes or no, true or false, 是 or 否"))
    return value


def whole_number() -> CellType:
    """Whole number from 0 to 2147483647, digits only."""
    return lambda _field, _zone: _whole_number


def _whole_number(cell: str) -> int:
    if not WHOLE_NUMBER.fullmatch(cell):
        raise CellError(_("is negative") if _negative(cell) else _("is not a whole number such as 35"))
    if int(cell) > MAX_WHOLE_NUMBER:
        raise CellError(_("is more than %s") % MAX_WHOLE_NUMBER)
    return int(cell)


def money() -> CellType:
    """Amount from 0 to 999999999999.99: digits, and at most two decimals after a point."""
    return lambda _field, _zone: _money


def _money(cell: str) -> Decimal:
    if not MONEY.fullmatch(cell):
        raise CellError(_money_error(cell))
    return Decimal(cell)


def _money_error(cell: str) -> str:
    if not NUMBER.fullmatch(cell):
        return _("is not an amount such as 1234.50")
    if _negative(cell):
        return _("is negative")
    if len(cell.partition(".")[0]) > 12:
        return _("is more than %s") % "999999999999.99"
    if len(cell.partition(".")[2]) > 2:
        return _("has more than two decimals")
    return _("is not an amount such as 1234.50")


def _negative(cell: str) -> bool:
    return cell.startswith("-") and bool(NUMBER.fullmatch(cell))


def instant() -> CellType:
    """Instant from 1970 to 2200: `YYYY-MM-DDTHH:MM[:SS[.ffffff]]`, with `T` or a space, and an offset or `Z`.

    Without an offset it is read in the zone of the import, and is an error where there is none. Where the clocks of
    that zone go back, the first of the two times is meant; a time that they skip is an error.
    """
    return lambda _field, zone: _instant(zone)


def _instant(zone: tzinfo | None) -> CellParser:
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
