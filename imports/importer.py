"""Importer of facts: the rows of a file or of a call are stored all together or not at all."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from core.db import planner_hints
from imports import first_load, registry, staging_checks, staging_table
from imports.column_mapping import ColumnMapping, MappedLines
from imports.columns import CellError
from imports.declared_columns import with_declared
from imports.file_reader import COMMAND_LIMIT, ConversionLimit, OpenedFile, ReadOptions, open_file
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

    `sample` has the first rows of a dry run, as `(effect, values, stored values)` with the effect `new`, `update` or
    `skip`. `zone` is that in which instants without an offset were read.
    `encoding` is that of a text file; `notes` tell people what was unusual.
    """

    name: str
    rows: int = 0
    added: int = 0
    changed: int = 0
    future: int = 0
    errors: int = 0
    batch: int | None = None
    sample: Sequence[staging_table.SampleRow] = ()
    zone: str = ""
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


@dataclass(frozen=True)
class BatchLabel:
    """Name of an import's file or call, the instant of the import, and the digest of the file."""

    name: str
    now: datetime
    digest: str = ""


class ErrorCounter:
    """Passes each error on and counts it. Errors are not collected: a file may have a million."""

    def __init__(self, on_error: OnError) -> None:
        self.on_error = on_error
        self.count = 0

    def __call__(self, error: RowError) -> None:
        self.count += 1
        self.on_error(error)


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """Options of reading files and storing their rows.

    Instants without an offset are read in `zone`; rows with an instant after `now` are counted as future. A dry run
    does everything, stores nothing and returns a sample of the rows. `on_progress` gets the number of rows read, every
    5,000 rows. `mapping` is for a file with the columns of another system; it and `encoding` replace what would be
    found in the file.
    """

    zone: tzinfo
    now: datetime
    limit: ConversionLimit = COMMAND_LIMIT
    dry_run: bool = False
    on_progress: Callable[[int], object] = bool
    mapping: ColumnMapping | None = None
    encoding: str = ""


def import_file(
    schema: FileSchema, path: Path, options: ImportOptions, *, on_error: OnError, name: str = ""
) -> ImportResult:
    """Store the rows of the file at `path`, or report each error and store nothing.

    `name` is the original name of the file where `path` is a copy. Neither `on_error` nor `on_progress` may use this
    database connection: they are called while rows are being copied over it.
    """
    name, schema = name or path.name, registry.with_published_checks(with_declared(schema))
    errors = ErrorCounter(on_error)
    try:
        reading = read_options(schema, options.mapping, options.encoding)
        with open_file(path, limit=options.limit, options=reading) as file:
            result = _import_opened(schema, file, options, name=name, errors=errors)
            return replace(result, encoding=file.encoding, notes=[*file.notes, *result.notes])
    except CellError as error:
        errors(RowError(name, 0, "", "", str(error)))
        return ImportResult(name, errors=errors.count)


def _import_opened(
    schema: FileSchema, file: OpenedFile, options: ImportOptions, *, name: str, errors: ErrorCounter
) -> ImportResult:
    mapping = options.mapping
    header_errors = (mapping or schema).header_errors(file.header)
    for column, reason in summarize_header_errors(list(header_errors), mapped=bool(mapping)):
        errors(RowError(name, file.header_line, column, column, reason))
    if errors.count:
        return ImportResult(name, errors=errors.count)
    header, zone, converters = file.header, options.zone, None
    lines: Iterable[Line] = file.lines
    if mapping:
        header, zone, converters = list(mapping.columns), mapping.zone or zone, mapping.converters()
        lines = mapped = MappedLines(mapping, file.header, file.lines)
    parser = RowParser(schema, header, zone=zone, converters=converters)
    rows = parser.rows(_with_progress(lines, options.on_progress), name=name, on_error=errors)
    label = BatchLabel(name, options.now, file.digest)
    result = import_parsed_rows(schema, rows, columns=header, label=label, errors=errors, dry_run=options.dry_run)
    result = replace(result, zone=str(zone))
    return replace(result, notes=[*mapped.notes(), *result.notes]) if mapping else result


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
    label: BatchLabel,
    errors: ErrorCounter,
    dry_run: bool = False,
) -> ImportResult:
    """Store parsed rows, all of them, or none where `errors` counts any.

    `columns` are those that the rows state: the others keep their stored values. The rows are consumed first, so that
    `errors` may be counted while they are parsed.
    """
    with staging_table.staged(schema, rows, columns) as count, transaction.atomic():
        staging_table.lock(schema)
        notes = _complete(schema, columns)
        _check_between_rows(schema, name=label.name, on_error=errors)
        if errors.count:
            return ImportResult(label.name, rows=count, errors=errors.count)
        sample = staging_table.sample(schema, SAMPLE) if dry_run else ()
        result = replace(_merge(schema, label, count=count), notes=notes, sample=sample)
        if dry_run:
            transaction.set_rollback(True)
    return replace(result, batch=None) if dry_run else result


def _complete(schema: FileSchema, columns: Sequence[str]) -> list[str]:
    """Fill the staged rows with what is stored and they do not state; return notes for people."""
    if schema.split_events:
        staging_table.join_split_events(schema, schema.split_events)
    staging_table.keep_stored_values(schema, columns)
    if schema.attributes:
        staging_table.merge_attributes(schema)
    emptied = staging_table.count_emptied(schema)
    return [_("stored values that become empty: %d") % emptied] if emptied else []


def _merge(schema: FileSchema, label: BatchLabel, *, count: int) -> ImportResult:
    batch = ImportBatch.objects.create(source=label.name[:200], digest=label.digest, recorded_at=label.now)
    batch.rows, batch.future = count, staging_table.count_future(schema, label.now)
    staging_table.record_former_parents(schema, batch.pk)
    batch.changed = staging_table.update(schema, batch.pk)
    with first_load.fast_first_load(schema, count):
        batch.added = staging_table.insert(schema, batch.pk)
    planner_hints.analyze_filled(batch.added + batch.changed)
    # A batch without any change gives the engine nothing to decide.
    batch.processed = not (batch.added or batch.changed)
    batch.save()
    return ImportResult(
        label.name, rows=count, added=batch.added, changed=batch.changed, future=batch.future, batch=batch.pk
    )


def _check_between_rows(schema: FileSchema, *, name: str, on_error: OnError) -> None:
    """Report keys that the file repeats, and references to rows that are not stored or belong to somebody else."""
    for line, first_line, key in staging_checks.duplicates(schema):
        reason = _("stands in line %d already") % first_line
        on_error(RowError(name, line, ", ".join(schema.key), key, reason, "duplicate"))
    for column, parent in schema.references.items():
        for line, code in staging_checks.missing_references(column, parent):
            reason = _("unknown %(kind)s %(code)s") % {"kind": parent._meta.verbose_name, "code": code}
            on_error(RowError(name, line, column.name, code, reason, "unknown"))
    for rule in schema.agreements:
        kind = staging_checks.owner_kind(schema, rule)
        for line, code, found, own in staging_checks.disagreements(schema, rule):
            words = {"kind": kind, "found": found or "–", "own": own or "–"}
            reason = _("belongs to %(kind)s %(found)s, and the row to %(own)s: both must be the same") % words
            on_error(RowError(name, line, rule.reference, code, reason, "conflict"))
    for known in registry.known_values(schema):
        column = schema.columns_by_name[known.column]
        for line, code in staging_checks.unknown_values(column, [values() for values in known.values]):
            reason = _("unknown %(kind)s %(code)s") % {"kind": known.kind, "code": code}
            on_error(RowError(name, line, column.name, code, reason, "unknown"))
