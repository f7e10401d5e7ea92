"""What becomes of a grant: a pure function from what happened to its subject to the states it went through.

programs.md, sections 3, 5 and 7. Settlement and forfeiture at an instant come before a release or a revocation at the
same instant, and a release before a revocation.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from campaigns.eligibility.timeline import SubjectTimeline
from campaigns.models import Grant
from definitions.offer_terms import Settlement

Status = Grant.Status


@dataclass(frozen=True, slots=True)
class StateChange:
    """A grant reached `status` at `at`; `reason` is a stable word for why."""

    status: str
    at: datetime
    reason: str


def grant_steps(terms: Settlement, life: SubjectTimeline, *, until: datetime) -> list[StateChange]:
    """The states of a grant in order, from the claim to `until`; never empty."""
    if terms.at_claim:
        steps = [StateChange(Status.SETTLED, life.claimed_at, "settled at the claim")]
        if life.released_at is not None and life.released_at <= until:
            steps.append(StateChange(Status.RELEASED, max(life.released_at, life.claimed_at), "cancelled"))
        return steps
    end = _end(terms, life)
    steps = [StateChange(Status.RESERVED if terms.locked_at else Status.LOCKED, life.claimed_at, "claimed")]
    if terms.locked_at and life.locked_at is not None:
        locked = max(life.locked_at, life.claimed_at)
        if locked <= until and (end is None or _lock_before(locked, end)):
            steps.append(StateChange(Status.LOCKED, locked, "paid"))
    if end is not None and end.at <= until:
        steps.append(end)
        steps.extend(_after_settlement(terms, life, end, until))
    return steps


def _after_settlement(terms: Settlement, life: SubjectTimeline, end: StateChange, until: datetime) -> list[StateChange]:
    cancelled = life.released_at if terms.released_after_settlement and end.status == Status.SETTLED else None
    if cancelled is None or not end.at <= cancelled <= until:
        return []
    return [StateChange(Status.RELEASED, cancelled, "cancelled")]


def _lock_before(locked: datetime, end: StateChange) -> bool:
    return locked < end.at or (locked == end.at and end.status == Status.SETTLED)


def _end(terms: Settlement, life: SubjectTimeline) -> StateChange | None:
    """The first of settlement, forfeiture, release and revocation that ends the grant's way, if any is known."""
    ends = [end for end in (_settlement(terms, life), _missed(terms, life)) if end is not None]
    for at, status, reason in (
        (life.released_at, Status.RELEASED, "cancelled"),
        (_expiry(terms, life), Status.RELEASED, "not locked in time"),
        (life.revoked_at, Status.REVOKED, "found abnormal"),
    ):
        if at is not None:
            ends.append(StateChange(status, max(at, life.claimed_at), reason))
    return min(ends, key=lambda end: end.at, default=None)  # the first of equals: the order above


def _expiry(terms: Settlement, life: SubjectTimeline) -> datetime | None:
    """When a reservation gives its place back, where nothing has locked it in time."""
    if terms.lock_within_hours is None:
        return None
    expires = life.claimed_at + timedelta(hours=terms.lock_within_hours)
    return None if life.locked_at is not None and life.locked_at <= expires else expires


def _counted(terms: Settlement, life: SubjectTimeline) -> datetime | None:
    """When the settlement event happened, if it counts: what must be locked first has been by then."""
    if life.settles_at is None or (terms.locked_at and (life.locked_at is None or life.locked_at > life.settles_at)):
        return None
    return max(life.settles_at, life.claimed_at)


def _fulfilled(terms: Settlement, life: SubjectTimeline) -> datetime | None:
    return life.fulfilled_at if terms.fulfilled_at is not None else _counted(terms, life)


def _settlement(terms: Settlement, life: SubjectTimeline) -> StateChange | None:
    at = _counted(terms, life)
    if at is None:
        return None
    if terms.fulfilled_at is not None and (life.fulfilled_at is None or life.fulfilled_at > at):
        return StateChange(Status.FORFEITED, at, "not fulfilled at settlement")
    if terms.deadline is not None and (_fulfilled(terms, life) or at) >= terms.deadline.after:
        return StateChange(Status.FORFEITED, at, "fulfilled after the deadline")
    if not life.fit:
        return StateChange(Status.FORFEITED, at, "requirements not met at settlement")
    return StateChange(Status.SETTLED, at, "settled")


def _missed(terms: Settlement, life: SubjectTimeline) -> StateChange | None:
    if terms.deadline is None:
        return None
    fulfilled = _fulfilled(terms, life)
    if fulfilled is not None and fulfilled < terms.deadline.after:
        return None
    return StateChange(Status.FORFEITED, max(terms.deadline.after, life.claimed_at), "not fulfilled by the deadline")
