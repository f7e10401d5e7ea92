"""Form of a text file of facts: its encoding, its separator, and the line of its header."""

import codecs
import csv
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TextIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imports.columns import CellError

CHUNK = 1 << 20
WIDE_BOMS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
ENCODINGS = (
    "utf-8 gb18030 utf-16 big5 shift_jis euc-jp euc-kr cp1250 cp1251 cp1252 cp1253 cp1254 iso-8859-1 iso-8859-2 "
    "iso-8859-15 mac-roman"
).split()
"""Encodings that can be named. Without a name a file is in UTF-8 or GB18030."""
DELIMITERS = {
    ",": gettext_lazy("comma"),
    ";": gettext_lazy("semicolon"),
    "\t": gettext_lazy("tab"),
    "|": gettext_lazy("bar"),
}
SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?[,;\t|]*\r?\n?', re.IGNORECASE)
HEAD_CHARACTERS = 65_536
HEADER_WITHIN = 30
"""Lines among which a header is looked for."""
DOUBT_LINES = 2_000
"""Lines with foreign letters that are judged, when an encoding is doubted."""
DOUBT_BYTES = 1_000_000
"""Bytes of them that are judged: a file may be one line of a hundred megabytes."""


def scan(path: Path, encoding: str = "") -> tuple[str, str]:
    """Return the SHA-256 of a text file and its encoding, from one pass over its bytes.

    `encoding` names it; otherwise it is UTF-8 or GB18030. Raises CellError for any other, also where the bytes could be
    GB18030 but would be no plausible Chinese.
    """
    digest = hashlib.sha256()
    decoders = {name: codecs.getincrementaldecoder(name)() for name in ([encoding] if encoding else ENCODINGS[:2])}
    line, first, wide = 1, True, encoding == "utf-16"
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            if not wide:
                _reject_other_bytes(chunk, line, first=first)
            if first and chunk.startswith(codecs.BOM_UTF8):
                decoders.pop("gb18030", None)
            first = False
            line += chunk.count(b"\n")
            digest.update(chunk)
            _decode(decoders, chunk, final=False)
    _decode(decoders, b"", final=True)
    detected = next(iter(decoders))
    if detected == "gb18030" and not encoding:
        _doubt_gb18030(path)
    return digest.hexdigest(), detected


def checked_encoding(name: str) -> str:
    """Return the usual name of an encoding that can be read. Raises CellError."""
    try:
        usual = codecs.lookup(name).name
    except LookupError:
        usual = ""
    usual = next((known for known in ENCODINGS if usual and codecs.lookup(known).name == usual), "")
    if usual or name.lower() in ("gbk", "gb2312"):
        return usual or "gb18030"
    raise CellError(_("%(name)s is no encoding that can be read, such as %(known)s") % _named(name))


def _named(name: str) -> dict[str, str]:
    return {"name": name, "known": ", ".join(ENCODINGS)}


def _reject_other_bytes(chunk: bytes, line: int, *, first: bool) -> None:
    if first and chunk.startswith(WIDE_BOMS):
        raise CellError(_("is UTF-16 or UTF-32: save it as CSV in UTF-8, or name its encoding, such as utf-16"))
    before, nul, _after = chunk.partition(b"\0")
    if nul:
        line += before.count(b"\n")
        raise CellError(_("line %d holds a NUL byte: not a text file; save it as CSV in UTF-8") % line)


def _decode(decoders: dict[str, codecs.IncrementalDecoder], chunk: bytes, *, final: bool) -> None:
    """Remove the decoders that cannot read `chunk`. Raises CellError when none is left."""
    if chunk.isascii() and not final and not any(decoder.getstate()[0] for decoder in decoders.values()):
        return
    named = list(decoders)
    for name, decoder in list(decoders.items()):
        try:
            decoder.decode(chunk, final)
        except UnicodeError:  # UTF-16 without a mark has a plain one
            del decoders[name]
    if not decoders and named[0] not in ENCODINGS[:2]:
        raise CellError(_("is not in the encoding %s that was named") % named[0])
    if not decoders:
        raise CellError(
            _("is neither UTF-8 nor GB18030: save it as CSV in UTF-8, or name its encoding, such as cp1252")
        )


# Almost any bytes are GB18030. Letters of other languages become rare characters, or stand within a Latin word.
WITHIN_A_WORD = re.compile(r"(?<=[a-z])[\u3400-\u9fff](?=[a-z])|[A-Za-z][^\x00-\x7f]|[^\x00-\x7f][A-Za-z]")
FOREIGN = re.compile(r"[^\x00-\x7f]+")


def _doubt_gb18030(path: Path) -> None:
    """Raise CellError where text that can be read as GB18030 is implausible as such."""
    with path.open("rb") as stream:
        text = b"".join(islice(_foreign_lines(stream), DOUBT_LINES)).decode("gb18030", "replace")
    characters = [character for run in FOREIGN.findall(text) for character in run]
    rare = [character for character in characters if _is_rare(character)]
    words = [match[0] for match in WITHIN_A_WORD.finditer(text)]
    odd = [word for word in words if len(word) == 1 or any(_is_rare(c) for c in word if not c.isascii())]
    runs = len(FOREIGN.findall(text))
    if 2 * len(odd) >= runs or (len(characters) >= 4 and len(rare) > 0.6 * len(characters)):
        example = next((word for word in text.replace(",", " ").split() if any(map(_is_rare, word))), "")
        example = example or next((run for run in FOREIGN.findall(text)), "")
        raise CellError(
            _(
                "is not UTF-8, and as GB18030 it would say “%s”: save it as CSV in UTF-8, or name its encoding, "
                "such as cp1252"
            )
            % example[:40]
        )


def _foreign_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield lines that are not ASCII, DOUBT_BYTES of them at most."""
    left = DOUBT_BYTES
    while left > 0 and (line := stream.readline(DOUBT_BYTES)):
        if not line.isascii():
            yield line[:left]
            left -= len(line)


def _is_rare(character: str) -> bool:
    """Return whether a character is outside of the punctuation and the 3,755 most common characters of GB2312."""
    if character.isascii():
        return False
    try:
        lead = character.encode("gb2312")[0]
    except UnicodeEncodeError:
        return True
    return not (0xA1 <= lead <= 0xA3 or 0xB0 <= lead <= 0xD7)


@dataclass(frozen=True)
class Layout:
    """Separator of the cells, and the number of lines before the first one to read."""

    delimiter: str
    skipped: int = 0


def find_layout(stream: TextIO, *, known: frozenset[str], delimiter: str = "") -> Layout:
    """Return the layout of a text, which is read from its beginning again afterwards.

    A first line `sep=;` names the separator. Without one it is the separator with which a line among the first has the
    most names of `known`; a comma where that is undecided.
    """
    head = stream.read(HEAD_CHARACTERS)
    stream.seek(0)
    named = SEPARATOR_LINE.match(head.removeprefix("\ufeff"))
    if named:
        return Layout(delimiter or named[1], skipped=1)
    if delimiter:
        return Layout(delimiter)
    scores = {each: _score(head, each, known) for each in DELIMITERS}
    return Layout(max(scores, key=lambda each: scores[each]))


def _score(head: str, delimiter: str, known: frozenset[str]) -> tuple[int, int]:
    """Return the most known names that a line has, and the cells of the first line where there are none."""
    rows = list(islice(_lenient_rows(head, delimiter), HEADER_WITHIN))
    names = max((len(known & set(map(str.strip, row))) for row in rows), default=0)
    return names, 0 if names or not rows else len(rows[0])


def _lenient_rows(text: str, delimiter: str) -> Iterator[Sequence[str]]:
    try:
        yield from csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True), delimiter=delimiter)
    except csv.Error:
        return
