"""Column mappings: files of other systems come in as they are, and errors of a mapping are clear."""

import shutil
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from imports.column_mapping import ColumnMapping
from imports.mapping_loader import load_mapping
from imports.mapping_text import MappingError
from imports.models import StoredMapping
from logistics.models import FreightOrder
from tests.support.importing import SCHEMAS, Imported, import_path, import_text, merchants
from trade.models import Receipt, TradeOrder

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.once(reason="what becomes of a row before it is stored; test_files.py stores rows"),
]
SAMPLES = Path(__file__).parent / "samples"


def mapping(name: str) -> ColumnMapping:
    return load_mapping((SAMPLES / f"{name}.yaml").read_text(encoding="utf-8"))


def imported(name: str) -> Imported:
    mapped = mapping(name)
    return import_path(mapped.schema.name, SAMPLES / f"{name}.csv", mapping=mapped)


def test_a_shopify_export_comes_in_by_mapping_alone(tmp_path: Path) -> None:
    merchants(tmp_path)
    first = imported("shopify_orders")
    assert (first.errors, first.counts) == ([], (2, 0, 0))
    order = TradeOrder.objects.get(pk="#1002")
    assert (order.merchant_id, order.product, order.destination) == ("M1", "e_collection", "GB")
    assert (order.amount_usd, order.shipped_at) == (Decimal("1250.50"), None)
    assert order.cancelled_at == datetime(2022, 9, 8, 12, tzinfo=UTC)
    assert TradeOrder.objects.get(pk="#1001").shipped_at == datetime(2022, 9, 6, 13, tzinfo=UTC)
    assert first.result.notes[-1] == "rows that the mapping leaves out: 1"
    assert "columns that the mapping does not use: Email, Financial Status" in first.result.notes[0]
    assert imported("shopify_orders").counts == (0, 0, 2)


def test_an_amazon_report_comes_in_by_mapping_alone(tmp_path: Path) -> None:
    merchants(tmp_path)
    order = "order_no,merchant_code,product,amount_usd\n111-5551234-0000001,M1,trade_assurance,1339.50\n"
    import_text("trade_orders", order, tmp_path)
    first = imported("amazon_settlement")
    assert (first.errors, first.counts) == ([], (2, 0, 0))
    assert "the header is line 8; the lines above it are not read" in first.result.notes
    receipt = Receipt.objects.get(pk="111-5551234-0000001/LMP-1")
    assert (receipt.amount_usd, receipt.booked_at) == (Decimal("1299.00"), datetime(2022, 9, 5, 14, tzinfo=UTC))


def test_a_freight_list_of_an_erp_comes_in_by_mapping_alone(tmp_path: Path) -> None:
    merchants(tmp_path)
    first = imported("erp_freight")
    assert (first.errors, first.counts) == ([], (3, 0, 0))
    assert first.result.notes[:3] == [
        "read as CP1252",
        "cells are separated by: semicolon",
        "the header is line 4; the lines above it are not read",
    ]
    rows = FreightOrder.objects.order_by("pk").values_list("service", "base_freight", "placed_at", "paid_at")
    assert list(rows) == [
        ("express", Decimal("1234.50"), datetime(2022, 9, 5, 13, tzinfo=UTC), datetime(2022, 9, 5, 22, tzinfo=UTC)),
        ("sea_fcl", Decimal("12000.00"), datetime(2022, 9, 30, 5, 30, tzinfo=UTC), None),
        ("express", Decimal("85.50"), datetime(2022, 9, 30, 22, 15, tzinfo=UTC), None),
    ]


def test_the_command_takes_mappings_from_files_and_stored_ones_by_name(tmp_path: Path) -> None:
    merchants(tmp_path)
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("shopify_orders", "erp_freight"):
        shutil.copy(SAMPLES / f"{name}.csv", folder)
    (folder / "merchants.csv").write_text("merchant_code\nM1\nM2\n")
    StoredMapping.objects.create(
        name="our ERP", kind="freight_orders", text=(SAMPLES / "erp_freight.yaml").read_text(encoding="utf-8")
    )
    out = StringIO()
    options = ["--mapping", str(SAMPLES / "shopify_orders.yaml"), "--mapping", "our ERP"]
    call_command("import_facts", str(folder), *options, stdout=out, no_color=True)
    assert (TradeOrder.objects.count(), FreightOrder.objects.count()) == (2, 3)
    assert "erp_freight.csv: cells are separated by: semicolon\n" in out.getvalue()
    FreightOrder.objects.all().delete()
    call_command("import_facts", str(folder / "erp_freight.csv"), "--mapping", "our ERP", stdout=StringIO())
    assert FreightOrder.objects.count() == 3
    with pytest.raises(CommandError, match="none is neither a file nor a stored mapping"):
        call_command("import_facts", str(folder), "--mapping", "none")


def mapped_text(content: str, tmp_path: Path, **changes: str) -> Imported:
    fields = {"facts": "freight_orders", "dates": '"%d/%m/%Y"', "decimal": '","', "thousands": '"."', **changes}
    sources = {"order_no": "No", "merchant_code": "{value: M1}", "service": "{value: express}"}
    sources |= {"line": "{value: eu}", "currency": "{value: CNY}", "base_freight": "Sum", "placed_at": "Day"}
    text = "".join(f"{name}: {value}\n" for name, value in fields.items()) + "columns:\n"
    text += "".join(f"  {name}: {value}\n" for name, value in sources.items())
    path = tmp_path / "other.csv"
    path.write_text(content)
    return import_path("freight_orders", path, mapping=load_mapping(text))


def test_cells_that_do_not_have_the_form_of_the_mapping_are_errors(tmp_path: Path) -> None:
    merchants(tmp_path)
    lines = "No;Sum;Day\nF1;1.23,45;05/09/2022\nF2;1,5;2022/09/05\nF3;1,5;31/12/9999\nF4;1,5\n"
    number = "is no number with , before decimals and . between thousands"
    assert mapped_text(lines, tmp_path).errors == [
        (2, "base_freight", "1.23,45", number),
        (3, "placed_at", "2022/09/05", "does not have the date format %d/%m/%Y"),
        (4, "placed_at", "31/12/9999", "stands for “no date” in other programs: leave the cell empty"),
        (5, "", "", "has 2 cells where the header has 3"),
    ]
    assert not FreightOrder.objects.exists()


def test_a_column_that_the_mapping_needs_and_the_file_lacks_is_named_with_a_similar_one(tmp_path: Path) -> None:
    merchants(tmp_path)
    assert mapped_text("No;Summ;Day\nF1;1;05/09/2022\n", tmp_path).errors == [
        (1, "Sum", "Sum", "the mapping needs this column, which is missing; is it “Summ”?")
    ]


PROBLEMS = {
    "": ["the mapping is empty"],
    "facts: freight_order\ncolumns: {}\n": [
        f"line 1: “facts” must be the kind of facts: {', '.join(SCHEMAS)}; is it “freight_orders”?"
    ],
    "facts: reference_lists\nzone: Mars\ncolums: {}\ncolumns:\n  list_code: A\n  vlaue: B\n": [
        "line 3: unknown word “colums”; is it “columns”?",
        "line 6: unknown word “vlaue”; is it “value”?",
        "line 5: the required column “value” has no source: name a column, or a value",
        "line 2: Mars is not a time zone",
    ],
    "facts: reference_lists\ndates: DD.MM.YYYY\ndecimal: x\nencoding: klingon\ndelimiter: dot\n"
    "columns:\n  list_code: {value: a, column: b}\n  value: {values: [1]}\n": [
        "line 2: “DD.MM.YYYY” is no date format: write it as %d.%m.%Y %H:%M, or iso",
        "line 7: list_code: either “column” or “value” is needed",
        "line 8: value: either “column” or “value” is needed",
        "line 8: value: entries such as “name: value” are needed here",
        "line 3: “decimal” must be . or ,",
        "line 4: klingon is no encoding that can be read, such as utf-8, gb18030, utf-16, big5, shift_jis, euc-jp, "
        "euc-kr, cp1250, cp1251, cp1252, cp1253, cp1254, iso-8859-1, iso-8859-2, iso-8859-15, mac-roman",
        "line 5: “delimiter” must be one of comma, semicolon, tab, bar",
    ],
    "facts: &a reference_lists\ncolumns: {value: *a}\n": ["line 2: aliases (*) are not allowed"],
    "facts: [[[[[[[[[": ["line 1: not YAML: expected the node content, but found '<stream end>'"],
    f"facts: {'[' * 9}{']' * 9}\n": ["line 1: nested too deeply"],
    "x" * 70_000: ["the mapping is longer than 64000 characters"],
}


@pytest.mark.parametrize("text", PROBLEMS, ids=lambda text: text[:20])
def test_every_problem_of_a_mapping_is_reported_with_its_line(text: str) -> None:
    with pytest.raises(MappingError) as caught:
        load_mapping(text)
    assert caught.value.problems == PROBLEMS[text]
