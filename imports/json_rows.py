"""Import of facts that arrive as JSON: the rows of a file without the file, with the same checks, all or none."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, auto

from django.db import models, transaction
from django.utils.translation import gettext as _

from core.facts import ATTRIBUTES
from imports import staging_table, stored_rows
from imports.declared_columns import with_declared
from imports.importer import BatchLabel, ErrorCounter, ImportResult, import_parsed_rows
from imports.registry import with_published_checks
from imports.row_parser import Line, MalformedLine, RowParser
from imports.schema import FileSchema, OnError, RowError

Fact = Mapping[str, object]
"""One row as a JSON object: names of columns with strings, numbers, booleans or null."""


class Mode(Enum):
    """Meaning of a column that a fact leaves out: it keeps what is stored, or is emptied."""

    RECORD = auto()
    """New or changed facts; columns left out keep their values."""
    CHANGE = auto()
    """Facts that are recorded already; columns left out keep their values."""
    REPLACE = auto()
    """New or changed facts, each as a whole: columns left out are emptied."""


@dataclass(frozen=True, kw_only=True)
class JsonOptions:
    """Options of an import. `allow_moves` permits facts that give a stored row to another merchant or order."""

    name: str
    now: datetime
    mode: Mode = Mode.RECORD
    allow_moves: bool = False


def import_json_rows(
    schema: FileSchema, facts: Sequence[Fact], options: JsonOptions, *, on_error: OnError
) -> ImportResult:
    """Store the facts, or report each error and store nothing. The line of an error is the fact's index from 0.

    Instants need an offset.
    """
    errors = ErrorCounter(on_error)
    schema, facts = with_published_checks(with_declared(schema)), [_flat(fact) for fact in facts]
    header = [column.name for column in schema.columns]
    parser = RowParser(schema, header, zone=None)
    with transaction.atomic():
        staging_table.lock(schema)  # so that nothing changes what facts leave out
        lines = list(_Lines(schema, parser, options, errors).of(facts))
        rows = parser.rows(lines, name=options.name, on_error=errors)
        label = BatchLabel(options.name, options.now)
        return import_parsed_rows(schema, rows, columns=header, label=label, errors=errors)


@dataclass(frozen=True)
class _Lines:
    """Turns facts into the cells of a file, in the order of its columns, completed by what is stored."""

    schema: FileSchema
    parser: RowParser
    options: JsonOptions
    errors: ErrorCounter

    def of(self, facts: Sequence[Fact]) -> Iterator[Line]:
        """Yield the line of each fact; report columns that do not exist and contradictions to the stored row."""
        texts = [{name: cell_text(value) for name, value in fact.items()} for fact in facts]
        parsers = dict(zip(self.parser.header, self.parser.parsers, strict=True))
        keys = stored_rows.parse_keys(self.schema, parsers, texts)
        stored = stored_rows.fetch(self.schema, keys)
        for index, (fact, key) in enumerate(zip(texts, keys, strict=True)):
            for column in sorted(set(fact) - set(parsers)):
                self._report(index, column, "", self.schema.unknown_column(column), "unknown")
            malformed = [name for name in self.parser.header if name in fact and fact[name] is None]
            if malformed:
                reason = _("%(column)s: a text, a number, true, false or null is needed") % {"column": malformed[0]}
                yield index, MalformedLine(reason)
                continue
            stated = {name: text for name, text in fact.items() if text is not None}
            if key is not None and key in stored:
                yield self._stored(index, stated, stored[key])
            elif key is not None and self.options.mode is Mode.CHANGE:
                column = self.schema.key[-1]
                self._report(index, column, stated[column], _("is not recorded"), "unknown")
            else:
                yield index, self._cells(stated)

    def _stored(self, index: int, stated: Mapping[str, str], row: models.Model) -> Line:
        if not self.options.allow_moves:
            for column, value, reason in stored_rows.moves(self.schema, row, stated):
                self._report(index, column, value, reason, "conflict")
        kept = {} if self.options.mode is Mode.REPLACE else stored_rows.cells(self.schema, row)
        return index, self._cells({**kept, **stated})

    def _cells(self, stated: Mapping[str, str]) -> list[str]:
        return [stated.get(name, "") for name in self.parser.header]

    def _report(self, index: int, column: str, value: str, reason: str, code: str) -> None:
        self.errors(RowError(self.options.name, index, column, value, reason, code))


def _flat(fact: Fact) -> Fact:
    """Return a fact with the columns of a file: one for each of its `attributes`."""
    attributes = fact.get(ATTRIBUTES)
    if not isinstance(attributes, Mapping):
        return fact
    own = {name: value for name, value in fact.items() if name != ATTRIBUTES}
    return {**own, **{f"{ATTRIBUTES}.{name}": value for name, value in attributes.items()}}


def cell_text(value: object) -> str | None:
    """Return a JSON value as a file would write it; None for a list or an object, which no cell can hold."""
    match value:
        case None:
            return ""
        case bool():
            return str(int(value))
        case str():
            # A NUL would mark the cell as one of a spreadsheet without a usable value.
            return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
        case int() | Decimal():
            return str(value)
        case _:
            return None
