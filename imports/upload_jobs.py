"""Upload jobs: a file is uploaded, checked, previewed, confirmed and imported. Before that no fact is stored.

Small files are checked and imported within the request, larger ones by a worker; both run the same job. Instants named
`at` and those of `clock` are of the host's clock; `now` is the business instant after which a fact is in the future.
"""

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q

from core import spreadsheets
from core.jobs import Clock, Columns, JobQueue
from imports.file_reader import BACKGROUND_LIMIT, UPLOAD_LIMIT, ConversionLimit
from imports.importer import ImportOptions, ImportResult, import_file, read_options
from imports.mapping_loader import load_mapping
from imports.models import Upload
from imports.registry import find_schema
from imports.rejected_rows import RejectedRows
from imports.schema import ErrorKinds, FileSchema, RowError

Status = Upload.Status
LARGE = 5_000_000
"""Bytes from which a file is checked by a worker."""
MAX_SIZE = 100_000_000
"""Most bytes of an upload. The command `import_facts` has no such limit."""
CONFIRM_WITHIN = timedelta(hours=1)
"""Time after which a checked file that nobody confirmed expires."""
KEEP_REJECTED_FOR = timedelta(days=1)
"""Time for which the uploader of a rejected file finds its rows with the errors beside them."""
COUNTS = ("added", "changed", "unchanged", "future", "errors")


def _failure(error: str, at: datetime) -> Columns:
    return {"status": Status.FAILED, "errors": [error[:500]], "content": b"", "seen_at": at}


QUEUE = JobQueue(
    model=Upload,
    running={Status.WAITING: Status.CHECKING, Status.CONFIRMED: Status.IMPORTING},
    failure=_failure,
)


def create(
    schema: FileSchema,
    name: str,
    content: bytes,
    *,
    in_background: bool = False,
    mapping: str = "",
    encoding: str = "",
    at: datetime,
    by: AbstractBaseUser,
) -> Upload:
    """Store a file, which waits to be checked: in the background if that is wanted, or the file is large."""
    return Upload.objects.create(
        kind=schema.name,
        name=name[:200],
        content=content,
        size=len(content),
        in_background=in_background or len(content) >= LARGE,
        mapping=mapping,
        encoding=encoding,
        uploader_id=by.pk,
        uploaded_by=by.get_username(),
        uploaded_at=at,
        seen_at=at,
    )


def confirm(upload: Upload, *, at: datetime, by: AbstractBaseUser) -> bool:
    """Let a checked file be imported. Return False when it is not checked, confirmed already, or somebody else's."""
    checked = Upload.objects.filter(pk=upload.pk, status=Status.CHECKED, uploader=by.pk)
    confirmed = bool(checked.update(status=Status.CONFIRMED, rows=0, seen_at=at))
    upload.refresh_from_db(fields=["status"])
    return confirmed


def expire(*, at: datetime) -> int:
    """Delete the contents of checked files that nobody confirmed within an hour, and of rejected ones after a day.

    Return how many. The contents of a rejected or failed file are deleted at once, its rows on the page after a day.
    """
    forgotten = Upload.objects.filter(status=Status.CHECKED, seen_at__lte=at - CONFIRM_WITHIN)
    rejected = Upload.objects.filter(status__in=(Status.REJECTED, Status.FAILED), seen_at__lte=at - KEEP_REJECTED_FOR)
    has_rows = Q(rejected_rows__isnull=False) | ~Q(sample=[])
    expired = forgotten.update(status=Status.EXPIRED, content=b"", sample=[], seen_at=at)
    return expired + rejected.filter(has_rows).update(rejected_rows=None, sample=[])


def run(upload: Upload, *, now: datetime, clock: Clock) -> None:
    """Check a waiting file, or import a confirmed one. The outcome is stored in its row; nothing is raised."""
    QUEUE.run(upload, lambda: _process(upload, now=now, clock=clock), clock=clock)


def conversion_limit(upload: Upload) -> ConversionLimit:
    """Return the limit for reading the upload if it is a workbook."""
    return BACKGROUND_LIMIT if upload.in_background else UPLOAD_LIMIT


def _process(upload: Upload, *, now: datetime, clock: Clock) -> Columns:
    with tempfile.NamedTemporaryFile(suffix=Path(upload.name).suffix) as copy, Progress(upload, clock) as progress:
        copy.write(upload.content)
        copy.flush()
        options = ImportOptions(
            zone=ZoneInfo(settings.TIME_ZONE),
            now=now,
            limit=conversion_limit(upload),
            dry_run=upload.status == Status.WAITING,
            on_progress=progress,
            mapping=load_mapping(upload.mapping) if upload.mapping else None,
            encoding=upload.encoding,
        )
        return {**_import(upload, Path(copy.name), options), "seen_at": clock()}


def _import(upload: Upload, path: Path, options: ImportOptions) -> Columns:
    schema = find_schema(upload.kind)
    kinds = ErrorKinds()
    rejected_rows = RejectedRows()

    def on_error(error: RowError) -> None:
        rejected_rows.add(error)
        kinds.add(error)

    result = import_file(schema, path, options, on_error=on_error, name=upload.name)
    columns = {**_summary(result), "errors": kinds.all()}
    if not result.succeeded:
        reading = read_options(schema, options.mapping, options.encoding)
        csv = rejected_rows.as_csv(path, limit=options.limit, options=reading)
        return {**columns, "status": Status.REJECTED, "rejected_rows": csv, "content": b""}
    if options.dry_run:
        return {**columns, "status": Status.CHECKED}
    return {**columns, "status": Status.IMPORTED, "batch_id": result.batch, "content": b""}


def _summary(result: ImportResult) -> Columns:
    zone = ZoneInfo(result.zone or settings.TIME_ZONE)
    sample = [
        [effect, [_cell(value, old, zone, effect) for value, old in zip(values, stored, strict=True)]]
        for effect, values, stored in result.sample
    ]
    counts = {name: int(getattr(result, name)) for name in COUNTS}
    text = {"encoding": result.encoding, "notes": list(result.notes)}
    return {"rows": result.rows, "counts": counts, "sample": sample, "zone": result.zone, **text}


def _cell(value: object, stored: object, zone: ZoneInfo, effect: str) -> list[str | None]:
    """Return a value of the preview and, if the import changes it, the stored one; instants on the file's clock."""
    changes = effect == "update" and value != stored
    return [_shown(value, zone), _shown(stored, zone) if changes else None]


def _shown(value: object, zone: ZoneInfo) -> str:
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    return str(spreadsheets.to_cell(value))


class Progress:
    """Stores how many rows were read. It opens a connection of its own: the other one is busy copying rows.

    Not on SQLite, which has a single writer: there only the status is shown.
    """

    def __init__(self, upload: Upload, clock: Clock) -> None:
        self.upload = upload
        self.clock = clock
        self.connection: BaseDatabaseWrapper | None = None

    def __enter__(self) -> "Progress":
        return self

    def __call__(self, rows: int) -> None:
        if connection.vendor != "postgresql":
            return
        self.connection = self.connection or connection.copy()
        with self.connection.cursor() as cursor:
            sql = f"UPDATE {Upload._meta.db_table} SET rows = %s, seen_at = %s WHERE id = %s"  # noqa: S608  own name
            cursor.execute(sql, [rows, self.clock(), self.upload.pk])

    def __exit__(self, *_error: object) -> None:
        if self.connection is not None:
            self.connection.close()
