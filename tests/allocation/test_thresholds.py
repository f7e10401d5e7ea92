"""Threshold tags against a naive twin that adds up what lives at each first booking."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from campaigns.eligibility.thresholds import Receipt, Tag, tag_orders
from tests.support.allocation_notation import brief, hour

HEIGHT = Decimal(100)


def live(receipt: Receipt, at: datetime) -> bool:
    return receipt.cancelled_at is None or (receipt.cancelled_at > at and receipt.cancelled_at > receipt.booked_at)


def twin(receipts: Sequence[Receipt], until: datetime) -> dict[str, bool]:
    """Return for each order whether it is a candidate: the receipts of earlier orders had reached the threshold."""
    booked = sorted(
        (earlier for earlier in receipts if earlier.booked_at <= until), key=lambda r: (r.booked_at, r.order, r.number)
    )
    candidates: dict[str, bool] = {}
    for n, receipt in enumerate(booked):
        if receipt.order not in candidates:
            counted = [
                earlier for earlier in booked[:n] if not candidates[earlier.order] and live(earlier, receipt.booked_at)
            ]
            candidates[receipt.order] = sum((earlier.amount for earlier in counted), Decimal(0)) >= HEIGHT
    return candidates


@st.composite
def bookings(draw: st.DrawFn) -> list[Receipt]:
    receipts = []
    for n in range(draw(st.integers(0, 14))):
        at = draw(st.integers(0, 8))
        cancelled = draw(st.none() | st.integers(0, 12))
        amount = Decimal(draw(st.sampled_from([1, 40, 50, 60, 100])))
        ended = None if cancelled is None else hour(cancelled)
        receipts.append(Receipt(f"O{draw(st.integers(0, 6))}", f"R{n:02}", amount, hour(at), ended))
    return receipts


def as_seen(receipts: Sequence[Receipt], known: dict[str, Tag], since: int | None, until: int) -> dict[str, Tag]:
    """The known tags and those of one more run, as the engine stores them: a tag given stays."""
    folded = tag_orders(
        receipts, height=HEIGHT, until=hour(until), known=known, since=None if since is None else hour(since)
    )
    return {**{tag.order: tag for tag in folded}, **known}


def candidates(tags: dict[str, Tag]) -> dict[str, bool]:
    return {order: tag.candidate for order, tag in tags.items()}


@given(bookings(), st.integers(0, 14))
@brief(200)
def test_tags_are_the_twins(receipts: list[Receipt], until: int) -> None:
    assert candidates(as_seen(receipts, {}, None, until)) == twin(receipts, hour(until))


@given(bookings(), st.sets(st.integers(0, 12), min_size=1, max_size=4))
@brief(200)
def test_steps_do_not_matter(receipts: list[Receipt], stops: set[int]) -> None:
    known: dict[str, Tag] = {}
    since: int | None = None
    for until in sorted(stops | {14}):
        known = as_seen(receipts, known, since, until)
        since = until
    assert candidates(known) == twin(receipts, hour(14))


def late_twin(early: list[Receipt], late: list[Receipt], since: datetime) -> dict[str, bool]:
    """Orders told late are judged at `since` after all that was told by then, by order number."""
    tags = twin(early, since)
    counted = [r for r in early if r.booked_at <= since and not tags[r.order] and live(r, since)]
    total = sum((r.amount for r in counted), Decimal(0))
    for receipt in sorted(late, key=lambda r: (r.order, r.booked_at, r.number)):
        candidate = tags.setdefault(receipt.order, total >= HEIGHT)
        total += receipt.amount if not candidate and live(receipt, since) else 0
    return tags


@given(bookings(), bookings(), st.integers(0, 8), st.sets(st.integers(9, 13), max_size=2))
@brief(200)
def test_late_facts_count_after_earlier_ones(
    early: list[Receipt], told: list[Receipt], since: int, stops: set[int]
) -> None:
    late = [
        Receipt(f"L{r.order}", f"L{r.number}", r.amount, r.booked_at, r.cancelled_at)
        for r in told
        if r.booked_at <= hour(since)
    ]
    known = as_seen(early, {}, None, since)
    at_once = as_seen([*early, *late], known, since, since)
    assert candidates(at_once) == late_twin(early, late, hour(since))
    stepwise, before = known, since
    for until in sorted(stops | {14}):
        stepwise = as_seen([*early, *late], stepwise, before, until)
        before = until
    assert candidates(stepwise) == candidates(as_seen([*early, *late], known, since, 14))
    assert {order: stepwise[order] for order in at_once} == at_once


def booking(order: str, amount: int, at: int, cancelled: int | None = None) -> Receipt:
    return Receipt(order, f"{order}{at}", Decimal(amount), hour(at), None if cancelled is None else hour(cancelled))


def tags(*receipts: Receipt) -> dict[str, bool]:
    return candidates(as_seen(receipts, {}, None, 20))


def test_below_the_threshold_again_new_orders_count_again() -> None:
    """A carries the sum across; cancelled at 3 it is below; C counts up again, D comes after it."""
    found = tags(booking("A", 100, 1, 3), booking("B", 5, 2), booking("C", 100, 4), booking("D", 5, 5))
    assert found == {"A": False, "B": True, "C": False, "D": True}


def test_a_cancellation_comes_before_a_booking_at_one_instant() -> None:
    assert tags(booking("A", 100, 1, 3), booking("B", 5, 3)) == {"A": False, "B": False}


def test_cancelled_no_later_than_booked_tags_but_never_adds() -> None:
    assert tags(booking("A", 100, 2, 1), booking("B", 100, 3, 3), booking("C", 5, 4)) == dict.fromkeys("ABC", False)


def test_receipts_of_candidates_never_count() -> None:
    """B is a candidate: its 100 must not hold the sum up when A is cancelled."""
    assert tags(booking("A", 100, 1, 3), booking("B", 100, 2), booking("C", 5, 4))["C"] is False
