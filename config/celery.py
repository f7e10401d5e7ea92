"""Celery application. Messages to it are best effort: the database holds the work."""

import logging
import os
import time
from typing import Any
from uuid import uuid4

from celery import Celery
from celery.contrib.django.task import DjangoTask
from celery.result import AsyncResult
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
logger = logging.getLogger(__name__)


class BestEffortTask(DjangoTask):  # type: ignore[type-arg]  # generic in the stubs only
    """Task whose `delay` and `apply_async` never fail their caller.

    The work is in the database; the message only starts it at once. If the broker does not answer, the failure is
    logged and the next sweep does the work. After a failure no message is sent for `retry_after` seconds, so that only
    one caller in that time waits for the time-out of a hanging broker.
    """

    retry_after = 5.0
    _suspended_until = 0.0

    def apply_async(self, *args: Any, **options: Any) -> AsyncResult[Any]:
        """Send the message, unless the broker failed just now. Return a result that is never ready."""
        if time.monotonic() >= BestEffortTask._suspended_until:
            try:
                return super().apply_async(*args, **options)
            except (OperationalError, OSError) as error:
                BestEffortTask._suspended_until = time.monotonic() + self.retry_after
                logger.warning("The broker did not accept %s, the next sweep will do its work: %s", self.name, error)
        return self.AsyncResult(str(uuid4()))


app = Celery("fairground", task_cls=BestEffortTask)
app.config_from_object("config.celery_settings")
app.autodiscover_tasks()


@app.on_after_configure.connect
def _add_log_context(sender: Celery, **_: object) -> None:
    """Add each task's id and name to JSON logs. Settings are not loaded yet when this module is imported."""
    if settings.JSON_LOGS:
        sender.steps["worker"].add(DjangoStructLogInitStep)
