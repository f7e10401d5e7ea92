"""Reader of files of facts: separated text, or the first visible sheet of an XLSX workbook."""

import csv
import hashlib
import subprocess  # nosec B404
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from django.utils.translation import gettext as _

from core.spreadsheets import unescape_formula
from imports.columns import CellError
from imports.row_parser import Line, MalformedLine
from imports.text_format import DELIMITERS, HEADER_WITHIN, Layout, find_layout, scan

WORKBOOK = ".xlsx"
LONGEST_LINE = 1_000_000
"""Characters of one line of a text file. A file may be a hundred megabytes without a line break."""
MOST_CELLS = 1_000
"""Cells of one line that are kept; each takes many times the memory of the comma that made it."""


@dataclass(frozen=True)
class ConversionLimit:
    """Limit of time and memory for the conversion of one workbook."""

    seconds: int
    megabytes: int


UPLOAD_LIMIT = ConversionLimit(seconds=4, megabytes=256)  # a person waits: rejected within 5 seconds
BACKGROUND_LIMIT = ConversionLimit(seconds=300, megabytes=1024)  # a worker, which has other work too
COMMAND_LIMIT = ConversionLimit(seconds=900, megabytes=2048)


@dataclass(frozen=True)
class ReadOptions:
    """Properties of a file that its reader cannot guess, or guesses better with help.

    `required` are the names that a header must have, `known` all that it may have. An empty `encoding` or `delimiter`
    is found by the reader.
    """

    required: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    encoding: str = ""
    delimiter: str = ""


@dataclass(frozen=True)
class OpenedFile:
    """An opened file: the SHA-256 of its bytes, its header and an iterator of the lines below.

    `header_line` is the number of the header's line, `encoding` that of a text file. `notes` tell people how the file
    was read, where that is not usual.
    """

    digest: str
    header: Sequence[str]
    lines: Iterator[Line]
    header_line: int = 1
    encoding: str = ""
    notes: Sequence[str] = ()


@contextmanager
def open_file(path: Path, *, limit: ConversionLimit, options: ReadOptions | None = None) -> Iterator[OpenedFile]:
    """Open a file for the block. Raises CellError where it cannot be read at all."""
    options = options or ReadOptions()
    if path.suffix.lower() != WORKBOOK:
        digest, encoding = scan(path, options.encoding)
        # UTF-8 with a mark: without it a `sep=` line or a title would begin with an invisible character.
        with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as stream:
            layout = find_layout(stream, known=options.known, delimiter=options.delimiter)
            lines = _csv_lines(stream, layout.delimiter)
            lines = (line for line in lines if line[0] > layout.skipped)
            file = _with_header(digest, lines, options)
            yield replace(file, encoding=encoding, notes=[*_text_notes(encoding, layout), *file.notes])
        return
    with tempfile.TemporaryDirectory(prefix="import-") as folder:
        converted = Path(folder) / "sheet.csv"
        notes = _workbook_notes(_convert(path, converted, limit=limit))
        with path.open("rb") as workbook, converted.open(encoding="utf-8", newline="") as stream:
            digest = hashlib.file_digest(workbook, "sha256").hexdigest()
            file = _with_header(digest, _sheet_lines(_csv_lines(stream, ",")), options)
            yield replace(file, notes=[*notes, *file.notes])


def _text_notes(encoding: str, layout: Layout) -> Iterator[str]:
    if encoding != "utf-8":
        yield _("read as %s") % encoding.upper()
    if layout.delimiter != ",":
        yield _("cells are separated by: %s") % DELIMITERS[layout.delimiter]


def _workbook_notes(hidden: tuple[int, int, int]) -> Iterator[str]:
    rows, columns, sheets = hidden
    if rows or columns:
        counts = {"rows": rows, "columns": columns}
        yield _("hidden rows: %(rows)d, hidden columns: %(columns)d; they are read like the others") % counts
    if sheets:
        yield _("sheets that are not read: %d") % sheets


def _with_header(digest: str, lines: Iterator[Line], options: ReadOptions) -> OpenedFile:
    """Return the file with its header: the first line that has all required names, else the first line."""
    first = list(islice(lines, HEADER_WITHIN))
    if not first:
        raise CellError(_("is empty: not even a header"))
    names = [_names(cells) for _number, cells in first]
    complete = [index for index, found in enumerate(names) if options.required <= set(found)]
    index = complete[0] if complete and options.required else 0
    number, header = first[index]
    if isinstance(header, MalformedLine):
        raise CellError(header.reason)
    below = _without_empty_columns(chain(first[index + 1 :], lines), len(names[index]), len(header))
    notes = [_("the header is line %d; the lines above it are not read") % number] if index else []
    return OpenedFile(digest, names[index], below, header_line=number, notes=notes)


def _names(header: Sequence[str]) -> list[str]:
    names = [name.removeprefix("\ufeff").strip() for name in header]
    while names and not names[-1]:  # spreadsheet programs leave empty columns behind the last one
        names.pop()
    return names


def _without_empty_columns(lines: Iterator[Line], width: int, full_width: int) -> Iterator[Line]:
    if width == full_width:
        return lines
    return ((number, cells[:width] if cells and not any(cells[width:]) else cells) for number, cells in lines)


def _short_lines(stream: TextIO) -> Iterator[str]:
    """Yield the physical lines. Raises csv.Error at one that is too long; nothing below it is read."""
    while line := stream.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise csv.Error(_("a line has more than %d characters") % LONGEST_LINE)
        yield line


def _csv_lines(stream: TextIO, delimiter: str) -> Iterator[Line]:
    """Yield each line that is not empty, with the number of the physical line where it starts."""
    reader = csv.reader(_short_lines(stream), strict=True, delimiter=delimiter)
    while True:
        start = reader.line_num + 1
        try:
            for cells in reader:
                if any(cells) and len(cells) > MOST_CELLS:
                    yield start, MalformedLine(_("has %d columns") % len(cells))
                elif any(cells):
                    # Exports put a `'` before text that a spreadsheet would run as a formula.
                    yield start, [unescape_formula(c) for c in cells] if "'" in ",".join(cells) else cells
                start = reader.line_num + 1
            return
        except csv.Error as error:
            yield start, MalformedLine(_("is not CSV: %s") % error)


def _sheet_lines(lines: Iterator[Line]) -> Iterator[Line]:
    """Take the row numbers of the sheet from the first cells, where the conversion writes them."""
    return ((int(cells[0]), cells[1:]) for _number, cells in lines)


def _convert(path: Path, target: Path, *, limit: ConversionLimit) -> tuple[int, int, int]:
    """Convert a workbook to CSV in a child process with limited memory and time: a workbook may be an attack.

    Return the numbers of hidden rows, of hidden columns and of sheets that were not converted.
    """
    command = [sys.executable, "-m", "imports.xlsx_to_csv", str(path.resolve()), str(target)]
    command += [str(limit.seconds), str(limit.megabytes)]
    root = Path(__file__).resolve().parents[1]
    try:
        child = subprocess.run(  # noqa: S603  # our own module, by the running interpreter  # nosec B603
            command, cwd=root, capture_output=True, timeout=limit.seconds, check=False, text=True, errors="replace"
        )
    except subprocess.TimeoutExpired as error:
        raise CellError(_reason("time")) from error
    if child.returncode != 0:
        code = child.stdout.strip()
        raise CellError(_reason(code or ("time" if child.returncode < 0 else "broken")))
    rows, columns, sheets = map(int, child.stdout.split())
    return rows, columns, sheets


def _reason(output: str) -> str:
    """Return the reason for a code that the child printed; a cell may follow the code."""
    code, _blank, detail = output.partition(" ")
    reasons = {
        "time": _("takes too long to read: save it as CSV"),
        "memory": _("needs too much memory to read: save it as CSV"),
        "size": _("unpacks to far more than a fact file can hold: save it as CSV"),
        "old": _("is an encrypted workbook, or one of an old format: save it as .xlsx without a password"),
        "entity": _("declares XML entities, which no spreadsheet program writes"),
        "far": _("has something in cell %s, far outside of any fact file") % detail,
        "merged": _("has too many merged cells: save it as CSV"),
        "sheet": _("has no visible sheet"),
    }
    return reasons.get(code, _("is not a workbook that can be read: save it as .xlsx or CSV"))
