"""Reader of files of facts: CSV in UTF-8 or GB18030, or the first visible sheet of an XLSX workbook."""

import codecs
import csv
import hashlib
import subprocess  # nosec B404
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from core.spreadsheets import unescape_formula
from imports.cell_parsers import CellError
from imports.row_parser import Line, MalformedLine

CHUNK = 1 << 20
WIDE_BOMS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
WORKBOOK = ".xlsx"


@dataclass(frozen=True)
class ConversionLimit:
    """Limit of time and memory for the conversion of one workbook."""

    seconds: int
    megabytes: int


UPLOAD_LIMIT = ConversionLimit(seconds=4, megabytes=256)  # a person waits: rejected within 5 seconds
COMMAND_LIMIT = ConversionLimit(seconds=900, megabytes=2048)


@dataclass(frozen=True)
class OpenedFile:
    """An opened file: the SHA-256 of its bytes, the cells of its first line, and an iterator of the other lines."""

    digest: str
    header: Sequence[str]
    lines: Iterator[Line]


@contextmanager
def open_file(path: Path, *, limit: ConversionLimit) -> Iterator[OpenedFile]:
    """Open a file for the block. Raises CellError where it cannot be read at all."""
    if path.suffix.lower() != WORKBOOK:
        digest, encoding = scan(path)
        with path.open(encoding=encoding, newline="") as stream:
            yield _with_header(digest, _csv_lines(stream))
        return
    with tempfile.TemporaryDirectory(prefix="import-") as folder:
        converted = Path(folder) / "sheet.csv"
        _convert(path, converted, limit=limit)
        with path.open("rb") as workbook, converted.open(encoding="utf-8", newline="") as stream:
            digest = hashlib.file_digest(workbook, "sha256").hexdigest()
            yield _with_header(digest, _sheet_lines(_csv_lines(stream)))


def _with_header(digest: str, lines: Iterator[Line]) -> OpenedFile:
    _number, header = next(lines, (0, []))
    if isinstance(header, MalformedLine):
        raise CellError(header.reason)
    if not header:
        raise CellError(_("is empty: not even a header"))
    names = [name.removeprefix("\ufeff").strip() for name in header]
    while names and not names[-1]:  # spreadsheet programs leave empty columns behind the last one
        names.pop()
    return OpenedFile(digest, names, _without_empty_columns(lines, len(names), len(header)))


def _without_empty_columns(lines: Iterator[Line], width: int, full_width: int) -> Iterator[Line]:
    if width == full_width:
        return lines
    return ((number, cells[:width] if cells and not any(cells[width:]) else cells) for number, cells in lines)


def scan(path: Path) -> tuple[str, str]:
    """Return the SHA-256 of a text file and its encoding, from one pass over its bytes. Raises CellError."""
    digest = hashlib.sha256()
    decoders = {name: codecs.getincrementaldecoder(name)() for name in ("utf-8", "gb18030")}
    line, first = 1, True
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            if first:
                _reject_wide_encodings(chunk)
                if chunk.startswith(codecs.BOM_UTF8):
                    del decoders["gb18030"]
            first = False
            if b"\0" in chunk:
                line += chunk[: chunk.index(b"\0")].count(b"\n")
                raise CellError(_("line %d holds a NUL byte: not a text file; save it as CSV in UTF-8") % line)
            line += chunk.count(b"\n")
            digest.update(chunk)
            _decode(decoders, chunk, final=False)
    _decode(decoders, b"", final=True)
    return digest.hexdigest(), next(iter(decoders))


def _reject_wide_encodings(chunk: bytes) -> None:
    if chunk.startswith(WIDE_BOMS):
        raise CellError(_("is UTF-16 or UTF-32: save it as CSV in UTF-8"))


def _decode(decoders: dict[str, codecs.IncrementalDecoder], chunk: bytes, *, final: bool) -> None:
    """Remove the decoders that cannot read `chunk`. Raises CellError when none is left."""
    if chunk.isascii() and not final and not any(decoder.getstate()[0] for decoder in decoders.values()):
        return
    for name, decoder in list(decoders.items()):
        try:
            decoder.decode(chunk, final)
        except UnicodeDecodeError:
            del decoders[name]
    if not decoders:
        raise CellError(_("is neither UTF-8 nor GB18030: save it as CSV in UTF-8"))


def _csv_lines(stream: Iterator[str]) -> Iterator[Line]:
    """Yield each line that is not empty, with the number of the physical line where it starts."""
    reader = csv.reader(stream, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            for cells in reader:
                if any(cells):
                    # Exports put a `'` before text that a spreadsheet would run as a formula.
                    yield start, [unescape_formula(c) for c in cells] if "'" in ",".join(cells) else cells
                start = reader.line_num + 1
            return
        except csv.Error as error:
            yield start, MalformedLine(_("is not CSV: %s") % error)


def _sheet_lines(lines: Iterator[Line]) -> Iterator[Line]:
    """Take the row numbers of the sheet from the first cells, where the conversion writes them."""
    return ((int(cells[0]), cells[1:]) for _number, cells in lines)


def _convert(path: Path, target: Path, *, limit: ConversionLimit) -> None:
    """Convert a workbook to CSV in a child process with limited memory and time: a workbook may be an attack."""
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
