"""What a file of facts looks like: its columns, its key, and which rows of others it names."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from itertools import islice

from django.db import models
from django.utils.translation import gettext as _

from imports.cell_parsers import CellError, CellParser, Column

Row = tuple[object, ...]
Line = tuple[int, Sequence[str]]


class MalformedLine(tuple[str, ...]):
    """The cells of a line that is none: there are no cells, and `reason` says what is wrong with it."""

    def __new__(cls, reason: str) -> "MalformedLine":
        line = super().__new__(cls)
        line.reason = reason
        return line

    reason: str


MOST_COLUMNS = 200
CHUNK = 500


@dataclass(frozen=True)
class RowError:
    """One thing that is wrong with a file, and where: the line is that of the file, 0 for the file itself."""

    file: str
    line: int
    column: str
    value: str
    reason: str

    def __str__(self) -> str:
        place = _("%(file)s line %(line)d") % {"file": self.file, "line": self.line} if self.line else self.file
        return f"{place}, {self.said}" if self.column else f"{place}: {self.said}"

    @property
    def said(self) -> str:
        """What is wrong, without the place."""
        return f"{self.column} {_quoted(self.value)}: {self.reason}" if self.column else self.reason


def _quoted(value: str) -> str:
    """`value` for a message: short, and without control characters that a terminal would obey."""
    short = value if len(value) <= 80 else f"{value[:79]}…"
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short) + '"'


OnError = Callable[[RowError], None]


@dataclass(frozen=True)
class Check:
    """A rule between columns of one row; what is wrong is said of the last of them."""

    columns: tuple[str, ...]
    complaint: Callable[..., str | None]


@dataclass(frozen=True)
class SplitEvents:
    """Two events of one row that may be told by different rows, in either order.

    A row without `first` tells only of `later`; after that a row without `later` tells only of `first`. Either keeps
    what the other said. `flag` is the column that remembers that `later` was told by itself.
    """

    first: str
    later: str
    flag: str


@dataclass(frozen=True)
class FileSchema:
    """One kind of file: the same definition reads CSV and XLSX, uploads and calls, and writes exports."""

    name: str
    model: type[models.Model]
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    checks: tuple[Check, ...] = ()
    apart: SplitEvents | None = None

    @cached_property
    def named(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @property
    def key_columns(self) -> list[Column]:
        return [self.named[name] for name in self.key]

    @cached_property
    def references(self) -> dict[Column, type[models.Model]]:
        """The columns that name a row of another file, with the model where it must stand."""
        related = {field.attname: field.related_model for field in self.model._meta.concrete_fields}
        parents = {column: related[column.attname] for column in self.columns}
        return {column: parent for column, parent in parents.items() if isinstance(parent, type)}

    @property
    def instants(self) -> list[Column]:
        fields = {field.attname: field for field in self.model._meta.concrete_fields}
        return [column for column in self.columns if isinstance(fields[column.attname], models.DateTimeField)]

    @cached_property
    def distinct(self) -> set[Column]:
        """The columns whose values hardly repeat within a file."""
        fields = {field.attname: field for field in self.model._meta.concrete_fields}
        amounts = {column for column in self.columns if isinstance(fields[column.attname], models.DecimalField)}
        return amounts | set(self.instants) | set(self.key_columns if len(self.key) == 1 else ())

    def header_complaints(self, header: Sequence[str]) -> Iterator[tuple[str, str]]:
        """What is wrong with the first line, as column and reason."""
        if len(header) > MOST_COLUMNS:
            yield "", _("has %d columns") % len(header)
            return
        for name in dict.fromkeys(header):
            if name not in self.named:
                yield name, _("unknown column") if name else _("a column without a name")
            elif header.count(name) > 1:
                yield name, _("the column stands %d times") % header.count(name)
        for column in self.columns:
            if (column.required or column.name in self.key) and column.name not in header:
                yield column.name, _("the column is missing")


class Parser:
    """Reads the cells under one header into rows in the order of the definition's columns."""

    def __init__(self, file: FileSchema, header: Sequence[str], *, zone: tzinfo) -> None:
        self.file = file
        parsers = {
            column.name: column.parser(file.model, zone, repeats=column not in file.distinct) for column in file.columns
        }
        self.header = tuple(header)
        self.parses: tuple[CellParser, ...] = tuple(parsers[name] for name in header)
        # A column that the file has not got is empty in every row: its value is put behind the cells' own.
        absent = [column.name for column in file.columns if column.name not in header]
        self.absent: Row = tuple(parsers[name]("") for name in absent)
        behind = [*header, *absent]
        self.order = tuple(behind.index(column.name) for column in file.columns)

    def rows(self, lines: Iterable[Line], *, name: str, report: OnError) -> Iterator[Row]:
        """Each good line as `(line number, *values)`; the bad ones go to `report`, column by column."""
        stream = iter(lines)
        while chunk := list(islice(stream, CHUNK)):
            rows = self._by_column(chunk)
            yield from self._by_row(chunk, name, report) if rows is None else rows

    def _by_column(self, chunk: Sequence[Line]) -> Iterator[Row] | None:
        """The lines' rows where nothing is wrong with any: columns are read faster than rows. Else None."""
        numbers = [number for number, _cells in chunk]
        try:
            cells = zip(*(cells for _number, cells in chunk), strict=True)
            found = [list(map(parse, column)) for parse, column in zip(self.parses, cells, strict=True)]
        except ValueError:  # a Refusal, or lines of another width
            return None
        behind = [*found, *([value] * len(chunk) for value in self.absent)]
        columns = [behind[index] for index in self.order]
        by_name = dict(zip(self.file.named, columns, strict=True))
        for check in self.file.checks:
            if any(map(check.complaint, *(by_name[column] for column in check.columns))):
                return None
        return zip(numbers, *columns, strict=True)

    def _by_row(self, chunk: Sequence[Line], name: str, report: OnError) -> Iterator[Row]:
        for number, cells in chunk:
            wrong = list(self._refusals(cells))
            if not wrong:
                read = [parse(cell) for parse, cell in zip(self.parses, cells, strict=True)]
                values = [[*read, *self.absent][index] for index in self.order]
                wrong = self._broken(values, dict(zip(self.header, cells, strict=True)))
            if not wrong:
                yield (number, *values)
            for column, value, reason in wrong:
                report(RowError(name, number, column, value, reason))

    def _refusals(self, cells: Sequence[str]) -> Iterator[tuple[str, str, str]]:
        if isinstance(cells, MalformedLine):
            yield "", "", cells.reason
            return
        if len(cells) != len(self.header):
            found = {"found": len(cells), "expected": len(self.header)}
            yield "", "", _("has %(found)d cells where the header has %(expected)d") % found
            return
        for name, parse, cell in zip(self.header, self.parses, cells, strict=True):
            try:
                parse(cell)
            except CellError as refusal:
                yield name, cell.lstrip("\0"), MARKS[cell]() if cell in MARKS else str(refusal)

    def _broken(self, values: Sequence[object], cells: Mapping[str, str]) -> list[tuple[str, str, str]]:
        by_name = dict(zip(self.file.named, values, strict=True))
        wrong = [
            (check.columns[-1], check.complaint(*(by_name[column] for column in check.columns)))
            for check in self.file.checks
        ]
        return [(column, cells.get(column, ""), reason) for column, reason in wrong if reason]


# What `sheet` writes, with a NUL that no file can hold, for a cell that a spreadsheet shows but has no value for us.
MARKS: dict[str, Callable[[], str]] = {
    "\0formula": lambda: _("a formula without a stored value: open the workbook in a spreadsheet program and save it"),
    "\0error": lambda: _("the spreadsheet shows an error here"),
    "\0digits": lambda: _("a number of more than 15 digits, of which the spreadsheet lost some: format it as text"),
}
