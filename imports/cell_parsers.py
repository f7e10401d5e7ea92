"""Types of columns. Each cell type parses text into the value to store, or raises CellError with the reason."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from core.keys import invisible_character, normalize_key
from imports.columns import CellError, CellParser, CellType, EmptyCellError, placeholder_reason
from imports.instant_parser import instant_parser

MONEY = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,2})?")
NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]*)?")
PLAIN_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]+)?")
WHOLE_NUMBER = re.compile(r"[0-9]{1,10}")
MAX_WHOLE_NUMBER = 2_147_483_647
COUNTRY = re.compile(r"[A-Z]{2}")
CURRENCY = re.compile(r"[A-Z]{3}")
FLAGS = {"1": True, "yes": True, "true": True, "是": True, "0": False, "no": False, "false": False, "否": False}
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
            raise CellError(_("holds the invisible character %s") % invisible_character(code))
        if not code:
            raise EmptyCellError(_("is empty"))
        if reason := placeholder_reason(code) or mangled_reason(code):
            raise CellError(reason)
        return _checked_length(code, max_length)

    return parse


def mangled_reason(code: str) -> str | None:
    """Return the reason against a code that a program took for a number and wrote in another way."""
    if not code[0].isdigit() and code[0] != "-":
        return None
    if SHORTENED_NUMBER.fullmatch(code):
        return _("is a code that a spreadsheet turned into a number, and shortened: format the column as text")
    if FRACTION_OF_ZEROS.fullmatch(code):
        return _("is a code that a program turned into a number, and wrote with decimals: format the column as text")
    return None


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


def path() -> CellType:
    """Path of codes joined by `>`, from the most general to the most special one. Spaces around `>` are left out."""
    return lambda field, _zone: _path(_max_length(field))


def _path(max_length: int) -> CellParser:
    parse_key = _key(max_length)

    def parse(cell: str) -> str:
        parts = [part.strip(" ") for part in str(parse_key(cell)).split(">")]
        if not all(parts):
            raise CellError(_("has an empty part: write the parts of a path as A>B>C"))
        return ">".join(parts)

    return parse


def whole_number(least: int = 0, most: int = MAX_WHOLE_NUMBER) -> CellType:
    """Whole number from `least` to `most`, digits only."""
    return lambda _field, _zone: _in_bounds(_whole_number, Decimal(least), Decimal(most))


def _whole_number(cell: str) -> int:
    if not WHOLE_NUMBER.fullmatch(cell):
        raise CellError(_("is negative") if _negative(cell) else _("is not a whole number such as 35"))
    return int(cell)


def number(least: str = "0", most: str = "", *, above: bool = False) -> CellType:
    """Plain number from `least` (or only `above` it) to `most`, with at most as many decimals as the field."""
    return lambda field, _zone: _in_bounds(
        _number(getattr(field, "decimal_places", 0)),
        Decimal(least),
        Decimal(most or "9" * (getattr(field, "max_digits", 0) - getattr(field, "decimal_places", 0))),
        above=above,
    )


def _number(decimals: int) -> Callable[[str], Decimal]:
    def parse(cell: str) -> Decimal:
        if _negative(cell):
            raise CellError(_("is negative"))
        if not PLAIN_NUMBER.fullmatch(cell):
            raise CellError(_("is not a number such as 12.5"))
        if len(cell.partition(".")[2]) > decimals:
            raise CellError(_("has more than %d decimals") % decimals)
        return Decimal(cell)

    return parse


def _in_bounds(parse: Callable[[str], Any], least: Decimal, most: Decimal, *, above: bool = False) -> CellParser:
    def parse_and_check(cell: str) -> object:
        value = parse(cell)
        if value < least:
            raise CellError(_("is less than %s") % least)
        if above and value == least:
            raise CellError(_("is not more than %s") % least)
        if value > most:
            raise CellError(_("is more than %s") % most)
        return value

    return parse_and_check


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
    return lambda _field, zone: instant_parser(zone)
