"""Importer of facts: the rows of a file or of a call are stored all together or not at all."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.db import planner_hints
from imports import staging_table
from imports.column_mapping import ColumnMapping, MappedLines
from imports.columns import CellError
from imports.file_reader import COMMAND_LIMIT, ConversionLimit, ReadOptions, open_file
from imports.models import ImportBatch
from imports.row_parser import Line, Row, RowParser
from imports.schema import FileSchema, OnError, RowError, summarize_header_errors
from imports.text_format import checked_encoding

PROGRESS_STEP = 5_000
"""Rows between two reports of progress."""
SAMPLE = 20
"""Rows that a preview shows."""


@dataclass(frozen=True)
class ImportResult:
    """Counts of one import. `batch` is the key of its ImportBatch, None where nothing was stored.

    `sample` has the first rows of a dry run, as `(effect, values)` with the effect `new`, `update` or `skip`.
    `encoding` is that of a text file; `notes` tell people what was unusual.
    """

    name: str
    rows: int = 0
    added: int = 0
    changed: int = 0
    future: int = 0
    errors: int = 0
    batch: int | None = None
    sample: Sequence[tuple[str, tuple[Any, ...]]] = ()
    encoding: str = ""
    notes: Sequence[str] = ()

    @property
    def unchanged(self) -> int:
        return self.rows - self.added - self.changed

    @property
    def succeeded(self) -> bool:
        return not self.errors

    def __str__(self) -> str:
        counts = {"name": self.name, "added": self.added, "changed": self.changed}
        counts |= {"unchanged": self.unchanged, "future": self.future, "errors": self.errors}
        if self.errors:
            return _("%(name)s: not imported, errors: %(errors)d") % counts
        return (
            _("%(name)s: %(added)d new, %(changed)d changed, %(unchanged)d unchanged, %(future)d in the future")
            % counts
        )


class ErrorCounter:
    """Passes each error on and counts it. Errors are not collected: a file may have a million."""

    def __init__(self, on_error: OnError) -> None:
        self.on_error = on_error
        self.count = 0

    def __call__(self, error: RowError) -> None:
        self.count += 1
        self.on_error(error)


def import_file(
    schema: FileSchema,
    path: Path,
    *,
    zone: tzinfo,
    now: datetime,
    on_error: OnError,
    name: str = "",
    limit: ConversionLimit = COMMAND_LIMIT,
    dry_run: bool = False,
    on_progress: Callable[[int], object] = bool,
    mapping: ColumnMapping | None = None,
    encoding: str = "",
) -> ImportResult:
    """Store the rows of the file at `path`, or report each error and store nothing.

    Instants without an offset are read in `zone`; rows with an instant after `now` are counted as future. `name` is
    the original name of the file where `path` is a copy. A dry run does everything, stores nothing and returns a
    sample of the rows. `on_progress` gets the number of rows read, every 5,000 rows. Neither `on_error` nor
    `on_progress` may use this database connection: they are called while rows are being copied over it. `mapping`
    is for a file with the columns of another system; it and `encoding` replace what would be found in the file.
    """
    name = name or path.name
    errors = ErrorCounter(on_error)
    try:
        with open_file(path, limit=limit, options=read_options(schema, mapping, encoding)) as file:
            header_errors = (mapping or schema).header_errors(file.header)
            for column, reason in summarize_header_errors(list(header_errors), mapped=bool(mapping)):
                errors(RowError(name, file.header_line, column, column, reason))
            if errors.count:
                return ImportResult(name, errors=errors.count, encoding=file.encoding, notes=file.notes)
            mapped = MappedLines(mapping, file.header, file.lines) if mapping else None
            header = list(mapping.columns) if mapping else file.header
            parser = RowParser(
                schema,
                header,
                zone=(mapping and mapping.zone) or zone,
                converters=mapping.converters() if mapping else None,
            )
            lines = _with_progress(mapped or file.lines, on_progress)
            result = import_parsed_rows(
                schema,
                parser.rows(lines, name=name, on_error=errors),
                columns=header,
                name=name,
                digest=file.digest,
                now=now,
                errors=errors,
                dry_run=dry_run,
            )
            notes = [*file.notes, *(mapped.notes() if mapped else ()), *result.notes]
            return replace(result, encoding=file.encoding, notes=notes)
    except CellError as error:
        errors(RowError(name, 0, "", "", str(error)))
        return ImportResult(name, errors=errors.count)


def read_options(schema: FileSchema, mapping: ColumnMapping | None, encoding: str = "") -> ReadOptions:
    """Return the properties of a file that are known before it is opened. Raises CellError for an unknown encoding."""
    encoding = checked_encoding(encoding) if encoding else ""
    if mapping:
        names = frozenset(mapping.source_columns)
        return ReadOptions(names, names, encoding or mapping.encoding, mapping.delimiter)
    required = frozenset(column.name for column in schema.columns if schema.is_required(column))
    return ReadOptions(required, frozenset(schema.columns_by_name), encoding)


def _with_progress(lines: Iterable[Line], on_progress: Callable[[int], object]) -> Iterator[Line]:
    for count, line in enumerate(lines, start=1):
        if count % PROGRESS_STEP == 0:
            on_progress(count)
        yield line


def import_parsed_rows(
    schema: FileSchema,
    rows: Iterable[Row],
    *,
    columns: Sequence[str],
    name: str,
    now: datetime,
    errors: ErrorCounter,
    digest: str = "",
    dry_run: bool = False,
) -> ImportResult:
    """Store parsed rows, all of them, or none where `errors` counts any.

    `columns` are those that the rows state: the others keep their stored values. The rows are consumed first, so that
    `errors` may be counted while they are parsed.
    """
    with staging_table.staged(schema, rows) as count, transaction.atomic():
        staging_table.lock(schema)
        _check_between_rows(schema, name=name, on_error=errors)
        if errors.count:
            return ImportResult(name, rows=count, errors=errors.count)
        if schema.split_events:
            staging_table.join_split_events(schema, schema.split_events)
        staging_table.keep_stored_values(schema, columns)
        emptied = staging_table.count_emptied(schema)
        sample = staging_table.sample(schema, SAMPLE) if dry_run else ()
        result = _merge(schema, count=count, name=name, digest=digest, now=now)
        if dry_run:
            transaction.set_rollback(True)
    notes = [_("stored values that become empty: %d") % emptied] if emptied else []
    result = replace(result, notes=notes)
    return replace(result, batch=None, sample=sample) if dry_run else result


def _merge(schema: FileSchema, *, count: int, name: str, digest: str, now: datetime) -> ImportResult:
    batch = ImportBatch.objects.create(source=name[:200], digest=digest, recorded_at=now)
    batch.rows, batch.future = count, staging_table.count_future(schema, now)
    staging_table.record_former_parents(schema, batch.pk)
    batch.changed = staging_table.update(schema, batch.pk)
    with staging_table.fast_first_load(schema, count):
        batch.added = staging_table.insert(schema, batch.pk)
    planner_hints.analyze(batch.added + batch.changed, schema.model)
    # A batch without any change gives the engine nothing to decide.
    batch.processed = not (batch.added or batch.changed)
    batch.save()
    return ImportResult(name, rows=count, added=batch.added, changed=batch.changed, future=batch.future, batch=batch.pk)


def _check_between_rows(schema: FileSchema, *, name: str, on_error: OnError) -> None:
    """Report keys that the file repeats, and references to rows that are not stored."""
    for line, first_line, key in staging_table.duplicates(schema):
        reason = _("stands in line %d already") % first_line
        on_error(RowError(name, line, ", ".join(schema.key), key, reason))
    for column, parent in schema.references.items():
        for line, code in staging_table.missing_references(column, parent):
            reason = _("unknown %(kind)s %(code)s") % {"kind": parent._meta.verbose_name, "code": code}
            on_error(RowError(name, line, column.name, code, reason))
