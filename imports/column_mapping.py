"""Column mapping: how the file of another system becomes a file of facts.

It names the columns of the other file, and its formats of dates, numbers and text. `docs/files.md` describes the YAML.
"""

import difflib
import fnmatch
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import models
from django.utils.translation import gettext as _

from imports.cell_parsers import CellError
from imports.mapping_text import MappingError, Node, at, parse
from imports.registry import all_schemas, find_schema
from imports.row_parser import Line, MalformedLine
from imports.schema import FileSchema
from imports.text_format import DELIMITERS, checked_encoding

NAMED_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
FIELDS = "facts files encoding delimiter zone dates decimal thousands remove empty only skip columns".split()
COLUMN_FIELDS = "column columns join value values dates default".split()
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
        for name in self.source_columns:
            if header.count(name) > 1:
                yield name, _("the column stands %d times") % header.count(name)
            elif name not in header:
                yield name, _("the mapping needs this column, which is missing") + _suggestion(name, header)

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


def load_mapping(text: str) -> ColumnMapping:
    """Return the mapping that a YAML text describes. Raises MappingError with every problem and its line."""
    return _Loader().load(parse(text))


class _Loader:
    """Reader of the tree of a mapping. It collects problems, so that all are reported at once."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def load(self, root: Node) -> ColumnMapping:
        fields = self.fields(root, FIELDS, "mapping")
        schema = self.schema(fields.get("facts"), root)
        dates = self.dates(fields.get("dates"))
        columns = self.columns(fields.get("columns"), root, schema, dates)
        decimal, thousands = self.separators(fields)
        mapping = ColumnMapping(
            schema=schema,
            columns=columns,
            files=self.text(fields.get("files")),
            encoding=self.encoding(fields.get("encoding")),
            delimiter=self.delimiter(fields.get("delimiter")),
            zone=self.zone(fields.get("zone")),
            decimal=decimal,
            thousands=thousands,
            remove=tuple(self.texts(fields.get("remove"))),
            empty=frozenset(self.texts(fields.get("empty"))),
            only=self.rows(fields.get("only")),
            skip=self.rows(fields.get("skip")),
        )
        if self.problems:
            raise MappingError(self.problems)
        return mapping

    def problem(self, node: Node, text: str) -> None:
        self.problems.append(at(node.line, text))

    def fields(self, node: Node, known: Sequence[str], what: str) -> dict[str, Node]:
        """Return the entries of a mapping by their names; with `known`, other names are problems."""
        if not node.is_mapping or isinstance(node.value, str):
            self.problem(node, _("%s: entries such as “name: value” are needed here") % what)
            return {}
        found: dict[str, Node] = {}
        for key, value in node.value:  # type: ignore[misc]  # pairs, because it is a mapping
            name = key.value if isinstance(key.value, str) else ""
            if known and name not in known:
                self.problem(key, _("unknown word “%s”") % name + _suggestion(name, known))
            elif name in found:
                self.problem(key, _("“%s” is there twice") % name)
            else:
                found[name] = value
        return found

    def text(self, node: Node | None) -> str:
        if node is None:
            return ""
        if isinstance(node.value, str):
            return node.value
        self.problem(node, _("a text is needed here"))
        return ""

    def texts(self, node: Node | None) -> list[str]:
        """Return a list of texts; one text stands for a list of one."""
        if node is None:
            return []
        if isinstance(node.value, str):
            return [node.value]
        if node.is_mapping:
            self.problem(node, _("a text or a list of texts is needed here"))
            return []
        return [self.text(child) for child in node.value if isinstance(child, Node)]

    def schema(self, node: Node | None, root: Node) -> FileSchema:
        names = [schema.name for schema in all_schemas()]
        name = self.text(node)
        if name not in names:
            known = ", ".join(names)
            text = _("“facts” must be the kind of facts: %s") % known + (_suggestion(name, names) if name else "")
            raise MappingError([*self.problems, at((node or root).line, text)])
        return find_schema(name)

    def columns(
        self, node: Node | None, root: Node, schema: FileSchema, dates: tuple[str, ...]
    ) -> dict[str, ColumnSource]:
        if node is None:
            self.problem(root, _("“columns” is missing: for each column of facts, the column of your file"))
            return {}
        entries = self.fields(node, list(schema.columns_by_name), "columns")
        for column in schema.columns:
            if schema.is_required(column) and column.name not in entries:
                self.problem(node, _("the required column “%s” has no source: name a column, or a value") % column.name)
        return {name: self.source(name, entry, dates) for name, entry in entries.items()}

    def source(self, name: str, node: Node, dates: tuple[str, ...]) -> ColumnSource:
        if isinstance(node.value, str):
            if not node.value:
                self.problem(node, _("%s: the name of a column of your file is needed") % name)
            return ColumnSource(columns=(node.value,), dates=dates)
        fields = self.fields(node, COLUMN_FIELDS, name)
        columns = [*self.texts(fields.get("column")), *self.texts(fields.get("columns"))]
        if bool(columns) == ("value" in fields) and fields:
            self.problem(node, _("%s: either “column” or “value” is needed") % name)
        values = self.fields(fields["values"], (), name) if "values" in fields else {}
        return ColumnSource(
            columns=tuple(columns),
            join=self.text(fields["join"]) if "join" in fields else "-",
            constant=self.text(fields.get("value")),
            values={cell: self.text(value) for cell, value in values.items()},
            default=self.text(fields.get("default")),
            dates=self.dates(fields.get("dates")) or dates,
        )

    def rows(self, node: Node | None) -> dict[str, frozenset[str]]:
        if node is None:
            return {}
        return {name: frozenset(self.texts(values)) for name, values in self.fields(node, (), "rows").items()}

    def dates(self, node: Node | None) -> tuple[str, ...]:
        formats = tuple(self.texts(node))
        for each in formats:
            if node and each != "iso" and not _is_date_format(each):
                text = _("“%s” is no date format: write it as %%d.%%m.%%Y %%H:%%M, or iso")
                self.problem(node, text % each)
        return formats

    def separators(self, fields: Mapping[str, Node]) -> tuple[str, str]:
        decimal = self.text(fields.get("decimal")) if "decimal" in fields else "."
        thousands = self.text(fields.get("thousands"))
        if decimal not in (".", ","):
            self.problem(fields["decimal"], _("“decimal” must be . or ,"))
        if thousands not in ("", ".", ",", " ", "'", "’"):
            self.problem(fields["thousands"], _("“thousands” must be one of . , ' or a blank"))
        if thousands and thousands == decimal:
            self.problem(fields["thousands"], _("“thousands” and “decimal” must differ"))
        return decimal, thousands

    def encoding(self, node: Node | None) -> str:
        try:
            return checked_encoding(self.text(node)) if node else ""
        except CellError as error:
            assert node is not None
            self.problem(node, str(error))
            return ""

    def delimiter(self, node: Node | None) -> str:
        name = self.text(node)
        delimiter = NAMED_DELIMITERS.get(name, name)
        if node and delimiter not in DELIMITERS:
            self.problem(node, _("“delimiter” must be one of %s") % ", ".join(NAMED_DELIMITERS))
        return delimiter

    def zone(self, node: Node | None) -> tzinfo | None:
        if node is None:
            return None
        try:
            return ZoneInfo(self.text(node))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.problem(node, _("%s is not a time zone") % self.text(node))
            return None


def _is_date_format(text: str) -> bool:
    """Return whether a format of `strptime` states year, month and day."""
    directives = set(re.findall(r"%(.)", text))
    complete = bool(directives & set("YycxG")) and bool(directives & set("mbBcxj")) and bool(directives & set("djcx"))
    try:
        datetime.strptime(datetime(2022, 9, 5, 15, tzinfo=UTC).strftime(text), text)  # noqa: DTZ007
    except ValueError:
        return False
    return complete


def _suggestion(name: str, known: Collection[str]) -> str:
    by_lower = {each.lower(): each for each in known}
    similar = difflib.get_close_matches(name.lower(), list(by_lower), n=1)
    return _("; is it “%s”?") % by_lower[similar[0]] if similar else ""
