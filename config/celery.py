"""The Celery application, and tasks as bells."""

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
    """A task whose call never fails its caller.

    What is to be done is in the database; the message only says "now". When the broker does not answer, that is
    logged and the sweep does the work later. After a failure the bell stays silent for a few seconds, so that
    only one caller in that time waits for the time-out of a hanging broker.
    """

    silence = 5.0
    _silent_until = 0.0

    def apply_async(self, *args: Any, **options: Any) -> AsyncResult[Any]:
        """Send the message if the broker takes it."""
        if time.monotonic() >= BestEffortTask._silent_until:
            try:
                return super().apply_async(*args, **options)
            except (OperationalError, OSError) as error:
                BestEffortTask._silent_until = time.monotonic() + self.silence
                logger.warning("The broker did not take %s, the sweep will: %s", self.name, error)
        return self.AsyncResult(str(uuid4()))


app = Celery("fairground", task_cls=BestEffortTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_configure.connect
def _tell_runs(sender: Celery, **_: Any) -> None:
    """Settings are read when they are there: this module is imported while they come into being."""
    if settings.JSON_LOGS:
        sender.steps["worker"].add(DjangoStructLogInitStep)
