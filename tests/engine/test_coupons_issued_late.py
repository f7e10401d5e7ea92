"""Coupons that are issued after orders could use them: after a pause, or because a fact came late."""

from collections.abc import Sequence

import pytest

from campaigns.models import Coupon, Offer
from campaigns.monitoring import invariants
from campaigns.offers import pausing
from tests.support.guards import unguarded
from tests.support.scenarios import coupon_offer, wipe
from tests.support.world import coupons, everything, freight, merchant, offer, publish, t, tick

pytestmark = pytest.mark.django_db

OURS = {"by": "ana", "reason": "a wrong list"}
DAY = "2022-09-02 00:00:00"


def pause(at: str) -> None:
    pausing.pause(Offer.objects.get(code="c"), at=t(at), **OURS)


def resume(at: str) -> None:
    pausing.resume(Offer.objects.get(code="c"), at=t(at), **OURS)


def on_orders() -> dict[str | None, str]:
    return dict(Coupon.objects.exclude(order_no=None).values_list("order_no", "status"))


def coupons_of_two_decided_on_the_second() -> None:
    merchant()
    publish(coupon_offer(decided_at=DAY).replace("count: 1", "count: 2"))
    freight("A", shipped_at="01")


def run(ticks: Sequence[str], *, resumed: str) -> None:
    """Tick while the offer is paused from the 1st on, resume it, and tick once more at the end of October."""
    pause("01 12:00")
    for at in ticks:
        tick(at)
    resume(resumed)
    tick("10-20")


@pytest.mark.parametrize("ticks", [(), ("03",), ("01 13:00", "03", "20", "29", "30", "10-05")])
def test_coupons_of_an_offer_resumed_after_their_validity_expire(ticks: tuple[str, ...]) -> None:
    coupons_of_two_decided_on_the_second()
    run(ticks, resumed="10-10")
    assert coupons() == {"expired": 2}
    assert not invariants.check()


@pytest.mark.parametrize("ticks", [("03",), ("05", "06", "08"), ("01 13:00", "05", "10-05")])
def test_steps_while_an_offer_is_paused_do_not_matter(ticks: tuple[str, ...]) -> None:
    coupons_of_two_decided_on_the_second()
    freight("B", placed_at="03", paid_at="04", use_coupon=True)
    freight("C", placed_at="05", paid_at="06", cancelled_at="07", use_coupon=True)
    freight("D", placed_at="08", use_coupon=True)
    run((), resumed="10-10")
    at_once = everything()
    assert coupons() == {"redeemed": 1, "expired": 1}
    with unguarded():
        wipe()
    run(ticks, resumed="10-10")
    assert everything() == at_once


def test_an_order_placed_during_a_pause_gets_its_coupon_after_it() -> None:
    coupons_of_two_decided_on_the_second()
    pause("01")
    tick("02 12:00")
    freight("B", placed_at="03", use_coupon=True)
    tick("04")
    resume("05")
    tick("06")
    assert on_orders() == {"B": "locked"}
    assert not invariants.check()


def test_an_order_that_found_every_coupon_used_asks_again() -> None:
    merchant()
    publish(coupon_offer() + coupon_offer(decided_at=DAY).replace("code: c", "code: d"))
    freight("A", shipped_at="01")
    pausing.pause(Offer.objects.get(code="d"), at=t("01"), **OURS)
    freight("B", placed_at="03", use_coupon=True)
    freight("C", placed_at="04", use_coupon=True)
    tick("05")
    assert on_orders() == {"B": "locked"}
    pausing.resume(Offer.objects.get(code="d"), at=t("06"), **OURS)
    tick("07")
    assert on_orders() == {"B": "locked", "C": "locked"}


def test_an_order_whose_freight_is_reduced_meanwhile_gets_none() -> None:
    coupons_of_two_decided_on_the_second()
    publish(coupon_offer(decided_at=DAY).replace("count: 1", "count: 2") + offer("o"))
    pause("01")
    freight("B", placed_at="03", paid_at="04", use_coupon=True)
    tick("05")
    resume("06")
    tick("07")
    assert coupons() == {"issued": 2}
    assert not invariants.check()


@pytest.mark.parametrize("steps", [("10-20",), ("05", "10-20"), ("05", "10-01", "10-20")])
def test_coupons_for_a_row_that_came_late_expire(steps: tuple[str, ...]) -> None:
    merchant()
    merchant("M2")
    publish(coupon_offer())
    freight("A", "M2", shipped_at="01")
    tick("03")
    freight("B", shipped_at="02")
    freight("L", shipped_at="01", placed_at="01")
    for at in steps[:-1]:
        tick(at)
    tick("10-18")
    merchant("M3")
    freight("Z", "M3", shipped_at="04")
    tick(steps[-1])
    assert coupons() == {"expired": 3}
    assert not invariants.check()


def test_a_tick_without_news_replays_nobody() -> None:
    coupons_of_two_decided_on_the_second()
    tick("03")
    assert not Coupon.objects.filter(replayed=False).exists()
