"""Import of facts that arrive as JSON: the rows of a file without the file, with the same checks, all or none."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from imports.importer import BatchLabel, ErrorCounter, ImportResult, import_parsed_rows
from imports.row_parser import Line, MalformedLine, RowParser
from imports.schema import FileSchema, OnError, RowError

Fact = Mapping[str, object]
"""One row as a JSON object: names of columns with strings, numbers, booleans or null."""


def import_json_rows(
    schema: FileSchema, facts: Sequence[Fact], *, name: str, now: datetime, on_error: OnError
) -> ImportResult:
    """Store the facts, or report each error and store nothing. The line of an error is the fact's index from 0.

    A column that a fact leaves out is empty. Instants without an offset are UTC.
    """
    errors = ErrorCounter(on_error)
    header = [column.name for column in schema.columns]
    for index, fact in enumerate(facts):
        for unknown in sorted(set(fact) - set(header)):
            errors(RowError(name, index, unknown, "", _("unknown column")))
    rows = RowParser(schema, header, zone=UTC).rows(_lines(facts, header), name=name, on_error=errors)
    return import_parsed_rows(schema, rows, columns=header, label=BatchLabel(name, now), errors=errors)


def _lines(facts: Sequence[Fact], header: Sequence[str]) -> Iterator[Line]:
    for index, fact in enumerate(facts):
        cells = [_cell(fact.get(column)) for column in header]
        malformed = [column for column, cell in zip(header, cells, strict=True) if cell is None]
        if malformed:
            reason = _("%(column)s: a text, a number, true, false or null is needed") % {"column": malformed[0]}
            yield index, MalformedLine(reason)
        else:
            yield index, [cell for cell in cells if cell is not None]


def _cell(value: object) -> str | None:
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
