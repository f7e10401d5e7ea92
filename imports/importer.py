"""A file is taken whole or not at all."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from imports import staging_table
from imports.cell_parsers import CellError
from imports.file_reader import COMMAND_LIMIT, ConversionLimit, open_file
from imports.models import ImportBatch
from imports.schema import FileSchema, Line, OnError, Parser, Row, RowError

EVERY = 5_000
SAMPLE = 20  # rows that a preview shows


@dataclass(frozen=True)
class ImportResult:
    """What became of a file: how many rows it had and what they did, or how many complaints there were."""

    name: str
    rows: int = 0
    added: int = 0
    changed: int = 0
    future: int = 0
    complaints: int = 0
    batch: int | None = None
    sample: Sequence[tuple[str, tuple[Any, ...]]] = ()

    @property
    def unchanged(self) -> int:
        return self.rows - self.added - self.changed

    @property
    def taken(self) -> bool:
        return not self.complaints


class ErrorCounter:
    """Passes each complaint on and counts them, keeping none: a file may hold a million."""

    def __init__(self, report: OnError) -> None:
        self.report = report
        self.count = 0

    def __call__(self, complaint: RowError) -> None:
        self.count += 1
        self.report(complaint)


def import_file(
    file: FileSchema,
    path: Path,
    *,
    zone: tzinfo,
    now: datetime,
    report: OnError,
    name: str = "",
    limit: ConversionLimit = COMMAND_LIMIT,
    keep: bool = True,
    watch: Callable[[int], object] = bool,
) -> ImportResult:
    """Store the rows of `path`, or tell `report` of each one that is wrong and store nothing.

    Instants without an offset are in `zone`; rows with one later than `now` are counted as future. `name` is the
    file's own where `path` is a copy. With `keep=False` all is done and checked, nothing stays, and the outcome has
    a sample of the rows. `watch` is told how many rows were read, now and then. Neither `report` nor `watch` may use
    this connection to the database: they are called while rows are on their way there.
    """
    name = name or path.name
    complaints = ErrorCounter(report)
    try:
        with open_file(path, limit=limit) as source:
            for column, reason in file.header_complaints(source.header):
                complaints(RowError(name, 1, column, column, reason))
            if complaints.count:
                return ImportResult(name, complaints=complaints.count)
            lines = _watched(source.lines, watch)
            rows = Parser(file, source.header, zone=zone).rows(lines, name=name, report=complaints)
            return import_parsed_rows(
                file, rows, name=name, digest=source.digest, now=now, complaints=complaints, keep=keep
            )
    except CellError as refusal:
        complaints(RowError(name, 0, "", "", str(refusal)))
        return ImportResult(name, complaints=complaints.count)


def _watched(lines: Iterable[Line], watch: Callable[[int], object]) -> Iterator[Line]:
    for n, line in enumerate(lines, start=1):
        if n % EVERY == 0:
            watch(n)
        yield line


def import_parsed_rows(
    file: FileSchema,
    rows: Iterable[Row],
    *,
    name: str,
    now: datetime,
    complaints: ErrorCounter,
    digest: str = "",
    keep: bool = True,
) -> ImportResult:
    """Store parsed rows, `(line number, *values)`, wherever they come from: all, or none where there are complaints."""
    with staging_table.staged(file, rows) as count, transaction.atomic():
        sample = () if keep or complaints.count else staging_table.sample(file, SAMPLE)
        outcome = _merged(file, count=count, name=name, digest=digest, now=now, complaints=complaints)
        if not keep:
            transaction.set_rollback(True)
    return outcome if keep else replace(outcome, batch=None, sample=sample)


def _merged(
    file: FileSchema, *, count: int, name: str, digest: str, now: datetime, complaints: ErrorCounter
) -> ImportResult:
    staging_table.lock(file)
    _compare(file, name=name, complaints=complaints)
    if complaints.count:
        return ImportResult(name, rows=count, complaints=complaints.count)
    if file.apart:
        staging_table.join_apart(file, file.apart)
    batch = ImportBatch.objects.create(source=name[:200], digest=digest, recorded_at=now)
    batch.rows, batch.future = count, staging_table.future(file, now)
    batch.changed = staging_table.update(file, batch.pk)
    with staging_table.filling(file, count):
        batch.added = staging_table.insert(file, batch.pk)
    # Where nothing changed there is nothing that an offer would have to look at again.
    batch.processed = not (batch.added or batch.changed)
    batch.save()
    return ImportResult(name, count, batch.added, batch.changed, batch.future, batch=batch.pk)


def _compare(file: FileSchema, *, name: str, complaints: ErrorCounter) -> None:
    """Complain of what only shows between rows: keys that stand twice, and names of rows that are not there."""
    for line, earliest, key in staging_table.doubled(file):
        reason = _("stands in line %d already") % earliest
        complaints(RowError(name, line, ", ".join(file.key), key, reason))
    for column, parent in file.references.items():
        for line, code in staging_table.orphans(column, parent):
            reason = _("unknown %(kind)s %(code)s") % {"kind": parent._meta.verbose_name, "code": code}
            complaints(RowError(name, line, column.name, code, reason))
