"""The page on files has exactly the files, columns, types and keys of the registered schemas, and those of exports."""

import re
from pathlib import Path

import pytest

from campaigns.reporting import exports, rating_exports
from imports.columns import Column
from imports.registry import all_schemas
from imports.schema import FileSchema

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "files.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^#|\Z)", PAGE, re.M | re.S))
TYPES = {"key": "code", "whole_number": "whole number", "money": "amount", "declared_kind": "declared kind"}


def table(text: str) -> list[list[str]]:
    """Return the cells of the rows of the first Markdown table in `text`, without its header."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def described(schema: FileSchema, column: Column) -> list[str]:
    """Return name, type and requirement of a column in the words of the page."""
    name = column.cell_type.__qualname__.partition(".")[0]  # name of the function that made the type
    type_ = TYPES.get(name, name)
    if type_ == "choice":
        type_ += ": " + " ".join(f"`{value}`" for value, _label in schema.field(column).flatchoices if value)
    return [column.name, type_, "key" if column.name in schema.key else "yes" if column.required else ""]


def test_the_page_has_every_file() -> None:
    assert set(SECTIONS) == {schema.name for schema in all_schemas()}


@pytest.mark.parametrize("schema", all_schemas(), ids=lambda schema: schema.name)
def test_the_page_has_every_column_with_its_type(schema: FileSchema) -> None:
    rows = table(SECTIONS[schema.name])
    assert [row[:3] for row in rows] == [described(schema, column) for column in schema.columns]
    assert all(row[3] for row in rows)


EXPORTS = {
    "export_grants": exports.GRANT_COLUMNS,
    "export_coupons": exports.COUPON_COLUMNS,
    "export_ratings": rating_exports.COLUMNS,
    "export_allowances": exports.ALLOWANCE_COLUMNS,
    "export_usages": exports.USAGE_COLUMNS,
    "export_entitlements": exports.ENTITLEMENT_COLUMNS,
}


@pytest.mark.parametrize(("command", "columns"), EXPORTS.items())
def test_the_page_has_the_columns_of_each_export(command: str, columns: list[str]) -> None:
    assert [
        row[0] for row in table(PAGE.split(f"\n`{command}` writes")[1].split("\n\n`")[0].split("\n\nEvery")[0])
    ] == columns
