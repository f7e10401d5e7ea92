"""Column mapping: how the file of another system becomes a file of facts.

It names the columns of the other file, and its formats of dates, numbers and text. `docs/files.md` describes the YAML.
"""

import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from django.db import models
from django.utils.translation import gettext as _

from imports.columns import CellError
from imports.mapping_text import suggestion
from imports.row_parser import Line, MalformedLine
from imports.schema import MAX_COLUMNS, FileSchema

MAX_SHOWN = 8
Converter = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class ColumnSource:
    """Origin of one column of facts: cells of one or more columns of the other file, or a constant.

    `values` translates cells, `default` replaces empty ones, `dates` are the formats of its dates.
    """

    columns: tuple[str, ...] = ()
    join: str = "-"
    constant: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    default: str = ""
    dates: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ColumnMapping:
    """Mapping of the files of one kind of facts. `only` and `skip` choose rows by the cells of a column."""

    schema: FileSchema
    columns: Mapping[str, ColumnSource]
    files: str = ""
    encoding: str = ""
    delimiter: str = ""
    zone: tzinfo | None = None
    decimal: str = "."
    thousands: str = ""
    remove: tuple[str, ...] = ()
    empty: frozenset[str] = frozenset()
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    skip: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def source_columns(self) -> list[str]:
        """Columns that the other file must have."""
        named = [name for source in self.columns.values() for name in source.columns]
        return list(dict.fromkeys([*named, *self.only, *self.skip]))

    def matches(self, name: str) -> bool:
        """Return whether the mapping is meant for a file of that name."""
        pattern = self.files or f"{self.schema.name}.*"
        return fnmatch.fnmatchcase(name.lower(), pattern.lower())

    def header_errors(self, header: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield each error of the other file's header as column and reason."""
        if len(header) > MAX_COLUMNS:
            yield "", _("has %d columns") % len(header)
            return
        for name in self.source_columns:
            if header.count(name) > 1:
                yield name, _("the column stands %d times") % header.count(name)
            elif name not in header:
                yield name, _("the mapping needs this column, which is missing") + suggestion(name, header)

    def converters(self) -> dict[str, Converter]:
        """Return for each column the function that turns a cell of the other file into one of a file of facts."""
        return {name: self._converter(name, source) for name, source in self.columns.items() if source.columns}

    def _converter(self, name: str, source: ColumnSource) -> Converter:
        model_field = self.schema.field(self.schema.columns_by_name[name])
        convert: Converter = str
        if isinstance(model_field, models.DateTimeField) and source.dates:
            convert = _date_converter(source.dates)
        elif isinstance(model_field, models.DecimalField | models.IntegerField):
            convert = _number_converter(self.decimal, self.thousands, self.remove)

        def converted(cell: str) -> str:
            text = cell.strip()
            if text in source.values:
                return source.values[text]
            if not text or text in self.empty:
                return source.default
            return convert(text)

        return converted


class MappedLines:
    """Lines of facts from the lines of another file. It counts the rows that the mapping leaves out."""

    def __init__(self, mapping: ColumnMapping, header: Sequence[str], lines: Iterator[Line]) -> None:
        self.mapping, self.lines, self.width = mapping, lines, len(header)
        self.left_out = 0
        self.unused = [name for name in header if name and name not in mapping.source_columns]
        self._places = {name: header.index(name) for name in mapping.source_columns}

    def __iter__(self) -> Iterator[Line]:
        for number, cells in self.lines:
            if isinstance(cells, MalformedLine):
                yield number, cells
            elif len(cells) != self.width and any(cells[self.width :] or [len(cells) < self.width]):
                counts = {"found": len(cells), "expected": self.width}
                yield (
                    number,
                    MalformedLine(_("has %(found)d cells where the header has %(expected)d") % counts),
                )
            elif self._is_left_out(cells):
                self.left_out += 1
            else:
                yield number, [self._cell(source, cells) for source in self.mapping.columns.values()]

    def notes(self) -> Iterator[str]:
        """Yield what people should know about the columns and rows that were left out."""
        if self.unused:
            shown = ", ".join(self.unused[:MAX_SHOWN]) + (" …" if len(self.unused) > MAX_SHOWN else "")
            yield _("columns that the mapping does not use: %s") % shown
        if self.left_out:
            yield _("rows that the mapping leaves out: %d") % self.left_out

    def _is_left_out(self, cells: Sequence[str]) -> bool:
        def cell(name: str) -> str:
            return cells[self._places[name]].strip()

        chosen = all(cell(name) in values for name, values in self.mapping.only.items())
        return not chosen or any(cell(name) in values for name, values in self.mapping.skip.items())

    def _cell(self, source: ColumnSource, cells: Sequence[str]) -> str:
        if not source.columns:
            return source.constant
        found = [cells[self._places[name]] for name in source.columns]
        return found[0] if len(found) == 1 else source.join.join(cell.strip() for cell in found)


def _date_converter(formats: Sequence[str]) -> Converter:
    def convert(cell: str) -> str:
        for each in formats:
            if each == "iso":
                return cell
            try:
                return datetime.strptime(cell, each).isoformat()  # noqa: DTZ007  # the zone of the import follows
            except ValueError:
                continue
        if re.fullmatch(r"\d{4}-\d\d-\d\d.*", cell):
            return cell  # a date of a workbook, or one that the parser of instants explains better
        raise CellError(_("does not have the date format %s") % " | ".join(formats))

    return convert


def _number_converter(decimal: str, thousands: str, remove: Sequence[str]) -> Converter:
    point, group = re.escape(decimal), re.escape(thousands)
    whole = rf"\d{{1,3}}(?:{group}\d{{3}})+|\d+" if thousands else r"\d+"
    shape = re.compile(rf"(-?)({whole})(?:{point}(\d+))?")

    def convert(cell: str) -> str:
        text = cell.replace("\u00a0", " ").replace("\u202f", " ")
        for each in remove:
            text = text.replace(each, "")
        match = shape.fullmatch(text.strip())
        if match is None:
            named = {"decimal": decimal, "thousands": thousands}
            if thousands:
                raise CellError(
                    _("is no number with %(decimal)s before decimals and %(thousands)s between thousands") % named
                )
            raise CellError(_("is no number with %(decimal)s before decimals and nothing between thousands") % named)
        digits = match[2].replace(thousands, "") if thousands else match[2]
        fraction = (match[3] or "").rstrip("0")
        return f"{match[1]}{digits}.{fraction:0<2}" if fraction else f"{match[1]}{digits}"

    return convert
