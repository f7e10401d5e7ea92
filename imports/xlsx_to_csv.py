"""A workbook into CSV, in a process of its own: `python -m imports.xlsx_to_csv IN OUT SECONDS MEGABYTES`.

A workbook may be made to harm its reader, so this one is small, imports nothing of ours or of Django, has a limit of
memory and time, and may die. What it refuses, it names in a word on standard output (see `reading`), and exits with 1.

What is done with what a workbook can hold:

- The first sheet that is visible and a sheet of cells is read; the others are not.
- The first cell of each line written is the row's number in the sheet. Rows without anything are left out.
- Numbers come without a trailing `.0`, so that codes which a spreadsheet made numbers are text again; one of more than
  15 digits has lost some and is marked. Truth values are 1 and 0. Rich text is its text.
- Numbers shown as dates are ISO 8601 without an offset, by the workbook's own calendar, of 1900 or of 1904.
- A formula counts as the value stored with it; one without, and an error such as #N/A, is marked.
- Of merged cells the top left one counts, also where others hide a value.
- Refused are: more than what a fact file can hold, XML with a DOCTYPE, passwords, and the format of before 2007.

A marked cell holds a NUL and a word: nothing else that comes from a workbook or from CSV can.
"""

import csv
import re
import resource
import sys
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat

MOST_COLUMNS = 200
MOST_MERGED = 1_000
CHUNK = 1 << 16
OLD_FORMAT = b"\xd0\xcf\x11\xe0"
BUILT_IN_DATES = {*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)}
NOT_PATTERN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
WORKSHEET = "/worksheet"
OUT_OF_MEMORY = expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]


class Refused(Exception):  # noqa: N818
    """Says in one word, and perhaps one more, why."""


Start = Callable[[str, dict[str, str]], None]


def local(name: str) -> str:
    return name.rpartition("}")[2].rpartition(":")[2]


def parse(stream: IO[bytes], *, start: Start, end: Callable[[str], None], text: Callable[[str], None]) -> None:
    """Stream XML through three callbacks that get names without namespaces."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = lambda name, attributes: start(local(name), attributes)
    parser.EndElementHandler = lambda name: end(local(name))
    parser.CharacterDataHandler = text
    while chunk := stream.read(CHUNK):
        parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _no_doctype(*_arguments: object) -> None:
    raise Refused("entity")


def elements(archive: zipfile.ZipFile, part: str) -> list[tuple[str, dict[str, str]]]:
    """Every element of a small part, with its attributes."""
    found: list[tuple[str, dict[str, str]]] = []
    with archive.open(part) as stream:
        parse(stream, start=lambda name, at: found.append((name, at)), end=lambda _n: None, text=lambda _t: None)
    return found


def check_size(archive: zipfile.ZipFile, megabytes: int) -> None:
    """By the directory alone: `zipfile` never unpacks more of a part than that says."""
    parts = archive.infolist()
    if any(part.flag_bits & 1 for part in parts):
        raise Refused("old")
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    if unpacked > megabytes * 1_000_000 or (unpacked > 10_000_000 and unpacked > 100 * packed):
        raise Refused("size")


def first_sheet(archive: zipfile.ZipFile) -> tuple[str, bool]:
    """The part with the first visible sheet of cells, and whether its days count from 1904."""
    targets = {
        at["Id"]: at["Target"]
        for name, at in elements(archive, "xl/_rels/workbook.xml.rels")
        if name == "Relationship" and at.get("Type", "").endswith(WORKSHEET)
    }
    since_1904, part = False, ""
    for name, at in elements(archive, "xl/workbook.xml"):
        if name == "workbookPr":
            since_1904 = at.get("date1904") in ("1", "true")
        if name == "sheet" and not part and at.get("state", "visible") == "visible":
            relation = next((value for key, value in at.items() if local(key) == "id"), "")
            part = targets.get(relation, "")
    if not part:
        raise Refused("sheet")
    return (part[1:] if part.startswith("/") else f"xl/{part}"), since_1904


def date_styles(archive: zipfile.ZipFile) -> set[str]:
    """The numbers of the styles that show a number as a date."""
    if "xl/styles.xml" not in archive.namelist():
        return set()
    custom: dict[str, str] = {}
    styles: list[str] = []
    inside = False
    for name, at in elements(archive, "xl/styles.xml"):
        if name == "numFmt":
            custom[at.get("numFmtId", "")] = at.get("formatCode", "")
        inside = name == "cellXfs" or (inside and name not in ("cellStyles", "dxfs", "cellStyleXfs"))
        if inside and name == "xf":
            styles.append(at.get("numFmtId", "0"))
    return {str(index) for index, number in enumerate(styles) if shows_date(number, custom.get(number))}


def shows_date(number: str, code: str | None) -> bool:
    if code is None:
        return number.isdigit() and int(number) in BUILT_IN_DATES
    return bool(re.search("[dmyhs]", NOT_PATTERN.sub("", code.partition(";")[0]), re.IGNORECASE))


class SharedStrings:
    """The texts that cells refer to by number."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.texts: list[str] = []
        self.pieces: list[str] = []
        self.listening = self.phonetic = False
        if "xl/sharedStrings.xml" in archive.namelist():
            with archive.open("xl/sharedStrings.xml") as stream:
                parse(stream, start=self.start, end=self.end, text=self.text)

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        self.phonetic = self.phonetic or name == "rPh"
        self.listening = name == "t" and not self.phonetic

    def end(self, name: str) -> None:
        self.listening = False
        if name == "rPh":
            self.phonetic = False
        elif name == "si":
            self.texts.append(unescaped("".join(self.pieces)))
            self.pieces.clear()

    def text(self, text: str) -> None:
        if self.listening:
            self.pieces.append(text)


def unescaped(text: str) -> str:
    """What spreadsheets write as `_x000D_`, since XML cannot hold it; a NUL stays as it is written."""
    if "_x" not in text:
        return text
    return re.sub(r"_x(?!0000)([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text)


class Sheet:
    """Writes a sheet's rows as it is parsed."""

    def __init__(self, out: Any, *, shared: list[str], dates: set[str], since_1904: bool, merged: list[str]) -> None:
        self.out = out
        self.shared, self.dates, self.since_1904 = shared, dates, since_1904
        self.covered = [bounds(area) for area in merged]
        self.merged: list[str] = []
        self.row = self.column = self.width = 0
        self.cells: dict[int, str] = {}
        self.cell: dict[str, str] = {}
        self.value: list[str] = []
        self.formula = self.listening = self.phonetic = False

    def start(self, name: str, at: dict[str, str]) -> None:
        if name == "row":
            self.row = int(at.get("r", self.row + 1))
            self.column, self.cells = 0, {}
        elif name == "c":
            self.column = column_of(at["r"]) if "r" in at else self.column + 1
            self.cell, self.value, self.formula = at, [], False
        elif name == "f":
            self.formula = True
        elif name == "rPh":
            self.phonetic = True
        elif name == "mergeCell":
            self.merged.append(at["ref"])
        self.listening = name in ("v", "t") and not self.phonetic

    def text(self, text: str) -> None:
        if self.listening:
            self.value.append(text)

    def end(self, name: str) -> None:
        self.listening = False
        if name == "c":
            self.close_cell()
        elif name == "row":
            self.close_row()
        elif name == "rPh":
            self.phonetic = False

    def close_cell(self) -> None:
        content = self.content("".join(self.value))
        if not content or self.is_covered():
            return
        if self.column > MOST_COLUMNS or self.row > 10_000_000:
            raise Refused(f"far {self.cell.get('r', '')}"[:40])
        self.cells[self.column] = content

    def close_row(self) -> None:
        if self.cells:
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
            return "\0formula" if self.formula and kind != "str" else ""
        if kind == "e":
            return "\0error"
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
            return "\0digits"
        return str(int(number)) if number == int(number) else repr(number)


def day(serial: float, *, since_1904: bool) -> str:
    """The instant that a serial number shows, to the millisecond that spreadsheets keep."""
    # The calendar of 1900 has a 29 February 1900, so that days before it count from one day later.
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


def convert(source: Path, target: Path, *, megabytes: int) -> None:
    """Write the first visible sheet of `source` to `target`. Raises `Refused`, or anything for a broken workbook."""
    with source.open("rb") as stream:
        if stream.read(4) == OLD_FORMAT:
            raise Refused("old")
    with zipfile.ZipFile(source) as archive:
        check_size(archive, megabytes)
        part, since_1904 = first_sheet(archive)
        dates, shared = date_styles(archive), SharedStrings(archive).texts
        merged: list[str] = []
        for _attempt in range(2):  # merged cells are listed behind all others
            with target.open("w", encoding="utf-8", newline="") as out, archive.open(part) as stream:
                sheet = Sheet(csv.writer(out), shared=shared, dates=dates, since_1904=since_1904, merged=merged)
                parse(stream, start=sheet.start, end=sheet.end, text=sheet.text)
            merged = sheet.merged
            if len(merged) > MOST_MERGED:
                raise Refused("merged")
            if not merged:
                return


def limit(*, seconds: int, megabytes: int) -> None:
    for kind, most in ((resource.RLIMIT_AS, megabytes << 20), (resource.RLIMIT_CPU, seconds)):
        resource.setrlimit(kind, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes << 22, megabytes << 22))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(arguments: list[str]) -> int:
    source, target, seconds, megabytes = Path(arguments[0]), Path(arguments[1]), int(arguments[2]), int(arguments[3])
    limit(seconds=seconds, megabytes=megabytes)
    try:
        convert(source, target, megabytes=megabytes)
    except Refused as refused:
        sys.stdout.write(str(refused))
        return 1
    except Exception as error:  # whatever else is wrong with it, it is not a workbook that can be read
        starved = isinstance(error, MemoryError) or getattr(error, "code", 0) == OUT_OF_MEMORY
        sys.stdout.write("memory" if starved else "broken")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
