"""The course of a grant: legal moves only, forward in time, and what is known earlier is where it begins."""

from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.eligibility.timeline import SubjectTimeline
from campaigns.grants.steps import grant_steps
from definitions.offer_terms import Settlement
from tests.support.allocation_notation import brief, hour

MOVES = {
    ("reserved", "locked"),
    ("reserved", "released"),
    ("reserved", "forfeited"),
    ("reserved", "revoked"),
    ("locked", "settled"),
    ("locked", "released"),
    ("locked", "forfeited"),
    ("locked", "revoked"),
    ("settled", "released"),
}
DEADLINE = {"at": "2022-09-01 04:59:59", "zone": "UTC"}  # hour 5 is too late


def terms(**parts: object) -> Settlement:
    return Settlement.model_validate(parts)


@st.composite
def settlements(draw: st.DrawFn) -> Settlement:
    if draw(st.booleans()):
        cancels = draw(st.booleans())
        return terms(**({"released_by": "cancelled_at", "released_after_settlement": True} if cancels else {}))
    optional = {"locked_at": "paid_at", "deadline": DEADLINE, "released_by": "cancelled_at", "revoked_by": "found_at"}
    parts: dict[str, object] = {name: value for name, value in optional.items() if draw(st.booleans())}
    if "deadline" in parts and draw(st.booleans()):
        parts["fulfilled_at"] = "shipped_at"
    parts["released_after_settlement"] = draw(st.booleans())
    return terms(at="departed_at", **parts)


@st.composite
def lives(draw: st.DrawFn, settlement: Settlement) -> SubjectTimeline:
    def some() -> datetime | None:
        at = draw(st.none() | st.integers(0, 9))
        return None if at is None else hour(at)

    return SubjectTimeline(
        hour(draw(st.integers(0, 6))),
        locked_at=some() if settlement.locked_at else None,
        settles_at=None if settlement.at_claim else some(),
        fulfilled_at=some() if settlement.fulfilled_at else None,
        requirements_met=draw(st.booleans()),
        released_at=some() if settlement.released_by else None,
        revoked_at=some() if settlement.revoked_by else None,
    )


@st.composite
def courses(draw: st.DrawFn) -> tuple[Settlement, SubjectTimeline]:
    settlement = draw(settlements())
    return settlement, draw(lives(settlement))


@given(courses(), st.integers(6, 12), st.integers(6, 12))
@brief(500)
def test_moves_are_legal_forward_in_time_and_never_unsaid(
    case: tuple[Settlement, SubjectTimeline], one: int, other: int
) -> None:
    settlement, timeline = case
    earlier, later = sorted((one, other))
    steps = grant_steps(settlement, timeline, until=hour(later))
    first = "settled" if settlement.at_claim else "reserved" if settlement.locked_at else "locked"
    assert (steps[0].status, steps[0].at) == (first, timeline.claimed_at)
    moves = {(str(a.status), str(b.status)) for a, b in pairwise(steps)}
    settled_at_once = {("reserved", "settled")}  # never: what must be paid first is locked first
    assert moves <= MOVES
    assert not moves & settled_at_once
    assert all(a.at <= b.at for a, b in pairwise(steps))
    assert all(step.at <= hour(later) for step in steps)
    assert (
        grant_steps(settlement, timeline, until=hour(earlier))
        == steps[: len(grant_steps(settlement, timeline, until=hour(earlier)))]
    )


PAID_THEN_DEPARTED = terms(at="departed_at", locked_at="paid_at", deadline=DEADLINE, released_by="cancelled_at")
FULFILLED = terms(
    at="completed_at",
    fulfilled_at="shipped_at",
    deadline=DEADLINE,
    released_by="cancelled_at",
    revoked_by="abnormal_at",
)


def steps_of(settlement: Settlement, **timeline: int | bool) -> list[str]:
    """The course to hour 9 as `status@hour`, of a subject that claimed at 0."""
    instants = {name: value if isinstance(value, bool) else hour(value) for name, value in timeline.items()}
    steps = grant_steps(settlement, SubjectTimeline(hour(0), **instants), until=hour(9))  # type: ignore[arg-type]  # by name
    return [f"{step.status}@{(step.at - hour(0)).seconds // 3600}" for step in steps]


@pytest.mark.parametrize(
    ("timeline", "expected"),
    [
        ({"locked_at": 1, "settles_at": 2}, "reserved@0 locked@1 settled@2"),
        ({"locked_at": 2, "settles_at": 2}, "reserved@0 locked@2 settled@2"),
        ({"locked_at": 3, "settles_at": 2}, "reserved@0 locked@3 forfeited@5"),  # paid only after departure
        ({"locked_at": 1}, "reserved@0 locked@1 forfeited@5"),
        ({"locked_at": 1, "settles_at": 5}, "reserved@0 locked@1 forfeited@5"),
        ({"locked_at": 6}, "reserved@0 forfeited@5"),
        ({"locked_at": 1, "settles_at": 3, "released_at": 2}, "reserved@0 locked@1 released@2"),
        ({"locked_at": 1, "settles_at": 3, "released_at": 3}, "reserved@0 locked@1 settled@3"),
        ({"locked_at": 1, "settles_at": 3, "released_at": 4}, "reserved@0 locked@1 settled@3"),
        ({"locked_at": 1, "released_at": 5}, "reserved@0 locked@1 forfeited@5"),  # the deadline comes first
        ({"locked_at": 2, "released_at": 2}, "reserved@0 released@2"),
    ],
)
def test_paid_then_departed(timeline: dict[str, int], expected: str) -> None:
    assert steps_of(PAID_THEN_DEPARTED, **timeline) == expected.split()


@pytest.mark.parametrize(
    ("timeline", "expected"),
    [
        ({"fulfilled_at": 1, "settles_at": 7}, "locked@0 settled@7"),  # fulfilled in time, completed much later
        ({"fulfilled_at": 5, "settles_at": 7}, "locked@0 forfeited@5"),
        ({"fulfilled_at": 3, "settles_at": 2}, "locked@0 forfeited@2"),  # settlement before fulfilment
        ({"fulfilled_at": 1, "settles_at": 3, "requirements_met": False}, "locked@0 forfeited@3"),
        ({"fulfilled_at": 1}, "locked@0"),  # fulfilled, never completed
        ({"fulfilled_at": 1, "released_at": 8}, "locked@0 released@8"),
        ({"settles_at": 3, "fulfilled_at": 3, "revoked_at": 3}, "locked@0 settled@3"),
        ({"revoked_at": 2, "released_at": 2}, "locked@0 released@2"),
        ({"revoked_at": 2, "released_at": 3}, "locked@0 revoked@2"),
        ({}, "locked@0 forfeited@5"),
    ],
)
def test_fulfilled_then_completed(timeline: dict[str, int | bool], expected: str) -> None:
    assert steps_of(FULFILLED, **timeline) == expected.split()
