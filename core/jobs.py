"""Background jobs: a row that waits, is claimed by one worker, and ends done, failed or cancelled.

Instants here are those of the host's clock, not of the business clock: they measure whether a worker is alive.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model, QuerySet

logger = logging.getLogger(__name__)
STALLED_AFTER = timedelta(hours=1)
LOST_WORKER = "the worker was lost"
Clock = Callable[[], datetime]
Columns = dict[str, Any]


class CancelledError(Exception):
    """The job was cancelled, or failed as stalled, while its worker ran it."""


@dataclass(frozen=True, kw_only=True)
class JobQueue:
    """Jobs of one model, which has the columns `status` and `seen_at` (instant of the worker's last heartbeat).

    `running` maps each status in which a job waits for a worker to the status in which a worker runs it. `failure`
    takes the text of an error and an instant, and returns the columns of a failed job, its status included.
    """

    model: type[Model]
    running: Mapping[str, str]
    failure: Callable[[str, datetime], Columns]

    def waiting(self) -> "QuerySet[Any]":
        """Return the jobs that wait for a worker, oldest first."""
        return self.model._default_manager.filter(status__in=self.running).order_by("pk")

    def run(self, job: Any, work: Callable[[], Columns], *, clock: Clock) -> None:
        """Claim the job and write the columns that `work` returns into its row, unless another worker has claimed it.

        `job.status` keeps the status in which the job waited while `work` runs. Nothing is raised: an exception of
        `work` is logged and fails the job.
        """
        if self._claim(job, at=clock()):
            try:
                columns = work()
            except CancelledError:
                columns = {}
            except Exception as error:
                logger.exception("%s %s failed", type(job).__name__, job.pk)
                columns = self.failure(f"{type(error).__name__}: {error}", clock())
            if columns:
                self._running(job).update(**columns)
        job.refresh_from_db()

    def heartbeat(self, job: object, *, at: datetime, **progress: object) -> None:
        """Write that the job's worker is alive, and how far it is. Raises CancelledError when the job has ended."""
        if not self._running(job).update(**progress, seen_at=at):
            raise CancelledError

    def cancel(self, job: object, **columns: object) -> bool:
        """Write the columns of a cancelled job; its worker stops at its next heartbeat. False when it has ended."""
        unfinished = {*self.running, *self.running.values()}
        return bool(self._row(job).filter(status__in=unfinished).update(**columns))

    def fail_stalled(self, *, at: datetime) -> int:
        """Fail the jobs whose worker has given no heartbeat for an hour. Returns how many."""
        stalled = self.model._default_manager.filter(status__in=self.running.values(), seen_at__lte=at - STALLED_AFTER)
        return stalled.update(**self.failure(LOST_WORKER, at))

    def _claim(self, job: Any, *, at: datetime) -> bool:
        if job.status not in self.running:
            return False
        # Guarded by the status in the database: of several workers one updates the row.
        waiting = self._row(job).filter(status=job.status)
        return bool(waiting.update(status=self.running[job.status], seen_at=at))

    def _running(self, job: Any) -> "QuerySet[Any]":
        return self._row(job).filter(status=self.running[job.status])

    def _row(self, job: Any) -> "QuerySet[Any]":
        return self.model._default_manager.filter(pk=job.pk)
