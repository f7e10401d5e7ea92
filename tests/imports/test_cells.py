"""Cell types: values that they accept, and the reasons of their errors."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imports.columns import CellError, CellParser
from imports.schema import FileSchema
from logistics.import_schemas import FREIGHT_ORDERS, FREIGHT_TEMPLATES
from logistics.models import FreightOrder
from merchants.import_schemas import MERCHANTS
from merchants.models import Merchant
from tests.support.importing import ORDER, SHANGHAI, import_text, merchants, no_orders_stored, order

pytestmark = pytest.mark.once(reason="the parsing of cells, before anything is stored")


def parser(schema: FileSchema, column: str, zone: ZoneInfo = SHANGHAI) -> CellParser:
    return schema.columns_by_name[column].parser(schema.model, zone, repeats=False)


MONEY = parser(FREIGHT_ORDERS, "base_freight")
INSTANT = parser(FREIGHT_ORDERS, "placed_at")
WHOLE = parser(FREIGHT_TEMPLATES, "rts_products")
KEY = parser(FREIGHT_ORDERS, "order_no")


def error(parse: CellParser, cell: str) -> str:
    with pytest.raises(CellError) as caught:
        parse(cell)
    return str(caught.value)


INSTANTS = {
    "2022-09-05T15:00:00+08:00": datetime(2022, 9, 5, 7, tzinfo=UTC),
    "2022-09-05 15:00:00+08:00": datetime(2022, 9, 5, 7, tzinfo=UTC),
    "2022-09-05T07:00Z": datetime(2022, 9, 5, 7, tzinfo=UTC),
    "2022-09-05T15:00:00.000001": datetime(2022, 9, 5, 7, 0, 0, 1, tzinfo=UTC),
    "2022-09-05T15:00": datetime(2022, 9, 5, 7, tzinfo=UTC),
    "2022-09-05T00:00:00-0730": datetime(2022, 9, 5, 7, 30, tzinfo=UTC),
    "2028-02-29T00:00:00Z": datetime(2028, 2, 29, tzinfo=UTC),
    "1970-01-01T00:00:00Z": datetime(1970, 1, 1, tzinfo=UTC),
    "2200-12-31T23:59:59Z": datetime(2200, 12, 31, 23, 59, 59, tzinfo=UTC),
    "": None,
}
NO_INSTANT = "is not a valid date and time, such as 2022-09-05T15:00:00+08:00"
SERIAL = "looks like a spreadsheet's serial number of a day: write it as 2022-09-05T15:00:00+08:00"
OUT_OF_RANGE = "is not between the years 1970 and 2200"
SENTINEL = "stands for “no date” in other programs: leave the cell empty"
PLACEHOLDER = "stands for an empty value in other programs: leave the cell empty"
DAY_OR_MONTH = "is a date whose order of day and month is not certain: name its format in a column mapping"
NO_INSTANTS = {
    "2022-09-31T00:00:00Z": "31 September is not a date",
    "2022-09-31T00:00": "31 September is not a date",
    "2027-02-29T00:00:00Z": "29 February 2027 is not a date",
    "2028-02-30T00:00:00Z": "30 February is not a date",
    "2022-09-00T00:00:00Z": "0 September is not a date",
    "2026-13-14T00:00:00Z": "there is no month 13",
    "0000-01-01T00:00:00Z": "there is no year 0000",
    "0001-01-01T00:00:00+08:00": SENTINEL,
    "9999-12-31T23:00:00-07:00": SENTINEL,
    "0001-01-02T00:00:00Z": OUT_OF_RANGE,
    "2022-09-05T24:00:00Z": "is not a time of day, or its offset is out of range",
    "2022-09-05T23:60:00Z": "is not a time of day, or its offset is out of range",
    "2022-09-05T23:00:00+24:00": "is not a time of day, or its offset is out of range",
    "1970-01-01T00:00:00+08:00": OUT_OF_RANGE,
    "1969-12-31T23:59Z": OUT_OF_RANGE,
    "2201-01-01T00:00:00Z": OUT_OF_RANGE,
    "0202-09-05T00:00:00Z": OUT_OF_RANGE,
    "1900-06-01T00:00:00Z": OUT_OF_RANGE,
    "9999-12-31": SENTINEL,
    "9999-12-31T23:59:59Z": SENTINEL,
    "9999-12-31 00:00:00": SENTINEL,
    "2999-12-31T00:00:00+08:00": SENTINEL,
    "1900-01-01": SENTINEL,
    "1900-01-01T00:00:00Z": SENTINEL,
    "1899-12-30 00:00:00": SENTINEL,
    "0001-01-01T00:00:00": SENTINEL,
    "0000-00-00 00:00:00": SENTINEL,
    "0": SENTINEL,
    "NULL": PLACEHOLDER,
    "NaT": PLACEHOLDER,
    "13/14/2026": DAY_OR_MONTH,
    "05.09.2022 15:00": DAY_OR_MONTH,
    "2022-09-05": NO_INSTANT,
    "20220905T150000Z": NO_INSTANT,
    "2022-09-05T15:00:00.1234567Z": NO_INSTANT,
    "2022-09-05T15:00:00,5Z": NO_INSTANT,
    " 2022-09-05T15:00:00Z": NO_INSTANT,
    "２０２２-09-05T15:00:00Z": NO_INSTANT,
    "45000": SERIAL,
    "45000.5": SERIAL,
}


@pytest.mark.parametrize("cell", INSTANTS)
def test_an_instant_is_read(cell: str) -> None:
    assert INSTANT(cell) == INSTANTS[cell]


@pytest.mark.parametrize("cell", NO_INSTANTS)
def test_an_invalid_instant_is_an_error_with_its_reason(cell: str) -> None:
    assert error(INSTANT, cell) == NO_INSTANTS[cell]


def test_the_zone_is_that_of_the_import_and_its_gaps_do_not_exist() -> None:
    pacific = parser(FREIGHT_ORDERS, "placed_at", ZoneInfo("America/Los_Angeles"))
    assert pacific("2026-11-01T01:30") == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)  # twice there: the first
    assert pacific("2027-03-14T01:59:59.999999") == datetime(2027, 3, 14, 9, 59, 59, 999999, tzinfo=UTC)
    assert pacific("2027-03-14T03:00") == datetime(2027, 3, 14, 10, tzinfo=UTC)
    gap = "does not exist in the zone America/Los_Angeles, whose clocks skip it"
    assert error(pacific, "2027-03-14T02:00") == error(pacific, "2027-03-14T02:59:59.999999") == gap


@pytest.mark.django_db(transaction=True)
def test_an_invalid_date_is_reported_with_its_place_and_nothing_is_stored(tmp_path: Path) -> None:
    merchants(tmp_path)
    lines = order("F1") + order("F2", placed="2022-09-31T00:00:00Z") + order("F3", placed="45000", freight="-3.00")
    imported = import_text("freight_orders", ORDER + lines, tmp_path)
    assert imported.errors == [
        (3, "placed_at", "2022-09-31T00:00:00Z", "31 September is not a date"),
        (4, "base_freight", "-3.00", "is negative"),
        (4, "placed_at", "45000", SERIAL),
    ]
    assert no_orders_stored()


NO_MONEY = "is not an amount such as 1234.50"
NO_AMOUNTS = {
    "1,000.50": NO_MONEY,
    "1.000,50": NO_MONEY,
    "1e3": NO_MONEY,
    "NaN": PLACEHOLDER,
    "N/A": PLACEHOLDER,
    "#DIV/0!": "is an error of a spreadsheet, or a number that its column was too narrow to show",
    "Infinity": NO_MONEY,
    "+1": NO_MONEY,
    ".5": NO_MONEY,
    "5.": NO_MONEY,
    " 1.00": NO_MONEY,
    "1.00 ": NO_MONEY,
    "１.00": NO_MONEY,
    "1_0": NO_MONEY,
    "-0": "is negative",
    "-3.00": "is negative",
    "0.30000000000000004": "has more than two decimals",
    "0.001": "has more than two decimals",
    "1000000000000": "is more than 999999999999.99",
    "1000000000000000000": "is more than 999999999999.99",
    "": "is empty",
}


@pytest.mark.parametrize("cell", NO_AMOUNTS)
def test_an_invalid_amount_is_an_error_with_its_reason(cell: str) -> None:
    assert error(MONEY, cell) == NO_AMOUNTS[cell]


@given(st.decimals(min_value=0, max_value=Decimal("999999999999.99"), places=2))
@example(Decimal("0.00"))
@example(Decimal("999999999999.99"))
def test_every_amount_in_range_is_read_exactly(amount: Decimal) -> None:
    assert MONEY(f"{amount:f}") == amount


@given(st.text())
def test_any_text_is_an_amount_or_an_error(cell: str) -> None:
    try:
        value = MONEY(cell)
    except CellError:
        return
    assert isinstance(value, Decimal)
    assert value == value.quantize(Decimal("0.01"))
    assert 0 <= value < 10**12
    assert set(cell) <= set("0123456789.")


LIKE_AN_INSTANT = st.from_regex(
    r"(19[67]|20|2[12]0)\d{1,2}-[01]\d-[0-3]\d[T ][012]\d:[0-6]\d(:[0-6]\d(\.\d{1,6})?)?(Z|[+-][01]\d:?[0-6]\d)?",
    fullmatch=True,
)


@given(st.one_of(st.text(), LIKE_AN_INSTANT))
@example("2022-09-05T15:00:00.000001-07:30")
@example("2022-09-05 15:00")
@settings(max_examples=300)
def test_any_text_is_the_instant_that_it_says_or_an_error(cell: str) -> None:
    try:
        value = INSTANT(cell)
    except CellError:
        return
    if value is None:
        assert not cell.strip()
        return
    assert isinstance(value, datetime)
    said = datetime.fromisoformat(cell)
    assert value == (said if said.tzinfo else said.replace(tzinfo=SHANGHAI))
    assert value.tzinfo is not None
    assert datetime(1970, 1, 1, tzinfo=UTC) <= value < datetime(2201, 1, 1, tzinfo=UTC)


def test_whole_numbers_to_their_bounds() -> None:
    assert (WHOLE("0"), WHOLE("2147483647"), WHOLE("")) == (0, 2147483647, 0)
    assert error(WHOLE, "2147483648") == "is more than 2147483647"
    assert error(WHOLE, "-1") == "is negative"
    assert error(WHOLE, "1.0") == "is not a whole number such as 35"


def test_codes_are_normalised_and_have_no_invisible_characters() -> None:
    assert KEY("Ｆ１２３") == KEY(" F123 ") == KEY("F123\u3000") == "F123"
    assert error(KEY, "F1\u200f") == "holds the invisible character U+200F RIGHT-TO-LEFT MARK"
    assert error(KEY, "F\u200b1") == "holds the invisible character U+200B ZERO WIDTH SPACE"
    assert error(KEY, "F1\t") == "holds the invisible character U+0009"
    assert error(KEY, "F\0001") == "holds the invisible character U+0000"
    assert error(KEY, " ") == error(KEY, "") == "is empty"
    assert KEY("F" * 64) == "F" * 64
    assert error(KEY, "F" * 65) == "is longer than 64 characters"


NAME = parser(MERCHANTS, "name")
CATEGORY = parser(MERCHANTS, "category_l1")


@pytest.mark.parametrize("cell", ["NULL", "null", "nan", "NaN", "N/A", "n/a", "#N/A", "<NA>", "None", "\\N", "-"])
def test_words_for_no_value_are_errors_of_every_type(cell: str) -> None:
    for parse in (KEY, NAME, CATEGORY, MONEY, INSTANT, WHOLE):
        assert error(parse, cell) == PLACEHOLDER


def test_words_that_only_look_like_no_value_are_read() -> None:
    assert parser(MERCHANTS, "country")("NA") == "NA"
    assert [CATEGORY(cell) for cell in ("NA", "none", "Nano", "0", "A-")] == ["NA", "none", "Nano", "0", "A-"]


SHORTENED = "is a code that a spreadsheet turned into a number, and shortened: format the column as text"
WITH_DECIMALS = "is a code that a program turned into a number, and wrote with decimals: format the column as text"
TOO_NARROW = "is an error of a spreadsheet, or a number that its column was too narrow to show"


@pytest.mark.parametrize(
    ("code", "reason"),
    {
        "1.23457E+17": SHORTENED,
        "1,23457E+17": SHORTENED,
        "1E+17": SHORTENED,
        "2.022e+16": SHORTENED,
        "-1.2E+18": SHORTENED,
        "1.5E-07": SHORTENED,
        "１.２E＋１７": SHORTENED,
        "10023.0": WITH_DECIMALS,
        "#REF!": TOO_NARROW,
        "########": TOO_NARROW,
    }.items(),
)
def test_codes_that_a_program_turned_into_numbers_are_errors(code: str, reason: str) -> None:
    assert error(KEY, code) == reason


def test_codes_that_only_look_like_numbers_are_read() -> None:
    codes = ["123457E17", "1E5", "3E-12", "E+17", "1.5", "10.20", "007", "#1", "-77", "1.2.0"]
    assert [KEY(code) for code in codes] == codes


def test_flags_choices_and_codes_of_countries_and_currencies() -> None:
    flag = parser(FREIGHT_ORDERS, "promo_flag")
    assert [flag(cell) for cell in ("1", "yes", "True", "是")] == [True] * 4
    assert [flag(cell) for cell in ("0", "no", "FALSE", "否", "")] == [False] * 5
    assert error(flag, "maybe").startswith("is neither yes nor no")
    service = parser(FREIGHT_ORDERS, "service")
    assert service("express") == "express"
    assert error(service, "Express") == "is none of express, multimodal, small_parcel, sea_fcl"
    assert error(service, "") == "is empty"
    assert parser(MERCHANTS, "country")("CN") == "CN"
    assert error(parser(MERCHANTS, "country"), "cn") == "is not a country code of two capital letters"
    assert parser(FREIGHT_ORDERS, "currency")("USD") == "USD"
    assert error(parser(FREIGHT_ORDERS, "currency"), "US$") == "is not a currency code of three capital letters"


@pytest.mark.django_db(transaction=True)
def test_full_width_codes_match_and_text_is_unchanged(tmp_path: Path) -> None:
    merchants(tmp_path, "M1")
    assert import_text("merchants", "merchant_code,name\nＭ１,=1+1\n", tmp_path).counts == (0, 1, 0)
    assert import_text("freight_orders", ORDER + order(merchant=" Ｍ１"), tmp_path).counts == (1, 0, 0)
    assert Merchant.objects.get().name == "=1+1"
    assert FreightOrder.objects.get().merchant_id == "M1"
