"""Parts of a workbook: XML, sizes, sheets, styles and texts. It uses only the standard library, see `xlsx_to_csv`."""

import re
import zipfile
from collections.abc import Callable
from typing import IO
from xml.parsers import expat

CHUNK = 1 << 16
BUILT_IN_DATES = {*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)}
LITERALS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
LONGEST_FORMAT = 255
"""Characters of a number format, as in spreadsheet programs. The search for literals is quadratic in them."""
WORKSHEET = "/worksheet"


class RejectedError(Exception):
    """Raised for a workbook that is not converted. Its text is a code, perhaps with a cell behind it."""


Start = Callable[[str, dict[str, str]], None]


def local_name(name: str) -> str:
    return name.rpartition("}")[2].rpartition(":")[2]


def parse(stream: IO[bytes], *, start: Start, end: Callable[[str], None], text: Callable[[str], None]) -> None:
    """Parse XML as a stream. The callbacks get names without namespaces."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = lambda name, attributes: start(local_name(name), attributes)
    parser.EndElementHandler = lambda name: end(local_name(name))
    parser.CharacterDataHandler = text
    while chunk := stream.read(CHUNK):
        parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _no_doctype(*_arguments: object) -> None:
    raise RejectedError("entity")


def elements(archive: zipfile.ZipFile, part: str) -> list[tuple[str, dict[str, str]]]:
    """Return every element of a small part, with its attributes."""
    result: list[tuple[str, dict[str, str]]] = []
    with archive.open(part) as stream:
        parse(
            stream,
            start=lambda name, attributes: result.append((name, attributes)),
            end=lambda _n: None,
            text=lambda _t: None,
        )
    return result


def check_size(archive: zipfile.ZipFile, megabytes: int) -> None:
    """Reject workbooks that are too large, by the directory of the archive.

    `zipfile` never unpacks more of a part than the directory says.
    """
    parts = archive.infolist()
    if any(part.flag_bits & 1 for part in parts):
        raise RejectedError("old")
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    if unpacked > megabytes * 1_000_000 or (unpacked > 10_000_000 and unpacked > 100 * packed):
        raise RejectedError("size")


def first_sheet(archive: zipfile.ZipFile) -> tuple[str, bool, int]:
    """Return the part of the first visible sheet of cells, whether its days count from 1904, and the other sheets."""
    targets = {
        attributes["Id"]: attributes["Target"]
        for name, attributes in elements(archive, "xl/_rels/workbook.xml.rels")
        if name == "Relationship" and attributes.get("Type", "").endswith(WORKSHEET)
    }
    since_1904, part, sheets = False, "", 0
    for name, attributes in elements(archive, "xl/workbook.xml"):
        if name == "workbookPr":
            since_1904 = attributes.get("date1904") in ("1", "true")
        sheets += name == "sheet"
        if name == "sheet" and not part and attributes.get("state", "visible") == "visible":
            relation = next((value for key, value in attributes.items() if local_name(key) == "id"), "")
            part = targets.get(relation, "")
    if not part:
        raise RejectedError("sheet")
    return (part[1:] if part.startswith("/") else f"xl/{part}"), since_1904, sheets - 1


def date_styles(archive: zipfile.ZipFile) -> set[str]:
    """Return the numbers of the styles that show a number as a date."""
    if "xl/styles.xml" not in archive.namelist():
        return set()
    custom: dict[str, str] = {}
    styles: list[str] = []
    inside = False
    for name, attributes in elements(archive, "xl/styles.xml"):
        if name == "numFmt":
            custom[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        inside = name == "cellXfs" or (inside and name not in ("cellStyles", "dxfs", "cellStyleXfs"))
        if inside and name == "xf":
            styles.append(attributes.get("numFmtId", "0"))
    return {str(index) for index, number in enumerate(styles) if shows_date(number, custom.get(number))}


def shows_date(number: str, code: str | None) -> bool:
    if code is None:
        return number.isdecimal() and len(number) < 4 and int(number) in BUILT_IN_DATES
    first = code[:LONGEST_FORMAT].partition(";")[0]
    return bool(re.search("[dmyhs]", LITERALS.sub("", first), re.IGNORECASE))


class SharedStrings:
    """Texts that cells refer to by number."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.texts: list[str] = []
        self.parts: list[str] = []
        self.in_text = self.in_phonetic = False
        if "xl/sharedStrings.xml" in archive.namelist():
            with archive.open("xl/sharedStrings.xml") as stream:
                parse(stream, start=self.start, end=self.end, text=self.text)

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        self.in_phonetic = self.in_phonetic or name == "rPh"
        self.in_text = name == "t" and not self.in_phonetic

    def end(self, name: str) -> None:
        self.in_text = False
        if name == "rPh":
            self.in_phonetic = False
        elif name == "si":
            self.texts.append(unescaped("".join(self.parts)))
            self.parts.clear()

    def text(self, text: str) -> None:
        if self.in_text:
            self.parts.append(text)


def unescaped(text: str) -> str:
    """Replace escapes such as `_x000D_` by characters that XML cannot hold, except NUL, which marks cells."""
    if "_x" not in text:
        return text
    return re.sub(r"_x(?!0000)([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text)
