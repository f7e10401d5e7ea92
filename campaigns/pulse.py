"""Signs of life: written by those who must run all the time, read by `campaigns.health`."""

from datetime import datetime

from campaigns.models import Pulse

BEAT, WORKER, INVARIANTS = "beat", "worker", "invariants"


def show(name: str, *, at: datetime, said: str = "") -> None:
    """Note that `name` was at work at `at`, by the host's clock, and what it found, if it looks for something."""
    Pulse.objects.update_or_create(name=name, defaults={"at": at, "said": said[:500]})
