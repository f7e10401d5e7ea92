"""Steps of the tick for allowances: decide the requests and uses of each name, in one transaction a name."""

from datetime import datetime

from campaigns.allowances import affected, published, settling, writing
from campaigns.allowances.published import UseGroup
from campaigns.eligibility.changes import Changes
from campaigns.models import UseProgress
from core.db.transactions import repeatable


def step_name(group: UseGroup) -> str:
    """Return the name of the step of a group."""
    return f"uses: {group.use}" if group.use else "uses without an allowance"


def progress() -> dict[str, datetime | None]:
    """Return the instants up to which the uses of each name were decided."""
    return dict(UseProgress.objects.values_list("use", "decided_until"))


def decide(group: UseGroup, batches: tuple[int, ...], *, at: datetime) -> tuple[bool, int]:
    """Decide the uses of one name up to an instant.

    Returns false if they were decided further already, and how many decisions changed.
    """
    with repeatable():
        since = published.hold([group.use])[group.use]
        if since is not None and since > at:
            return False, 0
        changed = 0
        for merchants in affected.merchants(group, Changes(since, at, batches)):
            changed += writing.store(settling.settle(group, merchants, until=at), at=at)
        UseProgress.objects.filter(use=group.use).update(decided_until=at)
    return True, changed


def groups() -> list[UseGroup]:
    """Return the groups of uses: of each name that an allowance has, then of all others."""
    return published.grouped(published.published())
