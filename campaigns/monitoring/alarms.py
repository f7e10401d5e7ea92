"""Alarms: health checks that have failed for some minutes, so that a restart or a long run alarms nobody."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from campaigns.models import Heartbeat
from campaigns.monitoring import heartbeat
from campaigns.monitoring.health import Check

NAME = "alarms"
AFTER = timedelta(minutes=5)
"""Time without a break for which a check fails before operators are told."""
ELSEWHERE = frozenset({"beat", "worker", "steps"})
"""Checks of the processes that would tell, and of paused jobs, each of which is told of by its name."""


def due(checks: Iterable[Check], *, now: datetime) -> list[Check]:
    """Return the checks that fail and have failed at every call within AFTER, and store since when each fails."""
    failing = [check for check in checks if not check.ok and check.key not in ELSEWHERE]
    before = _before(now)
    since = {check.key: before.get(check.key, int(now.timestamp())) for check in failing}
    heartbeat.record(NAME, at=now, message=json.dumps(since, separators=(",", ":")))
    return [check for check in failing if datetime.fromtimestamp(since[check.key], UTC) <= now - AFTER]


def _before(now: datetime) -> dict[str, int]:
    """Return since when each check fails, by the call before; nothing after a pause: that was a restart."""
    row = Heartbeat.objects.filter(pk=NAME, at__gt=now - AFTER).first()
    found: dict[str, int] = json.loads(row.message) if row else {}
    return found
