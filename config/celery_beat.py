"""Beat, with signs of life: the operators' board tells a dead beat within a minute."""

import logging
import time
from datetime import UTC, datetime
from typing import Any

import celery.beat
from django.db import DatabaseError, close_old_connections

logger = logging.getLogger(__name__)
EVERY = 10.0


class Scheduler(celery.beat.Scheduler):
    """Celery's scheduler in memory. What is due is decided from the database, so it has nothing to remember."""

    _shown_at = float("-inf")

    def tick(self, *args: Any, **options: Any) -> Any:
        """Show a sign of life every 10 seconds; a database that does not answer must not stop beat."""
        if time.monotonic() - self._shown_at >= EVERY:
            self._shown_at = time.monotonic()
            self._show()
        return super().tick(*args, **options)

    def _show(self) -> None:
        from campaigns.monitoring import heartbeat  # noqa: PLC0415  beat is configured before the apps are there

        close_old_connections()
        try:
            heartbeat.show(heartbeat.BEAT, at=datetime.now(UTC))
        except DatabaseError:
            logger.warning("Beat could not show that it is alive", exc_info=True)
