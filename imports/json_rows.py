"""Facts told by a call: the rows of a file without the file, with the same checks, all or none."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from imports.importer import ErrorCounter, ImportResult, import_parsed_rows
from imports.schema import FileSchema, Line, MalformedLine, OnError, Parser, RowError

Fact = Mapping[str, object]


def import_json_rows(
    file: FileSchema, facts: Sequence[Fact], *, name: str, now: datetime, report: OnError
) -> ImportResult:
    """Store the facts, or tell `report` of each that is wrong and store nothing. A complaint's line counts from 0.

    What a fact leaves out is empty, as in a file. Instants without an offset are UTC.
    """
    complaints = ErrorCounter(report)
    header = [column.name for column in file.columns]
    rows = Parser(file, header, zone=UTC).rows(_lines(facts, header), name=name, report=complaints)
    for n, fact in enumerate(facts):
        for unknown in sorted(set(fact) - set(header)):
            complaints(RowError(name, n, unknown, "", _("unknown column")))
    return import_parsed_rows(file, rows, name=name, now=now, complaints=complaints)


def _lines(facts: Sequence[Fact], header: Sequence[str]) -> Iterator[Line]:
    for n, fact in enumerate(facts):
        cells = [_cell(fact.get(column)) for column in header]
        wrong = [column for column, cell in zip(header, cells, strict=True) if cell is None]
        if wrong:
            yield (
                n,
                MalformedLine(_("%(column)s: a text, a number, true, false or null is needed") % {"column": wrong[0]}),
            )
        else:
            yield n, [cell for cell in cells if cell is not None]


def _cell(value: object) -> str | None:
    """A JSON value as a file would have it; None for what no cell can hold."""
    match value:
        case None:
            return ""
        case bool():
            return str(int(value))
        case str():
            return value.replace("\0", "\ufffd")
        case int() | Decimal():
            return str(value)
        case _:
            return None
