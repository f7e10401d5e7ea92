"""Facts as tables again, under the same column names, safe to open in a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from imports.schema import FactFile

FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # characters that XML 1.0 has no way to hold
CHUNK = 5_000
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""What each kind of file is called when it is sent."""


def table(file: FactFile, facts: "QuerySet[Any]") -> Iterator[Sequence[object]]:
    """The header, and a row a fact: numbers as numbers, everything else as text that no program takes for a formula."""
    yield [column.name for column in file.columns]
    for values in facts.values_list(*(column.attname for column in file.columns)).iterator(CHUNK):
        yield [cell(value) for value in values]


def cell(value: object) -> str | int | Decimal:
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, int | Decimal):
        return value
    return defused(str(value))


def defused(text: str) -> str:
    """Text that would begin a formula gets a `'` before it, as a spreadsheet itself would show it."""
    return f"'{text}" if text.startswith(FORMULA_MARKS) else text


def as_csv(rows: Iterable[Sequence[object]]) -> bytes:
    """UTF-8 with the mark by which spreadsheet programs know it; lines end as RFC 4180 has them."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def as_workbook(rows: Iterable[Sequence[object]]) -> bytes:
    """One sheet, its text cells typed as text."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append([_typed(sheet, value) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _typed(sheet: Any, value: object) -> object:
    if not isinstance(value, str):
        return value
    typed = WriteOnlyCell(sheet, value=UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", value))
    typed.data_type = "s"
    return typed
