"""Conversion of a workbook to CSV in a child process: `python -m imports.xlsx_to_csv IN OUT SECONDS MEGABYTES`.

A workbook may be an attack on its reader. This program is therefore small, imports nothing but the standard library,
limits its own memory and time, and may be killed. It prints the numbers of hidden rows, hidden columns and sheets that
it did not read. For a workbook that it rejects it prints a code (see `imports.file_reader`) and exits with 1.

Rules of the conversion:

- The first visible sheet that has cells is read; other sheets are ignored.
- The first cell of each line is the number of the row in the sheet. Empty rows are left out.
- Numbers are rounded to the 15 digits that a spreadsheet shows, and lose a trailing `.0`, because spreadsheets turn
  codes into numbers. A number with more than 15 digits before the point has lost some of them and is marked. Truth
  values become 1 and 0, rich text becomes plain text.
- Numbers formatted as dates become ISO 8601 without an offset, by the calendar of the workbook, from 1900 or 1904.
- A formula becomes the value that is stored with it. Without one it is marked, as are errors such as #N/A.
- Of merged cells only the top left one is read, also where others hide a value.
- Rejected: sizes beyond those of a file of facts, XML with a DOCTYPE, passwords, and the format of before 2007.

A marked cell holds a NUL, a word, and perhaps what the cell shows. No other cell can hold a NUL.
"""

import csv
import resource
import sys
import zipfile
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.parsers import expat

from imports.xlsx_parts import RejectedError, SharedStrings, check_size, date_styles, first_sheet, parse, unescaped

MAX_COLUMNS = 200
MAX_ROW = 10_000_000
MAX_MERGED = 1_000
OLD_FORMAT = b"\xd0\xcf\x11\xe0"
OUT_OF_MEMORY = expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]


class Sheet:
    """Writes the rows of a sheet to a CSV writer while the sheet is parsed."""

    def __init__(self, out: Any, *, shared: list[str], dates: set[str], since_1904: bool, merged: list[str]) -> None:
        self.out = out
        self.shared, self.dates, self.since_1904 = shared, dates, since_1904
        self.covered = [bounds(area) for area in merged]
        self.merged: list[str] = []
        self.row = self.column = self.width = 0
        self.hidden_columns: set[int] = set()
        self.hidden_rows, self.row_hidden = 0, False
        self.cells: dict[int, str] = {}
        self.cell: dict[str, str] = {}
        self.value: list[str] = []
        self.has_formula = self.in_text = self.in_phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self.row = int(attributes.get("r", self.row + 1))
            self.column, self.cells = 0, {}
            self.row_hidden = attributes.get("hidden") in ("1", "true")
        elif name == "c":
            self.column = column_of(attributes["r"]) if "r" in attributes else self.column + 1
            self.cell, self.value, self.has_formula = attributes, [], False
        elif name == "f":
            self.has_formula = True
        elif name == "rPh":
            self.in_phonetic = True
        elif name == "col" and attributes.get("hidden") in ("1", "true"):
            first, last = int(attributes["min"]), min(int(attributes["max"]), MAX_COLUMNS)
            self.hidden_columns.update(range(first, last + 1))
        elif name == "mergeCell":
            self.merged.append(attributes["ref"])
        self.in_text = name in ("v", "t") and not self.in_phonetic

    def text(self, text: str) -> None:
        if self.in_text:
            self.value.append(text)

    def end(self, name: str) -> None:
        self.in_text = False
        if name == "c":
            self.close_cell()
        elif name == "row":
            self.close_row()
        elif name == "rPh":
            self.in_phonetic = False

    def close_cell(self) -> None:
        content = self.content("".join(self.value))
        if not content or self.is_covered():
            return
        if self.column > MAX_COLUMNS or self.row > MAX_ROW:
            raise RejectedError(f"far {self.cell.get('r', '')}"[:40])
        self.cells[self.column] = content

    def close_row(self) -> None:
        if self.cells:
            self.hidden_rows += self.row_hidden
            self.width = self.width or max(self.cells)
            last = max(self.width, *self.cells)
            self.out.writerow([self.row, *(self.cells.get(column, "") for column in range(1, last + 1))])

    def is_covered(self) -> bool:
        return any(
            left <= self.column <= right and top <= self.row <= bottom and (self.column, self.row) != (left, top)
            for left, top, right, bottom in self.covered
        )

    def content(self, value: str) -> str:
        kind = self.cell.get("t", "n")
        if not value:
            return "\0formula" if self.has_formula and kind != "str" else ""
        if kind == "e":
            return f"\0error {value}"
        if kind == "s":
            return self.shared[int(value)]
        if kind in ("str", "inlineStr"):
            return unescaped(value)
        if kind == "n":
            return self.number(value)
        return value

    def number(self, value: str) -> str:
        number = float(value)
        if self.cell.get("s", "0") in self.dates and 1 <= number < 2_958_466:
            return day(number, since_1904=self.since_1904)
        if abs(number) >= 1e15:
            return f"\0digits {value}"
        # Spreadsheets calculate in binary and show 15 digits: 10.1 + 20.2 is stored as 30.299999999999997.
        number = float(f"{number:.15g}")
        return str(int(number)) if number == int(number) else f"{Decimal(repr(number)):f}"


def day(serial: float, *, since_1904: bool) -> str:
    """Return the instant of a serial number of a day, to the millisecond that spreadsheets store."""
    # The calendar from 1900 contains 29 February 1900, which did not exist: days before it count from a day later.
    first = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30 if serial >= 60 else 31)  # noqa: DTZ001
    return (first + timedelta(milliseconds=round(serial * 86_400_000))).isoformat()


def column_of(reference: str) -> int:
    number = 0
    for letter in reference.rstrip("0123456789"):
        number = number * 26 + ord(letter) - 64
    return number


def bounds(area: str) -> tuple[int, int, int, int]:
    first, _colon, last = area.partition(":")
    ends = [(column_of(end), int(end.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))) for end in (first, last or first)]
    return (*ends[0], *ends[1])


def convert(source: Path, target: Path, *, megabytes: int) -> tuple[int, int, int]:
    """Write the first visible sheet of `source` to `target`.

    Return the numbers of hidden rows and hidden columns that have cells, and of other sheets.
    Raises RejectedError, or any exception for a broken workbook.
    """
    with source.open("rb") as stream:
        if stream.read(4) == OLD_FORMAT:
            raise RejectedError("old")
    with zipfile.ZipFile(source) as archive:
        check_size(archive, megabytes)
        part, since_1904, other_sheets = first_sheet(archive)
        dates, shared = date_styles(archive), SharedStrings(archive).texts
        merged: list[str] = []
        for _attempt in range(2):  # the list of merged cells stands behind all cells: read twice where there is one
            with target.open("w", encoding="utf-8", newline="") as out, archive.open(part) as stream:
                sheet = Sheet(csv.writer(out), shared=shared, dates=dates, since_1904=since_1904, merged=merged)
                parse(stream, start=sheet.start, end=sheet.end, text=sheet.text)
            merged = sheet.merged
            if len(merged) > MAX_MERGED:
                raise RejectedError("merged")
            if not merged:
                break
        return sheet.hidden_rows, len([c for c in sheet.hidden_columns if c <= sheet.width]), other_sheets


def limit_resources(*, seconds: int, megabytes: int) -> None:
    for kind, most in ((resource.RLIMIT_AS, megabytes << 20), (resource.RLIMIT_CPU, seconds)):
        resource.setrlimit(kind, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes << 22, megabytes << 22))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(arguments: list[str]) -> int:
    source, target, seconds, megabytes = Path(arguments[0]), Path(arguments[1]), int(arguments[2]), int(arguments[3])
    limit_resources(seconds=seconds, megabytes=megabytes)
    try:
        sys.stdout.write("{} {} {}".format(*convert(source, target, megabytes=megabytes)))
    except RejectedError as error:
        sys.stdout.write(str(error))
        return 1
    except Exception as error:  # any other exception means that it is no workbook
        out_of_memory = isinstance(error, MemoryError) or getattr(error, "code", 0) == OUT_OF_MEMORY
        sys.stdout.write("memory" if out_of_memory else "broken")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
