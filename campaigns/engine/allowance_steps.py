"""Steps of the tick for allowances: decide the requests and uses of each name, in one transaction a name."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from operator import itemgetter

from campaigns.allowances import affected, published, settling, writing
from campaigns.allowances.published import UseGroup
from campaigns.eligibility.changes import Changes
from campaigns.eligibility.guards import Guard
from campaigns.eligibility.held import Held
from campaigns.engine import quarantine_entries
from campaigns.engine.isolating_step import IsolatingStep, of_documents
from campaigns.engine.quarantine_entries import Stage
from campaigns.models import UseProgress


def step_name(group: UseGroup) -> str:
    """Return the name of the step of a group."""
    return f"uses: {group.use}" if group.use else "uses without an allowance"


def progress() -> dict[str, datetime | None]:
    """Return the instants up to which the uses of each name were decided."""
    return dict(UseProgress.objects.values_list("use", "decided_until"))


def decide(group: UseGroup, batches: tuple[int, ...], *, at: datetime) -> tuple[bool, int]:
    """Decide the uses of one name up to an instant, without merchants in quarantine.

    Returns false if they were decided further already, and how many decisions changed.
    """

    def changed(merchants: Collection[str]) -> set[str]:
        return set(merchants) & affected.of_batches(group, batches, until=at)

    versions = [allowance.version_id for allowance in group.allowances]
    work = partial(_decide, group, batches, at)
    # Processed again from `at`: what the merchant needs before is noted when the step leaves it out.
    return IsolatingStep(step_name(group), at, work, of_documents(versions), changed=changed, progress=at).run()


def _decide(group: UseGroup, batches: tuple[int, ...], at: datetime, held: Held, guard: Guard) -> tuple[bool, int]:
    since = published.hold([group.use])[group.use]
    if since is not None and since > at:
        return False, 0
    again = {merchant: progress or affected.BEGINNING for merchant, progress in held.merchants_again.items()}
    store = partial(_store, group, at)
    changed = 0
    for merchants in affected.merchants(group, Changes(since, at, batches), again=again):
        left_out = {code: affected.instant(since) for code, since in merchants if code in held.merchants}
        if left_out:
            quarantine_entries.keep_from(step_name(group), left_out)
        free = [(code, since) for code, since in merchants if code not in left_out]
        changed += sum(guard.run(Stage.SETTLE, free, store, itemgetter(0))) if free else 0
    UseProgress.objects.filter(use=group.use).update(decided_until=at)
    return True, changed


def _store(group: UseGroup, at: datetime, merchants: Sequence[tuple[str, str]]) -> int:
    since = [(code, affected.instant(text)) for code, text in merchants]
    return writing.store(settling.settle(group, since, until=at), at=at)


def groups() -> list[UseGroup]:
    """Return the groups of uses: of each name that an allowance has, then of all others."""
    return published.groups()
