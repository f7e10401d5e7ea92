"""Large files, checked and taken by a worker while their sender watches: sent, checked, confirmed, taken."""

import logging
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from imports.importer import ImportResult, import_file
from imports.models import Upload
from imports.schema import FileSchema, RowError

logger = logging.getLogger(__name__)
Status = Upload.Status
LARGE = 5_000_000
"""A file of so many bytes is not taken while its sender waits for the page."""
MOST = 100_000_000
"""A larger file is not taken from a page at all; the command line has no such bound."""
MOST_TOLD = 100
PATIENCE = timedelta(hours=1)
STEP = {Status.WAITING: Status.CHECKING, Status.CONFIRMED: Status.TAKING}


def send(file: FileSchema, name: str, content: bytes, *, at: datetime, by: str) -> Upload:
    """Keep a file for a worker to check. `at` is an instant of the host's clock, as everywhere here."""
    return Upload.objects.create(
        kind=file.name, name=name[:200], content=content, size=len(content), asked_by=by, asked_at=at, seen_at=at
    )


def confirm(upload: Upload, *, at: datetime) -> bool:
    """Have a checked file taken. False where it is not checked, or confirmed already."""
    checked = Upload.objects.filter(pk=upload.pk, status=Status.CHECKED)
    return bool(checked.update(status=Status.CONFIRMED, rows=0, seen_at=at))


def fail_stalled(*, at: datetime) -> int:
    """Call those failed whose worker has made no step for an hour. Returns how many."""
    lost = Upload.objects.filter(status__in=STEP.values(), seen_at__lte=at - PATIENCE)
    return lost.update(status=Status.FAILED, complaints=["the worker was lost"], seen_at=at)


def run(upload: Upload, file: FileSchema, *, now: datetime, clock: Callable[[], datetime]) -> None:
    """Check the file, or take it where it is confirmed, unless another worker does. It says itself what came of it.

    `now` is the business instant after which a fact lies in the future, `clock` gives the instant of the host.
    """
    was = Status(upload.status)
    mine = Upload.objects.filter(pk=upload.pk)
    if was not in STEP or not mine.filter(status=was).update(status=STEP[was], seen_at=clock()):
        return
    try:
        ended = _taken(upload, file, keep=was == Status.CONFIRMED, now=now, clock=clock)
    except Exception as error:
        logger.exception("Upload %s failed", upload.pk)
        ended = {"status": Status.FAILED, "complaints": [f"{type(error).__name__}: {error}"[:500]]}
    mine.filter(status=STEP[was]).update(**ended, seen_at=clock())
    upload.refresh_from_db()


def _taken(
    upload: Upload, file: FileSchema, *, keep: bool, now: datetime, clock: Callable[[], datetime]
) -> dict[str, Any]:
    told: list[str] = []

    def tell(complaint: RowError) -> None:
        if len(told) < MOST_TOLD:
            told.append(str(complaint))

    with tempfile.NamedTemporaryFile(suffix=Path(upload.name).suffix) as copy, Watch(upload, clock) as watch:
        copy.write(upload.content)
        copy.flush()
        outcome = import_file(
            file, Path(copy.name), zone=ZoneInfo(settings.TIME_ZONE), now=now, report=tell, name=upload.name, keep=keep,
            watch=watch,
        )  # fmt: skip
    status = (Status.TAKEN if keep else Status.CHECKED) if outcome.taken else Status.REFUSED
    found = {"rows": outcome.rows, "complaints": told, "batch_id": outcome.batch}
    return {**found, "status": status, "outcome": _counts(outcome)}


def _counts(outcome: ImportResult) -> dict[str, int]:
    counts = {name: getattr(outcome, name) for name in ("added", "changed", "unchanged", "future", "complaints")}
    return {name: int(n) for name, n in counts.items()}


class Watch:
    """Notes how many rows were read, on a connection of its own: the other one is busy with them.

    Not on SQLite, which has one writer: there only the state is seen.
    """

    def __init__(self, upload: Upload, clock: Callable[[], datetime]) -> None:
        self.upload, self.clock = upload, clock
        self.own = connection.copy() if connection.vendor == "postgresql" else None

    def __enter__(self) -> "Watch":
        return self

    def __call__(self, rows: int) -> None:
        if self.own is not None:
            with self.own.cursor() as cursor:
                sql = f"UPDATE {Upload._meta.db_table} SET rows = %s, seen_at = %s WHERE id = %s"  # noqa: S608  own name
                cursor.execute(sql, [rows, self.clock(), self.upload.pk])

    def __exit__(self, *_error: object) -> None:
        if self.own is not None:
            self.own.close()
