"""What a cell of a column may hold. Each kind reads text into the value stored, or refuses it with a reason."""

import calendar
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.dates import MONTHS
from django.utils.translation import gettext as _

CellParser = Callable[[str], object]
CellType = Callable[["models.Field[Any, Any]", tzinfo], CellParser]

MONEY = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,2})?")
NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]*)?")
WHOLE = re.compile(r"[0-9]{1,10}")
WHOLE_MAX = 2_147_483_647
COUNTRY = re.compile(r"[A-Z]{2}")
CURRENCY = re.compile(r"[A-Z]{3}")
INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
# What programs write, at half the cost of the whole shape; within these years no offset leads out of the calendar.
COMMON_INSTANT = re.compile(r"[12]\d\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\+\d\d:\d\d|Z|-\d\d:\d\d)", re.ASCII)
SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")
MEMO = 20_000


class CellError(ValueError):
    """A cell that cannot be taken; its text says why."""


@dataclass(frozen=True)
class Column:
    """One column of a file: its name in the header, what its cells may hold, and the attribute it is stored in."""

    name: str
    kind: CellType
    to: str = ""
    required: bool = False

    @property
    def attname(self) -> str:
        return self.to or self.name

    def parser(self, model: type[models.Model], zone: tzinfo, *, repeats: bool) -> CellParser:
        """Reads a cell of this column. Where values often repeat, what they were read as is remembered."""
        field = next(field for field in model._meta.concrete_fields if field.attname == self.attname)
        target = field.target_field if isinstance(field, models.ForeignKey) else field
        parse = self.kind(target, zone)
        memo = Memo(parse, empty=None if self.required else (None if field.null else field.get_default(),))
        return memo.__getitem__ if repeats else memo.read_once


class Memo(dict[str, object]):
    """What cells were read as, for the many that say the same; forgets all when it has grown."""

    def __init__(self, parse: CellParser, *, empty: tuple[object] | None) -> None:
        super().__init__()
        self.parse = parse
        self.empty = empty

    def __missing__(self, cell: str) -> object:
        value = self.read_once(cell)
        if len(self) >= MEMO:
            self.clear()
        self[cell] = value
        return value

    def read_once(self, cell: str) -> object:
        if cell:
            return self.parse(cell)
        if self.empty is None:
            raise CellError(_("is empty"))
        return self.empty[0]


def key() -> CellType:
    """A code or name that is matched: NFKC, without spaces around it, without characters that cannot be seen."""
    return lambda field, _zone: _key(_longest(field))


def _key(longest: int) -> CellParser:
    def parse(cell: str) -> str:
        code = (cell if cell.isascii() else unicodedata.normalize("NFKC", cell)).strip(" ")
        if not code.isprintable():
            raise CellError(_("holds the invisible character %s") % _invisible(code))
        if not code:
            raise CellError(_("is empty"))
        return _fitting(code, longest)

    return parse


def _invisible(code: str) -> str:
    character = next(character for character in code if not character.isprintable())
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()


def text() -> CellType:
    """Anything, kept as it is; only NUL, which no database stores, is refused."""
    return lambda field, _zone: _text(_longest(field))


def _text(longest: int) -> CellParser:
    def parse(cell: str) -> str:
        if "\0" in cell:
            raise CellError(_("holds the invisible character %s") % "U+0000")
        return _fitting(cell, longest)

    return parse


def _longest(field: "models.Field[Any, Any]") -> int:
    assert field.max_length is not None
    return field.max_length


def _fitting(value: str, longest: int) -> str:
    if len(value) > longest:
        raise CellError(_("is longer than %d characters") % longest)
    return value


def choice() -> CellType:
    """One of the model's choices, written exactly so."""
    return lambda field, _zone: _choice([str(value) for value, _label in field.flatchoices])


def _choice(allowed: list[str]) -> CellParser:
    values = {value: value for value in allowed}

    def parse(cell: str) -> str:
        if cell not in values:
            raise CellError(_("is none of %s") % ", ".join(allowed))
        return values[cell]

    return parse


def country() -> CellType:
    """ISO 3166-1 alpha-2."""
    return lambda _field, _zone: _shaped(COUNTRY, lambda: _("is not a country code of two capital letters"))


def currency() -> CellType:
    """ISO 4217."""
    return lambda _field, _zone: _shaped(CURRENCY, lambda: _("is not a currency code of three capital letters"))


def _shaped(shape: re.Pattern[str], reason: Callable[[], str]) -> CellParser:
    def parse(cell: str) -> str:
        if not shape.fullmatch(cell):
            raise CellError(reason())
        return cell

    return parse


def flag() -> CellType:
    """1 or 0."""
    return lambda _field, _zone: _flag


def _flag(cell: str) -> bool:
    if cell not in ("0", "1"):
        raise CellError(_("is neither 1 nor 0"))
    return cell == "1"


def whole() -> CellType:
    """A whole number from 0 to 2147483647, digits only."""
    return lambda _field, _zone: _whole


def _whole(cell: str) -> int:
    if not WHOLE.fullmatch(cell):
        raise CellError(_("is negative") if _negative(cell) else _("is not a whole number such as 35"))
    if int(cell) > WHOLE_MAX:
        raise CellError(_("is more than %s") % WHOLE_MAX)
    return int(cell)


def money() -> CellType:
    """An amount from 0 to 999999999999.99: digits, and at most two decimals after a point."""
    return lambda _field, _zone: _money


def _money(cell: str) -> Decimal:
    if not MONEY.fullmatch(cell):
        raise CellError(_not_money(cell))
    return Decimal(cell)


def _not_money(cell: str) -> str:
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
    """`YYYY-MM-DDTHH:MM[:SS[.ffffff]]`, with `T` or a space, and an offset or `Z`; without one, in the import's zone.

    Where that zone's clocks go back, the first of the two is meant; a time that they skip is refused.
    """
    return lambda _field, zone: _instant(zone)


def _instant(zone: tzinfo) -> CellParser:
    common, read = COMMON_INSTANT.fullmatch, datetime.fromisoformat

    def parse(cell: str) -> datetime:
        if common(cell):
            try:
                return read(cell)
            except ValueError:
                pass
        return _careful(cell, zone)

    return parse


def _careful(cell: str, zone: tzinfo) -> datetime:
    match = INSTANT.fullmatch(cell)
    if match is None:
        raise CellError(_no_instant(cell))
    try:
        value = datetime.fromisoformat(cell)
        return _placed(value, zone) if match[4] is None else value.astimezone(UTC)
    except CellError:
        raise
    except (ValueError, OverflowError) as error:
        raise CellError(_no_date(*match.group(1, 2, 3))) from error


def _placed(value: datetime, zone: tzinfo) -> datetime:
    placed = value.replace(tzinfo=zone).astimezone(UTC)
    if placed.astimezone(zone).replace(tzinfo=None) != value:
        raise CellError(_("does not exist in the zone %s, whose clocks skip it") % zone)
    return placed


def _no_instant(cell: str) -> str:
    if SERIAL.fullmatch(cell):
        return _("looks like a spreadsheet's serial number of a day: write it as 2022-09-05T15:00:00+08:00")
    return _("is not an instant such as 2022-09-05T15:00:00+08:00")


def _no_date(year: str, month: str, day: str) -> str:
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
