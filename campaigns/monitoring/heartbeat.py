"""Heartbeats of the processes that must run all the time, for `campaigns.monitoring.health`."""

from datetime import datetime

from campaigns.models import Heartbeat

BEAT, WORKER, INVARIANTS = "beat", "worker", "invariants"
LONGEST_MESSAGE = 500


def record(name: str, *, at: datetime, message: str = "") -> None:
    """Store that `name` was at work at the instant `at` of the host's clock, with the result of a check."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": at, "message": message[:LONGEST_MESSAGE]})
