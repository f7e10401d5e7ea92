"""Signs of life: written by those who must run all the time, read by `campaigns.monitoring.health`."""

from datetime import datetime

from campaigns.models import Heartbeat

BEAT, WORKER, INVARIANTS = "beat", "worker", "invariants"


def show(name: str, *, at: datetime, said: str = "") -> None:
    """Note that `name` was at work at `at`, by the host's clock, and what it found, if it looks for something."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": at, "said": said[:500]})
