"""Rows of text and numbers into a CSV or XLSX file, safe to open in a spreadsheet."""

import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TextIO

from defusedcsv import csv
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell


def write(target: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write a table to a file, CSV or XLSX by its name, or CSV to standard output for `-`. Returns the rows written.

    A file is complete or not there: it is written beside its place and then moved.
    """
    if target == "-":
        return _csv(nullcontext(sys.stdout), columns, rows)
    path = Path(target)
    partial = path.with_name(path.name + ".partial")
    try:
        if path.suffix == ".xlsx":
            count = _xlsx(partial, columns, rows)
        else:
            count = _csv(partial.open("w", newline="", encoding="utf-8"), columns, rows)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return count


def _csv(target: AbstractContextManager[TextIO], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    count = 0
    with target as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def _xlsx(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(columns))
    count = 0
    for row in rows:
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=value)
            if isinstance(value, str):
                cell.data_type = "s"  # text stays text: never read as a formula
            cells.append(cell)
        sheet.append(cells)
        count += 1
    book.save(path)
    return count
