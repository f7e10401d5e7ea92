"""Files of facts: encodings, headers, keys, references; all rows of a file are stored or none."""

import codecs
from datetime import UTC, datetime
from pathlib import Path

import pytest

from imports.folder_import import import_folder
from imports.importer import ImportOptions, ImportResult
from imports.models import ImportBatch
from imports.registry import all_schemas
from imports.schema import RowError
from logistics.models import FreightOrder
from merchants.models import Membership, Merchant
from tests.support.importing import CASES, NOW, ORDER, SHANGHAI, import_text, merchants, no_orders_stored, order, world
from trade.models import Receipt

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_repeated_key_is_reported_with_both_lines(tmp_path: Path) -> None:
    merchants(tmp_path)
    imported = import_text("freight_orders", ORDER + order("F1") + order("F2") + order(" F1") + order("F1"), tmp_path)
    assert imported.errors == [
        (4, "order_no", "F1", "stands in line 2 already"),
        (5, "order_no", "F1", "stands in line 2 already"),
    ]
    assert no_orders_stored()


def test_a_file_imported_twice_changes_nothing(tmp_path: Path) -> None:
    merchants(tmp_path)
    lines = ORDER + order("F1", placed="2022-09-05T15:00:00.5+08:00") + order("F2", freight="0.10")
    first = import_text("freight_orders", lines, tmp_path)
    before = world()
    again = import_text("freight_orders", lines, tmp_path)
    assert (first.counts, again.counts) == ((2, 0, 0), (0, 0, 2))
    assert world() == before
    batches = ImportBatch.objects.filter(source="freight_orders.csv").order_by("pk")
    assert [(batch.rows, batch.processed) for batch in batches] == [(2, False), (2, True)]
    assert len({batch.digest for batch in batches}) == 1


def test_only_a_changed_row_gets_the_new_batch(tmp_path: Path) -> None:
    merchants(tmp_path)
    first = import_text("freight_orders", ORDER + order("F1") + order("F2"), tmp_path)
    second = import_text("freight_orders", ORDER + order("F3") + order("F2", freight="1.01") + order("F1"), tmp_path)
    assert second.counts == (1, 1, 1)
    batches = dict(FreightOrder.objects.values_list("pk", "batch"))
    assert batches == {"F1": first.result.batch, "F2": second.result.batch, "F3": second.result.batch}


def test_a_dry_run_counts_and_stores_nothing(tmp_path: Path) -> None:
    merchants(tmp_path)
    import_text("freight_orders", ORDER + order("F1") + order("F2"), tmp_path)
    before = (world(), ImportBatch.objects.count())
    lines = ORDER + order("F1") + order("F2", freight="2.00") + order("F3")
    imported = import_text("freight_orders", lines, tmp_path, dry_run=True)
    assert imported.counts == (1, 1, 1)
    assert [(state, values[0]) for state, values, _stored in imported.result.sample] == [
        ("update", "F2"),
        ("new", "F3"),
        ("skip", "F1"),
    ]
    assert (world(), ImportBatch.objects.count()) == before


NAMED = "merchant_code,name\nM1,杭州科技有限公司\n"
ENCODED = {
    "utf-8": NAMED.encode(),
    "mark": codecs.BOM_UTF8 + NAMED.encode(),
    "gb18030": NAMED.encode("gb18030"),
    "mixed newlines": "merchant_code,name\r\nM0,a\rM1,杭州科技有限公司\nM2,b\r\n\r\n,\r\n".encode(),
    "empty columns behind": "merchant_code,name,,\nM1,杭州科技有限公司,,\n".encode(),
    # A character cut in two by the reading of a megabyte at a time.
    "long": ("merchant_code,name\n" + "".join(f"A{i:06},{'x' * 20}\n" for i in range(36157))).encode("gb18030")
    + "M1,杭州科技有限公司\n".encode("gb18030"),
}


@pytest.mark.parametrize("how", ENCODED)
def test_every_encoding_of_spreadsheet_programs_is_read(how: str, tmp_path: Path) -> None:
    imported = import_text("merchants", ENCODED[how], tmp_path)
    assert imported.errors == []
    assert Merchant.objects.get(pk="M1").name == "杭州科技有限公司"


NEITHER = "is neither UTF-8 nor GB18030: save it as CSV in UTF-8, or name its encoding, such as cp1252"
UNREADABLE = {
    "utf-16": (
        NAMED.encode("utf-16"),
        "is UTF-16 or UTF-32: save it as CSV in UTF-8, or name its encoding, such as utf-16",
    ),
    "utf-16 without a mark": (
        NAMED.encode("utf-16-le"),
        "line 1 holds a NUL byte: not a text file; save it as CSV in UTF-8",
    ),
    "nul": (b"merchant_code\nM1\nM\x002\n", "line 3 holds a NUL byte: not a text file; save it as CSV in UTF-8"),
    "neither": (b"merchant_code,name\nM1,\xff\xff\n", NEITHER),
    "marked, then not utf-8": (
        codecs.BOM_UTF8 + NAMED.encode("gb18030"),
        NEITHER,
    ),
    "cut in a character": (NAMED.encode()[:-2], NEITHER),
    "empty": (b"", "is empty: not even a header"),
}


@pytest.mark.parametrize("how", UNREADABLE)
def test_an_unreadable_file_is_rejected_with_advice(how: str, tmp_path: Path) -> None:
    content, reason = UNREADABLE[how]
    assert import_text("merchants", content, tmp_path).errors == [(0, "", "", reason)]
    assert not Merchant.objects.exists()
    assert not ImportBatch.objects.exists()


LATIN = "merchant_code,name\nM1,Müller Bäckerei\nM2,Ünal GmbH\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (LATIN, "cp1252"),
        ("merchant_code,name\nM1,Importação Limitada\n", "cp1252"),
        ("merchant_code,name\nM1,Торговый дом Привет\n", "cp1251"),
        ("merchant_code,name\nM1,ひらがなカタカナ\n", "euc-jp"),
        ("merchant_code,name\nM1,Łódź Żółw\n", "iso-8859-2"),
    ],
)
def test_text_that_would_be_implausible_chinese_is_doubted_until_its_encoding_is_named(
    text: str, encoding: str, tmp_path: Path
) -> None:
    content = text.encode(encoding)
    [(line, _column, _value, reason)] = import_text("merchants", content, tmp_path).errors
    assert line == 0
    assert reason.startswith(("is not UTF-8, and as GB18030 it would say “", "is neither UTF-8 nor GB18030"))
    assert not Merchant.objects.exists()
    imported = import_text("merchants", content, tmp_path, encoding=encoding)
    assert (imported.errors, imported.result.encoding) == ([], encoding)
    assert Merchant.objects.order_by("pk").first().name in text  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "name",
    ["杭州科技有限公司", "喆", "T恤之家", "LED灯具厂", "A座B栋", "鑫淼电子", "臺灣進出口有限公司", "Zhejiang浙江Trade"],
)
def test_plausible_chinese_in_gb18030_is_read_and_named(name: str, tmp_path: Path) -> None:
    imported = import_text("merchants", f"merchant_code,name\nM1,{name}\n".encode("gb18030"), tmp_path)
    assert imported.errors == []
    assert (imported.result.encoding, imported.result.notes) == ("gb18030", ["read as GB18030"])
    assert Merchant.objects.get().name == name


def test_a_named_encoding_is_read_and_a_wrong_one_is_an_error(tmp_path: Path) -> None:
    content = NAMED.encode("utf-16")
    assert import_text("merchants", content, tmp_path, encoding="utf-16").errors == []
    [error] = import_text("merchants", NAMED.encode("utf-16-le"), tmp_path, encoding="utf-16").errors
    assert error[3] == "is not in the encoding utf-16 that was named"
    [error] = import_text("merchants", NAMED.encode("gb18030"), tmp_path, encoding="utf-8").errors
    assert error[3] == NEITHER
    [error] = import_text("merchants", content, tmp_path, encoding="klingon").errors
    assert error[3].startswith("klingon is no encoding that can be read")


SEPARATED = {
    "semicolon": "merchant_code;name\nM1;a,b\n",
    "tab": "merchant_code\tname\nM1\ta,b\n",
    "bar": "merchant_code|name\nM1|a,b\n",
}


@pytest.mark.parametrize("how", SEPARATED)
def test_the_separator_is_found_and_named(how: str, tmp_path: Path) -> None:
    imported = import_text("merchants", SEPARATED[how], tmp_path)
    assert (imported.errors, imported.result.notes) == ([], [f"cells are separated by: {how}"])
    assert Merchant.objects.get().name == "a,b"


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("line", ["sep=;\n", "SEP=;\r\n", '"sep=;"\n'])
def test_a_line_that_names_the_separator_is_obeyed(line: str, mark: bytes, tmp_path: Path) -> None:
    imported = import_text("merchants", mark + f"{line}merchant_code;name\nM1;x;y\n".encode(), tmp_path)
    assert imported.errors == [(3, "", "", "has 3 cells where the header has 2")]
    assert import_text("merchants", mark + f"{line}merchant_code;name\nM1;x\n".encode(), tmp_path).errors == []


def test_titles_above_the_header_are_skipped_and_reported(tmp_path: Path) -> None:
    imported = import_text(
        "merchants", "List of sellers\nSeptember,2022,,\n\nmerchant_code,name\nM1,\nM2,x,y\n", tmp_path
    )
    assert imported.errors == [(6, "", "", "has 3 cells where the header has 2")]
    imported = import_text("merchants", "List of sellers\n\nmerchant_code,name\nM1,x\n", tmp_path)
    assert imported.counts == (1, 0, 0)
    assert imported.result.notes == ["the header is line 3; the lines above it are not read"]


def test_a_header_of_another_system_is_one_complaint_with_its_cause(tmp_path: Path) -> None:
    imported = import_text("freight_orders", "Order;Seller;Kind;Freight\nF1;M1;express;1\n", tmp_path)
    assert imported.errors == [
        (
            1,
            "",
            "",
            'unknown column: "Order", "Seller", "Kind", "Freight"; the column is missing: "order_no", "merchant_code", '
            '"service", "line", "base_freight", "currency"; a file with the columns of another system needs a column '
            "mapping",
        )
    ]


def test_errors_name_the_lines_of_the_file(tmp_path: Path) -> None:
    imported = import_text("merchants", 'merchant_code,name\nM1,"two\nlines"\n\n,lost\nM2,x,y\nM3\n"M4"x,\n', tmp_path)
    assert imported.errors == [
        (5, "merchant_code", "", "is empty"),
        (6, "", "", "has 3 cells where the header has 2"),
        (7, "", "", "has 1 cells where the header has 2"),
        (8, "", "", "is not CSV: ',' expected after '\"'"),
    ]
    assert not Merchant.objects.exists()


HEADERS = {
    "merchant_code,nmae": [(1, "nmae", "nmae", "unknown column; is it “name”?")],
    "merchant_code,name,name": [(1, "name", "name", "the column stands 2 times")],
    "name": [(1, "merchant_code", "merchant_code", "the column is missing")],
    "merchant_code,,name": [(1, "", "", "a column without a name")],
    ",".join(f"c{i}" for i in range(1_000)): [(1, "", "", "has 1000 columns")],
    ",".join(f"c{i}" for i in range(16_384)): [(0, "", "", "has 16384 columns")],
}


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: header[:30])
def test_an_invalid_header_is_rejected_before_any_row(header: str, tmp_path: Path) -> None:
    assert import_text("merchants", f"{header}\nbad,rows,are,not,looked,at\n", tmp_path).errors == HEADERS[header]
    assert not Merchant.objects.exists()


def test_columns_may_have_any_order_and_optional_ones_may_be_absent(tmp_path: Path) -> None:
    assert import_text("merchants", "country, name ,merchant_code\nCN,x,M1\n", tmp_path).counts == (1, 0, 0)
    merchant = Merchant.objects.get()
    assert (merchant.code, merchant.name, merchant.country, merchant.logistics_partner) == ("M1", "x", "CN", False)


def test_an_absent_column_keeps_the_stored_value_and_an_empty_cell_erases_it(tmp_path: Path) -> None:
    import_text("merchants", "merchant_code,name,country\nM1,x,CN\n", tmp_path)
    assert import_text("merchants", "merchant_code,country\nM1,CN\nM2,US\n", tmp_path).counts == (1, 0, 1)
    assert import_text("merchants", "merchant_code,country\nM1,\n", tmp_path).counts == (0, 1, 0)
    assert list(Merchant.objects.order_by("pk").values_list("name", "country")) == [("x", ""), ("", "US")]


def test_an_unknown_merchant_is_reported(tmp_path: Path) -> None:
    merchants(tmp_path)
    imported = import_text(
        "freight_orders", ORDER + order("F1", merchant="M9") + order("F2") + order("F3", merchant="m1"), tmp_path
    )
    assert imported.errors == [
        (2, "merchant_code", "M9", "unknown merchant M9"),
        (4, "merchant_code", "m1", "unknown merchant m1"),
    ]
    assert no_orders_stored()


def test_an_end_must_be_after_its_start(tmp_path: Path) -> None:
    merchants(tmp_path)
    row = "merchant_code,plan,starts_at,ends_at\nM1,export_pass,2022-09-01T00:00:00Z,{}\n"
    imported = import_text("memberships", row.format("2022-09-01T08:00:00+08:00"), tmp_path)
    assert imported.errors == [(2, "ends_at", "2022-09-01T08:00:00+08:00", "is not after starts_at")]
    assert not Membership.objects.exists()
    assert import_text("memberships", row.format("2022-09-01T00:00:00.000001Z"), tmp_path).counts == (1, 0, 0)
    assert import_text("memberships", row.format(""), tmp_path).counts == (0, 1, 0)


def test_facts_of_the_future_are_stored_and_counted_and_old_ones_are_stored(tmp_path: Path) -> None:
    merchants(tmp_path)
    now, later = "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000001Z"
    lines = order("F1", placed=now) + order("F2", placed=later) + order("F3", placed="2019-01-01T00:00:00Z")
    imported = import_text("freight_orders", ORDER + lines, tmp_path)
    assert (imported.counts, imported.result.future) == ((3, 0, 0), 1)
    assert ImportBatch.objects.get(source="freight_orders.csv").future == 1


RECEIPT = "receipt_no,order_no,kind,amount_usd,booked_at,cancelled_at\nR1,T1,first,10.00,{},{}\n"
BOOKED, CANCELLED = "2022-09-02T00:00:00Z", "2022-09-03T00:00:00Z"
BOTH = (datetime(2022, 9, 2, tzinfo=UTC), datetime(2022, 9, 3, tzinfo=UTC))


def receipt(folder: Path, booked: str, cancelled: str) -> tuple[object, object]:
    import_text("receipts", RECEIPT.format(booked, cancelled), folder)
    row = Receipt.objects.get()
    return row.booked_at, row.cancelled_at


@pytest.fixture
def trade_order(tmp_path: Path) -> None:
    merchants(tmp_path)
    import_text("trade_orders", "order_no,merchant_code,product,amount_usd\nT1,M1,trade_assurance,10.00\n", tmp_path)


@pytest.mark.usefixtures("trade_order")
def test_a_cancellation_before_its_booking_is_stored(tmp_path: Path) -> None:
    assert receipt(tmp_path, "", CANCELLED) == (None, BOTH[1])
    assert receipt(tmp_path, BOOKED, "") == BOTH
    before = list(Receipt.objects.values())
    assert receipt(tmp_path, BOOKED, "") == BOTH
    assert receipt(tmp_path, "", CANCELLED) == BOTH
    assert list(Receipt.objects.values()) == before


@pytest.mark.usefixtures("trade_order")
def test_the_other_order_gives_the_same(tmp_path: Path) -> None:
    assert receipt(tmp_path, BOOKED, "") == (BOTH[0], None)
    assert receipt(tmp_path, "", CANCELLED) == BOTH
    assert receipt(tmp_path, BOOKED, "") == BOTH


@pytest.mark.usefixtures("trade_order")
def test_a_row_with_both_events_can_be_corrected(tmp_path: Path) -> None:
    assert receipt(tmp_path, BOOKED, CANCELLED) == BOTH
    assert receipt(tmp_path, BOOKED, "") == (BOTH[0], None)


@pytest.mark.usefixtures("trade_order")
def test_a_receipt_without_any_event_is_an_error(tmp_path: Path) -> None:
    imported = import_text("receipts", RECEIPT.format("", ""), tmp_path)
    assert imported.errors == [(2, "booked_at", "", "is empty, and so is cancelled_at")]
    assert not Receipt.objects.exists()


def outcomes(folder: Path) -> tuple[dict[str, tuple[int, int, int]], list[str], bool]:
    counts: dict[str, tuple[int, int, int]] = {}
    errors: list[str] = []

    def on_result(result: ImportResult) -> None:
        counts[result.name] = (result.added, result.changed, result.unchanged)

    def on_error(error: RowError) -> None:
        errors.append(str(error))

    whole = import_folder(folder, ImportOptions(zone=SHANGHAI, now=NOW), on_error=on_error, on_result=on_result)
    return counts, errors, whole


def lengths(folder: Path) -> dict[str, int]:
    return {path.name: len(path.read_text(encoding="utf-8").splitlines()) - 1 for path in folder.glob("*.csv")}


@pytest.mark.parametrize("case", ["basic", "edges", "tiny-quotas"])
def test_sample_facts_are_imported_once_and_change_nothing_again(case: str) -> None:
    folder = CASES / case / "facts"
    expected = lengths(folder)
    assert len(expected) == 11
    assert outcomes(folder) == ({name: (rows, 0, 0) for name, rows in expected.items()}, [], True)
    counted = ((f"{file.name}.csv", file.model._default_manager.count()) for file in all_schemas())
    stored = {name: count for name, count in counted if count}
    assert stored == expected
    assert outcomes(folder) == ({name: (0, 0, rows) for name, rows in expected.items()}, [], True)


def test_a_bad_file_stops_only_itself_and_files_that_refer_to_it(tmp_path: Path) -> None:
    (tmp_path / "merchants.csv").write_text("merchant_code\nM1\n")
    (tmp_path / "trade_orders.csv").write_text("order_no,merchant_code,product,amount_usd\nT1,M1,barter,1.00\n")
    (tmp_path / "receipts.csv").write_text(RECEIPT.format(BOOKED, ""))
    (tmp_path / "freight_orders.csv").write_text(ORDER + order())
    (tmp_path / "freight_order.csv").write_text("misspelt")
    (tmp_path / "reference_lists.csv").write_text("list_code,value\n")
    (tmp_path / "reference_lists.xlsx").write_text("")
    counts, errors, whole = outcomes(tmp_path)
    assert not whole
    assert errors == [
        "freight_order.csv: is not a file of facts, and was not imported; is it freight_orders.csv?",
        "reference_lists: is there more than once: reference_lists.csv, reference_lists.xlsx",
        'trade_orders.csv line 2, product "barter": is none of trade_assurance, e_collection',
        'receipts.csv line 2, order_no "T1": unknown trade order T1',
    ]
    assert counts["freight_orders.csv"] == (1, 0, 0)


def test_control_characters_are_escaped_in_messages() -> None:
    assert str(RowError("f.csv", 2, "name", "\x1b[2J" + "x" * 90, "bad")) == (
        'f.csv line 2, name "\\x1b[2J' + "x" * 75 + '…": bad'
    )
