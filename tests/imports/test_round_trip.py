"""Exports of facts come back: what the admin exports, in either format, is imported again without a change."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from django.db import models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.db.fields import NumberField
from core.facts import row_kinds
from core.spreadsheets import escape_formula, to_csv, to_xlsx
from declarations import store
from declarations.attributes import EVENT, Attribute, EventKind
from declarations.models import DeclaredAttribute
from imports.cell_parsers import FLAGS
from imports.columns import CellError, Column
from imports.declared_columns import with_declared
from imports.export_resource import table
from imports.registry import all_schemas
from imports.schema import FileSchema
from tests.support.importing import SHANGHAI, import_text
from tests.support.world import offer, publish

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once(reason="test_files.py stores files")]

TRICKY = ["'", "''", "=", "＝", "-", "+", "@", "\n", "\r", "\t", "'=", "_x0041_", "\x01", '"', ",", ";", "0", "M", "杭"]
TEXTS = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8),
    st.lists(st.sampled_from(TRICKY), max_size=6).map("".join),
)
WORLD = {
    "merchants": "merchant_code\nM1\nM2\n",
    "accounts": "account_code,merchant_code,role\nA1,M1,main\n",
    "buyers": "buyer_code,country,registered_at\nB1,US,2020-01-01T00:00Z\nB2,US,2020-01-01T00:00Z\n",
    "carton_specs": "carton_no,merchant_code,name,length_cm,width_cm,height_cm,empty_weight_kg,units\n"
    "C1,M1,c,1,1,1,1,1\n",
    "listings": "listing_no,merchant_code,title,category,published_at\n"
    "L1,M1,t,c,2020-01-01T00:00Z\nL2,M1,t,c,2020-01-01T00:00Z\n",
    "trade_orders": "order_no,merchant_code,product,amount_usd,buyer_code\nT1,M1,trade_assurance,1,B1\n",
}
OFFERS = ["one", "other"]
REFERENCES = {
    "merchants_merchant": ["M1", "M2"],
    "merchants_account": ["A1"],
    "buyers_buyer": ["B1", "B2"],
    "catalog_cartonspec": ["C1"],
    "catalog_listing": ["L1", "L2"],
    "trade_tradeorder": ["T1"],
}
KINDS = ("webinar_attended", "store_visited")
DECLARED = [
    Attribute(kind, f"a_{type_}", type_, type_, type_, {"top": ("Top", "高")} if type_ == "choice" else {})
    for kind in row_kinds()
    for type_ in DeclaredAttribute.Type.values
]


def cells(schema: FileSchema, column: Column) -> st.SearchStrategy[str]:
    """Return a strategy of cells that the column accepts."""
    field = schema.field(column)
    if column in schema.references:
        known = REFERENCES[schema.references[column]._meta.db_table]
        # What a row names belongs to the first merchant and the first buyer, and so must the row.
        owned = any(column.name in (rule.column, rule.reference) for rule in schema.agreements)
        named = st.sampled_from(known[:1] if owned and column.name != "listing_no" else known)
        return named if schema.is_required(column) else st.one_of(st.just(""), named)
    if column.name == "kind" and schema.row_kind == EVENT:
        return st.sampled_from(KINDS)
    if isinstance(field, models.BooleanField):
        raw: st.SearchStrategy[str] = st.sampled_from(list(FLAGS))
    elif (schema.name, column.name) == ("claim_requests", "offer"):
        raw = st.sampled_from(OFFERS)
    elif isinstance(field, NumberField):
        raw = st.decimals(0, 101, places=field.decimal_places).map(lambda number: f"{number:f}")
    elif isinstance(field, models.DecimalField):
        raw = st.decimals(0, 9999999999, places=field.decimal_places).map(lambda amount: f"{amount:f}")
    elif isinstance(field, models.DateTimeField):
        seconds = st.integers(86_400, 7_289_000_000)  # until 2200
        raw = seconds.map(lambda second: f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.5Z")
    elif isinstance(field, models.IntegerField):
        raw = st.one_of(st.integers(0, 6), st.integers(0, 2**31 - 1)).map(str)
    elif field.choices:
        raw = st.sampled_from([str(value) for value, _label in field.flatchoices if value])
    elif column.cell_type.__qualname__.startswith(("country", "currency")):
        raw = st.sampled_from(["CN", "NA", "US"] if column.name != "currency" else ["CNY", "USD"])
    else:
        raw = TEXTS
    parse = column.parser(schema.model, SHANGHAI, repeats=False)
    accepted = raw.filter(partial(_accepts, parse))
    return accepted if schema.is_required(column) else st.one_of(st.just(""), accepted)


def _accepts(parse: object, cell: str) -> bool:
    try:
        parse(cell)  # type: ignore[operator]
    except CellError:
        return False
    return True


def rows(schema: FileSchema) -> st.SearchStrategy[list[tuple[str, ...]]]:
    """Return a strategy of rows that keep the rules between columns, without a repeated key."""
    parsers = [column.parser(schema.model, SHANGHAI, repeats=False) for column in schema.columns]

    def values(row: Sequence[str]) -> dict[str, object]:
        return {column.name: parse(cell) for column, parse, cell in zip(schema.columns, parsers, row, strict=True)}

    def keeps_rules(row: Sequence[str]) -> bool:
        by_name = values(row)
        return not any(check.error(*(by_name[name] for name in check.columns)) for check in schema.checks)

    row = st.tuples(*(cells(schema, column) for column in schema.columns)).filter(keeps_rules)
    return st.lists(row, min_size=1, max_size=8, unique_by=lambda row: tuple(values(row)[name] for name in schema.key))


def file_of(schema: FileSchema, lines: Sequence[Sequence[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([[column.name for column in schema.columns], *map(_escaped, lines)])
    return out.getvalue()


def _escaped(row: Sequence[str]) -> Iterator[str]:
    return map(escape_formula, row)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Import the rows that others refer to, publish the offers that requests name, and return the folder of files."""
    for name, content in WORLD.items():
        assert import_text(name, content, tmp_path).errors == []
    publish("".join(map(offer, OFFERS)))
    return tmp_path


@pytest.mark.parametrize("schema", all_schemas(), ids=lambda schema: schema.name)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_an_export_is_imported_again_without_a_change(schema: FileSchema, data: st.DataObject, folder: Path) -> None:
    store.store("c", DECLARED, [EventKind(kind, kind, kind, tuple(one.name for one in DECLARED)) for kind in KINDS])
    schema = with_declared(schema)
    first = import_text(schema.name, file_of(schema, data.draw(rows(schema))), folder)
    assert first.errors == []
    stored = list(schema.model._default_manager.order_by("pk").values())
    for write, suffix in ((to_csv, ".csv"), (to_xlsx, ".xlsx")):
        exported: bytes = write(table(schema, schema.model._default_manager.all()))
        again = import_text(schema.name, exported, folder, suffix=suffix)
        assert (again.errors, again.counts) == ([], (0, 0, len(stored)))
        assert list(schema.model._default_manager.order_by("pk").values()) == stored


def test_an_export_of_a_stored_code_with_a_minus_is_the_same_order_again(tmp_path: Path) -> None:
    merchants = next(schema for schema in all_schemas() if schema.name == "merchants")
    import_text("merchants", "merchant_code,name\n-77,=1+1\n'-78,'=x\n", tmp_path)
    assert set(merchants.model._default_manager.values_list("pk", "name")) == {("-77", "=1+1"), ("-78", "=x")}
    content = to_csv(table(merchants, merchants.model._default_manager.all()))
    assert b"'-77,'=1+1" in content
    assert import_text("merchants", content, tmp_path).counts == (0, 0, 2)


def test_an_export_of_a_receipt_from_two_files_changes_nothing(tmp_path: Path) -> None:
    receipts = next(schema for schema in all_schemas() if schema.name == "receipts")
    for name, content in WORLD.items():
        import_text(name, content, tmp_path)
    header = "receipt_no,order_no,kind,amount_usd,booked_at,cancelled_at\n"
    import_text("receipts", f"{header}R1,T1,first,1,,2022-09-03T00:00:00Z\n", tmp_path)
    import_text("receipts", f"{header}R1,T1,first,1,2022-09-02T00:00:00Z,\n", tmp_path)
    exported: bytes = to_csv(table(receipts, receipts.model._default_manager.all()))
    assert import_text("receipts", exported, tmp_path).counts == (0, 0, 1)
