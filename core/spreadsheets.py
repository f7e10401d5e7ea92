"""Tables as CSV files and XLSX workbooks that are safe to open in a spreadsheet program."""

import csv
import io
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, TextIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""Content types for HTTP, by the file's extension."""
# Spreadsheets for Chinese and Japanese take full-width marks as well, and skip blanks before a mark.
FORMULA = re.compile(r"'*(?:[\t\r\n]|[\s\ufeff\u200b]*[=+\-@＝＋－＠﹦﹢﹣﹫])")
# An escape of XLSX, or a character that XML 1.0 cannot hold or would change: it becomes such an escape.
ESCAPED_IN_XLSX = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")

Row = Sequence[object]


def to_cell(value: object) -> str | int | float | Decimal:
    """Return a value as a cell: numbers stay numbers, instants become ISO 8601 in UTC, None becomes empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, int | float | Decimal):
        return value
    return escape_formula(str(value))


def escape_formula(text: str) -> str:
    """Put a `'` before text that a spreadsheet program would run as a formula, or that looks escaped already."""
    return f"'{text}" if FORMULA.match(text) else text


def unescape_formula(text: str) -> str:
    """Undo `escape_formula`; any other text is returned unchanged."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def to_csv(rows: Iterable[Row]) -> bytes:
    """Return rows as CSV: lines end as in RFC 4180; UTF-8 with a byte order mark, by which Excel recognises it."""
    out = io.StringIO(newline="")
    _write_csv(out, rows, line_end="\r\n")
    return out.getvalue().encode("utf-8-sig")


def to_xlsx(rows: Iterable[Row]) -> bytes:
    """Return rows as a workbook of one sheet."""
    out = io.BytesIO()
    _write_xlsx(out, rows)
    return out.getvalue()


def write_to(file: IO[bytes], rows: Iterable[Row], *, form: str) -> None:
    """Write a table to a binary file, in a form of `CONTENT_TYPES`. Rows may be many: none is kept."""
    if form == "xlsx":
        _write_xlsx(file, rows)
        return
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    _write_csv(text, rows, line_end="\r\n")
    text.detach()  # leaves the file open


def write(target: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Write a table to the file `target`, as CSV or XLSX by its extension, or as CSV to standard output for `-`.

    Return the number of rows. The file is written beside its place and then moved: it is complete or absent.
    """
    table = _with_header(columns, rows)
    if target == "-":
        return _write_text(nullcontext(sys.stdout), table)
    path = Path(target)
    partial = path.with_name(path.name + ".partial")
    try:
        if path.suffix == ".xlsx":
            with partial.open("wb") as file:
                lines = _write_xlsx(file, table)
        else:
            lines = _write_text(partial.open("w", newline="", encoding="utf-8"), table)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return lines


def _with_header(columns: Sequence[str], rows: Iterable[Row]) -> Iterable[Row]:
    yield columns
    yield from rows


def _write_text(target: AbstractContextManager[TextIO], rows: Iterable[Row]) -> int:
    with target as file:
        return _write_csv(file, rows, line_end="\n")


def _write_csv(file: TextIO, rows: Iterable[Row], *, line_end: str) -> int:
    writer = csv.writer(file, lineterminator=line_end)
    lines = 0
    for row in rows:
        writer.writerow([to_cell(value) for value in row])
        lines += 1
    return max(lines - 1, 0)


def _write_xlsx(file: IO[bytes], rows: Iterable[Row]) -> int:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    lines = 0
    try:
        for row in rows:
            sheet.append([_typed(sheet, to_cell(value)) for value in row])
            lines += 1
    finally:
        sheet.close()  # also where a row failed: openpyxl streams rows to a temporary file
    book.save(file)
    return max(lines - 1, 0)


def _typed(sheet: object, value: object) -> object:
    if not isinstance(value, str):
        return value
    typed = WriteOnlyCell(sheet, value=ESCAPED_IN_XLSX.sub(lambda match: f"_x{ord(match[0]):04X}_", value))
    typed.data_type = "s"  # else openpyxl writes text that begins with `=` as a formula
    return typed
