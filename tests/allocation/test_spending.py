"""Coupons on orders: generated orders, told in one go, in steps, and late."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.coupons.life_cycle import Coupon, Order, Replay, replay
from tests.support.allocation_notation import brief, hour

OPENS, ENDS = 2, 9
LEGAL = {
    ("issued", "locked"),
    ("locked", "redeemed"),
    ("locked", "issued"),
    ("redeemed", "issued"),
    ("issued", "expired"),
    ("locked", "expired"),
    ("redeemed", "expired"),
}


def wallet(count: int = 1) -> list[Coupon]:
    return [
        Coupon(n, "c", 1 + n % 2, "issued", Decimal(25), hour(OPENS), hour(OPENS), hour(ENDS), Decimal(25))
        for n in range(count)
    ]


def order(number: str, placed: int, paid: int | None = None, cancelled: int | None = None, *fits: int) -> Order:
    paid_at, cancelled_at = (None if n is None else hour(n) for n in (paid, cancelled))
    return Order(number, hour(placed), paid_at, cancelled_at, {offer: Decimal(20) for offer in fits or (1, 2)})


@st.composite
def orders(draw: st.DrawFn) -> list[Order]:
    found = []
    for n in range(draw(st.integers(0, 7))):
        placed, fits = draw(st.integers(0, 11)), draw(st.sampled_from([(1,), (2,), (1, 2)]))
        paid, cancelled = draw(st.none() | st.integers(placed, 12)), draw(st.none() | st.integers(0, 12))
        found.append(order(f"O{n}", placed, paid, cancelled, *fits))
    return found


def check(coupons: list[Coupon], spent: Replay, asking: list[Order], until: int) -> None:
    used = [coupon.order for coupon in coupons if coupon.order is not None]
    assert len(used) == len(set(used)), "two coupons on one order"
    for coupon in coupons:
        assert (coupon.order is not None) == (coupon.status in ("locked", "redeemed"))
        assert until < ENDS or coupon.status in ("redeemed", "expired")
        cancelled = next((asked.cancelled_at for asked in asking if asked.number == coupon.order), None)
        assert cancelled is None or cancelled > hour(until), "on an order that was cancelled"
    assert {(move.source, move.target) for move in spent.moves} <= LEGAL


def as_known(asking: list[Order], until: int) -> list[Order]:
    return [asked for asked in asking if asked.placed_at <= hour(until)]


@given(st.integers(1, 4), orders(), st.sets(st.integers(0, 12), max_size=4))
@brief(200)
def test_steps_do_not_matter(count: int, asking: list[Order], stops: set[int]) -> None:
    stepwise, known, since = wallet(count), set[str](), None
    moves = []
    for until in sorted(stops | {13}):
        spent = replay(stepwise, as_known(asking, until), known, since=since, until=hour(until))
        check(stepwise, spent, asking, until)
        known |= set(spent.attached)
        since = hour(until)
        moves += spent.moves
    at_once = wallet(count)
    spent = replay(at_once, asking, set(), since=None, until=hour(13))
    assert stepwise == at_once
    assert [(m.at, m.source, m.target, m.order) for m in moves] == [
        (m.at, m.source, m.target, m.order) for m in spent.moves
    ]


@given(st.integers(1, 3), orders(), orders(), st.integers(0, 12))
@brief(300)
def test_late_orders_leave_no_coupon_locked(
    count: int, asking: list[Order], told_late: list[Order], since: int
) -> None:
    coupons = wallet(count)
    spent = replay(coupons, as_known(asking, since), set(), since=None, until=hour(since))
    late = [replace(asked, number=f"L{asked.number}") for asked in told_late]
    everything = [*asking, *late]
    for until, before in ((since, since), (13, since)):
        more = replay(coupons, as_known(everything, until), set(spent.attached), since=hour(before), until=hour(until))
        check(coupons, more, everything, until)
        spent.attached.update(more.attached)


def test_paid_before_placed() -> None:
    asking = [order("A", 3, 2)]
    stepwise, at_once = wallet(), wallet()
    known = set(replay(stepwise, asking, set(), since=None, until=hour(3)).attached)
    replay(stepwise, asking, known, since=hour(3), until=hour(13))
    replay(at_once, asking, set(), since=None, until=hour(13))
    assert stepwise == at_once


def outcome(*asking: Order, until: int = 8, coupons: int = 1) -> list[str]:
    """Replay the orders on new coupons, and return each coupon as `status order`."""
    held = wallet(coupons)
    replay(held, asking, set(), since=None, until=hour(until))
    return [f"{coupon.status} {coupon.order or ''}".strip() for coupon in held]


@pytest.mark.parametrize(
    ("asking", "until", "expected"),
    [
        ([order("A", 3, 4)], 8, "redeemed A"),
        ([order("A", 3, 4)], 20, "redeemed A"),
        ([order("A", 1, 4)], 8, "issued"),  # placed before validity
        ([order("A", 2, 4)], 8, "redeemed A"),  # placed as it begins
        ([order("A", 9, 10)], 20, "expired"),  # placed as it ends
        ([order("A", 3, 9)], 20, "expired"),  # paid as it ends
        ([order("A", 3, None, 5)], 8, "issued"),
        ([order("A", 3, 4, 6)], 8, "issued"),  # cancelled after payment
        ([order("A", 3, 4, 10)], 20, "expired"),  # cancelled after the end
        ([order("A", 3, None, 3)], 8, "issued"),  # cancelled no later than placed
        ([order("B", 3), order("A", 3)], 8, "locked A"),
        ([order("A", 3, None, 5), order("B", 5, 6)], 8, "redeemed B"),  # cancellations first, then placements
        ([order("A", 4, 4)], 8, "redeemed A"),
    ],
)
def test_one_coupon(asking: list[Order], until: int, expected: str) -> None:
    assert outcome(*asking, until=until) == [expected]


def test_the_oldest_that_fits_is_taken() -> None:
    assert outcome(order("A", 3, 4, None, 2), coupons=3) == ["issued", "redeemed A", "issued"]
