"""Load a column mapping from its YAML text, which `docs/files.md` describes."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _

from imports.column_mapping import ColumnMapping, ColumnSource
from imports.columns import CellError
from imports.declared_columns import with_declared
from imports.mapping_text import MappingError, Node, at, parse, suggestion
from imports.registry import all_schemas, find_schema
from imports.schema import FileSchema
from imports.text_format import DELIMITERS, checked_encoding

NAMED_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
FIELDS = "facts files encoding delimiter zone dates decimal thousands remove empty only skip columns".split()
COLUMN_FIELDS = "column columns join value values dates default".split()


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
                self.problem(key, _("unknown word “%s”") % name + suggestion(name, known))
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
            text = _("“facts” must be the kind of facts: %s") % known + (suggestion(name, names) if name else "")
            raise MappingError([*self.problems, at((node or root).line, text)])
        return with_declared(find_schema(name))

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
