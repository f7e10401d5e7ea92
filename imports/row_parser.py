"""Parser of the lines under one header: cells in, typed values in the order of the schema's columns out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from itertools import islice

from django.utils.translation import gettext as _

from imports.columns import CellError, CellParser
from imports.schema import FileSchema, OnError, RowError

Row = tuple[object, ...]
"""`(line number, *values)`, the values in the order of the schema's columns."""
Line = tuple[int, Sequence[str]]
"""`(line number, cells)`."""
CHUNK = 500


class MalformedLine(tuple[str, ...]):
    """Stands for the cells of a line that cannot be split into cells. It is empty; `reason` is the error."""

    def __new__(cls, reason: str) -> "MalformedLine":
        line = super().__new__(cls)
        line.reason = reason
        return line

    reason: str


CellFault = tuple[str, str, str, str]
"""`(column, value, reason)`."""


class RowParser:
    """Parses lines under `header`. Instants without an offset are read in `zone`; without a zone they are errors.

    Columns that the header lacks get the value of an empty cell. `converters` turn the cells of some columns into the
    form of a file of facts first.
    """

    def __init__(
        self,
        schema: FileSchema,
        header: Sequence[str],
        *,
        zone: tzinfo | None,
        converters: Mapping[str, Callable[[str], str]] | None = None,
    ) -> None:
        self.schema = schema
        parsers = {
            column.name: column.parser(schema.model, zone, repeats=column not in schema.mostly_unique_columns)
            for column in schema.columns
        }
        for name, convert in (converters or {}).items():
            parsers[name] = _chained(convert, parsers[name])
        self.header = tuple(header)
        self.parsers: tuple[CellParser, ...] = tuple(parsers[name] for name in header)
        absent = [column.name for column in schema.columns if column.name not in header]
        self.absent_values: Row = tuple(parsers[name]("") for name in absent)  # columns without a converter
        parsed_order = [*header, *absent]
        self.order = tuple(parsed_order.index(column.name) for column in schema.columns)

    def rows(self, lines: Iterable[Line], *, name: str, on_error: OnError) -> Iterator[Row]:
        """Yield each good line as a row; report each error of the others under the file name `name`."""
        stream = iter(lines)
        while chunk := list(islice(stream, CHUNK)):
            rows = self._parse_by_column(chunk)
            yield from self._parse_by_row(chunk, name, on_error) if rows is None else rows

    def _parse_by_column(self, chunk: Sequence[Line]) -> Iterator[Row] | None:
        """Parse lines column by column, which is faster than row by row. Return None where any has an error."""
        numbers = [number for number, _cells in chunk]
        try:
            cells = zip(*(cells for _number, cells in chunk), strict=True)
            parsed = [list(map(parse, column)) for parse, column in zip(self.parsers, cells, strict=True)]
        except ValueError:  # a CellError, or lines of different lengths
            return None
        parsed += [[value] * len(chunk) for value in self.absent_values]
        columns = [parsed[index] for index in self.order]
        by_name = dict(zip(self.schema.columns_by_name, columns, strict=True))
        for check in self.schema.checks:
            if any(map(check.error, *(by_name[column] for column in check.columns))):
                return None
        return zip(numbers, *columns, strict=True)

    def _parse_by_row(self, chunk: Sequence[Line], name: str, on_error: OnError) -> Iterator[Row]:
        for number, cells in chunk:
            faults = list(self._cell_faults(cells))
            if not faults:
                parsed = [parse(cell) for parse, cell in zip(self.parsers, cells, strict=True)]
                values = [[*parsed, *self.absent_values][index] for index in self.order]
                faults = self._check_faults(values, dict(zip(self.header, cells, strict=True)))
            if not faults:
                yield (number, *values)
            for column, value, reason, code in faults:
                on_error(RowError(name, number, column, value, reason, code))

    def _cell_faults(self, cells: Sequence[str]) -> Iterator[CellFault]:
        if isinstance(cells, MalformedLine):
            yield "", "", cells.reason, CellError.code
            return
        if len(cells) != len(self.header):
            counts = {"found": len(cells), "expected": len(self.header)}
            reason = _("has %(found)d cells where the header has %(expected)d") % counts
            yield "", "", reason, CellError.code
            return
        for name, parse, cell in zip(self.header, self.parsers, cells, strict=True):
            try:
                parse(cell)
            except CellError as error:
                mark, _blank, shown = cell.partition(" ")
                if mark in MARKED_CELLS:
                    yield name, shown, MARKED_CELLS[mark](), error.code
                else:
                    yield name, cell, str(error), error.code

    def _check_faults(self, values: Sequence[object], cells: Mapping[str, str]) -> list[CellFault]:
        by_name = dict(zip(self.schema.columns_by_name, values, strict=True))
        reasons = [
            (check.columns[-1], check.error(*(by_name[column] for column in check.columns)))
            for check in self.schema.checks
        ]
        return [(column, cells.get(column, ""), reason, "conflict") for column, reason in reasons if reason]


def _chained(convert: Callable[[str], str], parse: CellParser) -> CellParser:
    return lambda cell: parse(convert(cell))


# `imports.xlsx_to_csv` writes these for cells that a spreadsheet shows but that hold no usable value. No cell of a file
# can hold a NUL, so that they cannot be mistaken for content.
MARKED_CELLS: dict[str, Callable[[], str]] = {
    "\0formula": lambda: _("a formula without a stored value: open the workbook in a spreadsheet program and save it"),
    "\0error": lambda: _("the spreadsheet shows an error here"),
    "\0digits": lambda: _("a number of more than 15 digits, of which the spreadsheet lost some: format it as text"),
}
