"""Celery beat with a heartbeat, so that the operators' overview reports a dead beat within a minute."""

import logging
import time
from datetime import UTC, datetime
from typing import Any

import celery.beat
from django.db import DatabaseError, close_old_connections

logger = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 10.0


class Scheduler(celery.beat.Scheduler):
    """Celery's in-memory scheduler. It stores nothing: tasks read from the database what has to be done."""

    _last_heartbeat = float("-inf")

    def tick(self, *args: Any, **options: Any) -> Any:
        """Send due messages, and record a heartbeat every 10 seconds."""
        if time.monotonic() - self._last_heartbeat >= HEARTBEAT_SECONDS:
            self._last_heartbeat = time.monotonic()
            self._record_heartbeat()
        return super().tick(*args, **options)

    def _record_heartbeat(self) -> None:
        from campaigns.monitoring import heartbeat  # noqa: PLC0415  beat is configured before the apps are loaded

        close_old_connections()
        try:
            heartbeat.record(heartbeat.BEAT, at=datetime.now(UTC))
        except DatabaseError:  # beat must go on: messages need no database
            logger.warning("Beat could not record its heartbeat", exc_info=True)
