"""Workbooks: rules of reading, and rejection of malicious ones in time by a child process with limits."""

import resource
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from imports.file_reader import COMMAND_LIMIT, UPLOAD_LIMIT, ConversionLimit
from imports.models import ImportBatch
from logistics.models import FreightOrder
from merchants.models import Merchant
from tests.support.importing import import_path, import_text, merchants, no_orders_stored
from tests.support.workbooks import MAIN, large, number, row, sheet, text, workbook

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once(reason="files read; test_files.py stores them")]
HEAD = row(1, text("A1", "merchant_code"), text("B1", "name"))
UNREADABLE = "is not a workbook that can be read: save it as .xlsx or CSV"
OLD = "is an encrypted workbook, or one of an old format: save it as .xlsx without a password"
ENTITIES = "declares XML entities, which no spreadsheet program writes"
SIZE = "unpacks to far more than a fact file can hold: save it as CSV"
TIME = "takes too long to read: save it as CSV"
MEMORY = "needs too much memory to read: save it as CSV"


def names(content: bytes, folder: Path) -> dict[str, str]:
    imported = import_text("merchants", content, folder, suffix=".xlsx")
    assert imported.errors == []
    return dict(Merchant.objects.values_list("code", "name"))


def test_numbers_become_codes_and_the_first_visible_sheet_is_read(tmp_path: Path) -> None:
    rich = "<si><r><t>rich </t></r><r><t>text</t></r><rPh><t>no</t></rPh></si>"
    shared = f"<sst {MAIN}><si><t>merchant_code</t></si>{rich}</sst>"
    seen = sheet(
        row(1, '<c r="A1" t="s"><v>0</v></c>', text("C1", "name"))
        + row(2, number("A2", "123"), '<c r="C2" t="s"><v>1</v></c>')
        + row(4, number("A4", "1.5"), '<c r="C4" t="b"><v>1</v></c>')
        + row(5, number("A5", "36.960000000000001", style=3), text("C5", "a_x000D_b_x0000_"))
    )
    hidden = sheet(HEAD + row(2, text("A2", "HIDDEN")))
    content = workbook(hidden, hidden, seen, states=["hidden", "veryHidden"], extra={"xl/sharedStrings.xml": shared})
    imported = import_text("merchants", content, tmp_path, suffix=".xlsx")
    assert imported.errors == [(1, "", "", "a column without a name")]
    seen = seen.replace('"C', '"B')
    content = workbook(hidden, hidden, seen, states=["hidden", "veryHidden"], extra={"xl/sharedStrings.xml": shared})
    assert names(content, tmp_path) == {"123": "rich text", "1.5": "1", "36.96": "a\rb_x0000_"}


def test_a_formula_is_its_stored_value_and_without_one_an_error(tmp_path: Path) -> None:
    stored = row(2, text("A2", "M1"), '<c r="B2" t="str"><f>1+1</f><v>two</v></c>')
    stored += row(3, text("A3", "M2"), '<c r="B3" t="str"><f>""</f><v></v></c>')
    assert names(workbook(sheet(HEAD + stored)), tmp_path) == {"M1": "two", "M2": ""}
    without = row(7, text("A7", "M3"), '<c r="B7"><f>1+1</f></c>')
    error = row(8, '<c r="A8" t="e"><v>#N/A</v></c>') + row(9, number("A9", "1234567890123456"))
    imported = import_text("merchants", workbook(sheet(HEAD + without + error)), tmp_path, suffix=".xlsx")
    assert [(line, column, value, reason.partition(":")[0]) for line, column, value, reason in imported.errors] == [
        (7, "name", "", "a formula without a stored value"),
        (8, "merchant_code", "#N/A", "the spreadsheet shows an error here"),
        (9, "merchant_code", "1234567890123456", "a number of more than 15 digits, of which the spreadsheet lost some"),
    ]
    assert Merchant.objects.count() == 2


def test_hidden_rows_and_columns_and_other_sheets_are_reported(tmp_path: Path) -> None:
    columns = '<cols><col min="2" max="2" hidden="1"/></cols><sheetData>'
    rows = HEAD + row(2, text("A2", "M1"), text("B2", "x")).replace('<row r="2"', '<row r="2" hidden="1"')
    content = workbook(sheet(rows).replace("<sheetData>", columns), sheet(HEAD))
    imported = import_text("merchants", content, tmp_path, suffix=".xlsx")
    assert imported.result.notes == [
        "hidden rows: 1, hidden columns: 1; they are read like the others",
        "sheets that are not read: 1",
    ]
    assert Merchant.objects.get().name == "x"


@pytest.mark.parametrize(
    ("stored", "amount"),
    [("30.299999999999997", "30.30"), ("0.30000000000000004", "0.30"), ("2.9999999999999996", "3.00")],
)
def test_sums_are_read_at_the_15_digits_that_a_spreadsheet_shows(stored: str, amount: str, tmp_path: Path) -> None:
    merchants(tmp_path)
    content = workbook(sheet(order_placed("44809.625", 1).replace("<v>12.5</v>", f"<v>{stored}</v>")))
    assert import_text("freight_orders", content, tmp_path, suffix=".xlsx").errors == []
    assert str(FreightOrder.objects.get().base_freight) == amount


def test_the_top_left_of_merged_cells_is_read(tmp_path: Path) -> None:
    rows = HEAD + row(2, text("A2", "M1"), text("B2", "top")) + row(3, text("A3", "M2"), text("B3", "under"))
    merged = '<mergeCells><mergeCell ref="B2:B3"/></mergeCells>'
    assert names(workbook(sheet(rows, merged)), tmp_path) == {"M1": "top", "M2": ""}


COLUMNS = "order_no merchant_code service line base_freight currency placed_at".split()
ORDERS = row(1, *(text(f"{letter}1", name) for letter, name in zip("ABCDEFG", COLUMNS, strict=True)))


def order_placed(serial: str, style: int) -> str:
    cells = [text(f"{c}2", v) for c, v in zip("ABCDF", ("F1", "M1", "express", "eu", "CNY"), strict=True)]
    return ORDERS + row(2, *cells, number("E2", "12.5"), number("G2", serial, style))


@pytest.mark.parametrize(
    ("serial", "properties", "expected"),
    [
        ("44809.625", "", datetime(2022, 9, 5, 7, tzinfo=UTC)),
        ("44809.6250000116", "", datetime(2022, 9, 5, 7, 0, 0, 1000, tzinfo=UTC)),
        ("43347.625", '<workbookPr date1904="1"/>', datetime(2022, 9, 5, 7, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("style", [1, 2])
def test_dates_count_from_1900_or_1904(
    serial: str, properties: str, expected: datetime, style: int, tmp_path: Path
) -> None:
    merchants(tmp_path)
    content = workbook(sheet(order_placed(serial, style)), properties=properties)
    assert import_text("freight_orders", content, tmp_path, suffix=".xlsx").errors == []
    assert FreightOrder.objects.get().placed_at == expected


def test_a_serial_number_without_a_date_format_is_an_error(tmp_path: Path) -> None:
    merchants(tmp_path)
    imported = import_text("freight_orders", workbook(sheet(order_placed("44809.625", 3))), tmp_path, suffix=".xlsx")
    assert [(line, column, value) for line, column, value, _reason in imported.errors] == [
        (2, "placed_at", "44809.625")
    ]
    assert no_orders_stored()


def rejection(content: bytes, folder: Path, limit: ConversionLimit = COMMAND_LIMIT) -> str:
    path = folder / "merchants.xlsx"
    path.write_bytes(content)
    return rejection_in_time(path, limit)


def seconds_of_children() -> float:
    """Return the seconds for which processors worked on ended child processes, whatever else the machine did."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def rejection_in_time(path: Path, limit: ConversionLimit = COMMAND_LIMIT) -> str:
    """Return the reason of the rejection, which takes at most 5 seconds and no memory of this process."""
    memory, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, seconds_of_children()
    imported = import_path("merchants", path, limit=limit)
    assert seconds_of_children() - began < 6
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 20_000
    assert not Merchant.objects.exists()
    assert not ImportBatch.objects.exists()
    [(line, column, value, reason)] = imported.errors
    assert (line, column, value) == (0, "", "")
    return reason


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' if n else '<!ENTITY a0 "&a;">' for n in range(10)
)
BOMBS = {
    "text": (b"merchant_code\nM1\n", UNREADABLE),
    "empty": (b"", UNREADABLE),
    "old": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096), OLD),
    "cut": (workbook(sheet(HEAD))[:-30], UNREADABLE),
    "no sheet": (workbook(), "has no visible sheet"),
    "not xml": (workbook("<worksheet"), UNREADABLE),
    "far": (
        workbook(sheet(HEAD + row(1048576, number("XFD1048576", "1")))),
        "has something in cell XFD1048576, far outside of any fact file",
    ),
    "laughs": (workbook(f"{LAUGHS}]><worksheet {MAIN}>&a9;</worksheet>"), ENTITIES),
    "external": (
        workbook(
            f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
            f"<worksheet {MAIN}><sheetData>{HEAD}{row(2, text('A2', '&e;'))}</sheetData></worksheet>"
        ),
        ENTITIES,
    ),
    "laughs in the strings": (
        workbook(sheet(HEAD), extra={"xl/sharedStrings.xml": f"{LAUGHS}]><sst {MAIN}/>"}),
        ENTITIES,
    ),
    "merged": (
        workbook(sheet(HEAD, "<mergeCells>" + '<mergeCell ref="A1:B2"/>' * 1001 + "</mergeCells>")),
        "has too many merged cells: save it as CSV",
    ),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_malicious_workbook_is_rejected(kind: str, tmp_path: Path) -> None:
    content, reason = BOMBS[kind]
    assert rejection(content, tmp_path) == reason


def test_an_encrypted_part_is_rejected(tmp_path: Path) -> None:
    content = bytearray(workbook(sheet(HEAD)))
    central = content.index(b"PK\x01\x02")
    content[central + 8] |= 1
    assert rejection(bytes(content), tmp_path) == OLD


def test_a_megabyte_that_unpacks_to_a_gigabyte_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "merchants.xlsx"
    path.write_bytes(workbook(sheet(HEAD)))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/x.xml", "w") as part:
        for _megabyte in range(1000):
            part.write(bytes(1_000_000))
    assert path.stat().st_size < 2_000_000
    assert rejection_in_time(path) == SIZE


def test_strings_that_fill_the_memory_are_rejected(tmp_path: Path) -> None:
    strings = "".join(f"<si><t>{number:050x}</t></si>" for number in range(3_000_000))
    content = workbook(sheet(HEAD), extra={"xl/sharedStrings.xml": f"<sst {MAIN}>{strings}</sst>"})
    assert rejection(content, tmp_path, UPLOAD_LIMIT) in (MEMORY, TIME)


def test_a_million_rows_are_too_much_for_an_upload(tmp_path: Path) -> None:
    path = tmp_path / "merchants.xlsx"
    large(path, 1_000_000, '<row r="{n}"><c t="inlineStr"><is><t>M{n}</t></is></c><c><v>{n}</v></c></row>')
    assert rejection_in_time(path, UPLOAD_LIMIT) in (TIME, SIZE)
