"""Steps of a grant: a pure function from the timeline of its subject to the states that the grant passes through.

A grant that waits for settlement is released or revoked only by what happens before it. So at one instant settlement
and forfeiture come first, then release, then revocation. "By" an instant includes it; deadlines are half-open: one that
is written as 23:59:59 ends at the next full second.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from campaigns.eligibility.timeline import SubjectTimeline
from campaigns.models import Grant
from definitions.offer_terms import Settlement

Status = Grant.Status


@dataclass(frozen=True, slots=True)
class StateChange:
    """Change of a grant to `status` at the instant `at`. `reason` is a stable text that is recorded and translated."""

    status: str
    at: datetime
    reason: str


def grant_steps(terms: Settlement, timeline: SubjectTimeline, *, until: datetime) -> list[StateChange]:
    """Return the states of a grant in order, from the claim to `until`. There is always a first one.

    Facts dated before the claim count as of the claim: no step comes before it.
    """
    if terms.at_claim:
        return list(_settled_at_claim(timeline, until))
    end = _end(terms, timeline)
    steps = [StateChange(Status.RESERVED if terms.locked_at else Status.LOCKED, timeline.claimed_at, "claimed")]
    if terms.locked_at and timeline.locked_at is not None:
        locked = max(timeline.locked_at, timeline.claimed_at)
        if locked <= until and (end is None or _lock_before(locked, end)):
            steps.append(StateChange(Status.LOCKED, locked, "paid"))
    if end is not None and end.at <= until:
        steps.append(end)
        steps.extend(_after_settlement(terms, timeline, end, until))
    return steps


def _settled_at_claim(timeline: SubjectTimeline, until: datetime) -> Iterator[StateChange]:
    yield StateChange(Status.SETTLED, timeline.claimed_at, "settled at the claim")
    if timeline.released_at is not None and timeline.released_at <= until:
        yield StateChange(Status.RELEASED, max(timeline.released_at, timeline.claimed_at), "cancelled")


def _after_settlement(
    terms: Settlement, timeline: SubjectTimeline, end: StateChange, until: datetime
) -> list[StateChange]:
    cancelled = timeline.released_at if terms.released_after_settlement and end.status == Status.SETTLED else None
    if cancelled is None or not end.at <= cancelled <= until:
        return []
    return [StateChange(Status.RELEASED, cancelled, "cancelled")]


def _lock_before(locked: datetime, end: StateChange) -> bool:
    # Paid at the instant of settlement counts as paid before it; at the instant of any other end it comes too late.
    return locked < end.at or (locked == end.at and end.status == Status.SETTLED)


def _end(terms: Settlement, timeline: SubjectTimeline) -> StateChange | None:
    """Return the first of settlement, forfeiture, release and revocation, if the facts hold any."""
    ends = [end for end in (_settlement(terms, timeline), _deadline_missed(terms, timeline)) if end is not None]
    for at, status, reason in (
        (timeline.released_at, Status.RELEASED, "cancelled"),
        (_expiry(terms, timeline), Status.RELEASED, "not locked in time"),
        (timeline.revoked_at, Status.REVOKED, "found abnormal"),
    ):
        if at is not None:
            ends.append(StateChange(status, max(at, timeline.claimed_at), reason))
    return min(ends, key=lambda end: end.at, default=None)  # of equal instants the first: the order of this list


def _expiry(terms: Settlement, timeline: SubjectTimeline) -> datetime | None:
    """Return the instant at which a reservation that was not locked in time releases its place."""
    if terms.lock_within_hours is None:
        return None
    expires = timeline.claimed_at + timedelta(hours=terms.lock_within_hours)
    return None if timeline.locked_at is not None and timeline.locked_at <= expires else expires


def _settlement_instant(terms: Settlement, timeline: SubjectTimeline) -> datetime | None:
    """Return the instant of the settlement event. A grant that must be locked first settles only if it was by then."""
    if timeline.settles_at is None or (
        terms.locked_at and (timeline.locked_at is None or timeline.locked_at > timeline.settles_at)
    ):
        return None
    return max(timeline.settles_at, timeline.claimed_at)


def _fulfilled(terms: Settlement, timeline: SubjectTimeline) -> datetime | None:
    # Without a fulfilment event of its own, an offer takes the settlement event for it.
    return timeline.fulfilled_at if terms.fulfilled_at is not None else _settlement_instant(terms, timeline)


def awaits_fulfilment(terms: Settlement, timeline: SubjectTimeline, *, at: datetime) -> bool:
    """Return whether the grant is lost unless something happens between `at` and the deadline of its settlement."""
    fulfilled = _fulfilled(terms, timeline)
    return terms.deadline is not None and (fulfilled is None or fulfilled > at)


def _settlement(terms: Settlement, timeline: SubjectTimeline) -> StateChange | None:
    at = _settlement_instant(terms, timeline)
    if at is None:
        return None
    if terms.fulfilled_at is not None and (timeline.fulfilled_at is None or timeline.fulfilled_at > at):
        return StateChange(Status.FORFEITED, at, "not fulfilled at settlement")
    if terms.deadline is not None and (_fulfilled(terms, timeline) or at) >= terms.deadline.after:
        return StateChange(Status.FORFEITED, at, "fulfilled after the deadline")
    if not timeline.requirements_met:
        return StateChange(Status.FORFEITED, at, "requirements not met at settlement")
    return StateChange(Status.SETTLED, at, "settled")


def _deadline_missed(terms: Settlement, timeline: SubjectTimeline) -> StateChange | None:
    if terms.deadline is None:
        return None
    fulfilled = _fulfilled(terms, timeline)
    if fulfilled is not None and fulfilled < terms.deadline.after:
        return None
    return StateChange(
        Status.FORFEITED, max(terms.deadline.after, timeline.claimed_at), "not fulfilled by the deadline"
    )
