"""Corrections that a later tick sees: whether ticks lie between a correction and that instant makes no difference."""

from collections.abc import Callable, Sequence

import pytest
from django.db import transaction

from campaigns.engine import instant_claims
from campaigns.grants import reviews
from campaigns.models import Coupon, Grant
from logistics.models import FreightOrder
from tests.support.scenarios import coupon_offer
from tests.support.world import correct, everything, freight, merchant, offer, publish, review, states, t, tick

pytestmark = pytest.mark.django_db


def with_and_without(between: Sequence[str], *, until: str, given: Callable[[], None]) -> None:
    """Check that the same is decided with ticks `between` and without. `given` makes the world, with a tick."""
    found = []
    for stops in ((), between):
        with transaction.atomic():
            given()
            for stop in (*stops, until):
                tick(stop)
            found.append(everything())
            transaction.set_rollback(True)
    assert found[0] == found[1]


FOLLOWED = "{locked_at: paid_at, at: departed_at, released_by: cancelled_at, released_after_settlement: yes}"


def settled() -> None:
    """Record a grant that was locked on the 2nd and settled on the 3rd, as the tick on the 5th says."""
    merchant()
    publish(offer("o", claim="{at: placed_at}", settlement=FOLLOWED))
    freight("A", placed_at="01", paid_at="02", departed_at="03")
    tick("05")
    assert states("o") == {"A": "settled"}


@pytest.mark.parametrize("fields", [{"departed_at": "08"}, {"paid_at": "02 12:00", "departed_at": "08"}])
def test_a_state_that_the_facts_reach_later_now_marks_the_grant(fields: dict[str, str]) -> None:
    def given() -> None:
        settled()
        correct(FreightOrder, "A", **fields)

    with_and_without(["06", "08 12:00"], until="09", given=given)
    given()
    tick("09")
    assert (states("o"), review("A")) == ({"A": "settled"}, "the facts now lead to another state")


@pytest.mark.parametrize("departed_at", ["04", "05"])
def test_another_instant_before_the_tick_is_no_contradiction(departed_at: str) -> None:
    settled()
    correct(FreightOrder, "A", departed_at=departed_at)
    tick("09")
    assert (states("o"), review("A")) == ({"A": "settled"}, "")


def test_a_locked_grant_goes_on_after_the_mark() -> None:
    def given() -> None:
        merchant()
        publish(offer("o", claim="{at: placed_at}", settlement=FOLLOWED))
        freight("A", placed_at="01", paid_at="02")
        tick("05")
        correct(FreightOrder, "A", paid_at="08", departed_at="09")

    with_and_without(["06", "08 12:00", "09 12:00"], until="12", given=given)
    with_and_without(["06", "12"], until="13", given=given)
    given()
    tick("12")
    assert (states("o"), review("A")) == ({"A": "settled"}, "the facts now lead to another state")


def test_what_was_accepted_stays_accepted() -> None:
    settled()
    correct(FreightOrder, "A", departed_at="08")
    tick("06")
    reviews.accept(Grant.objects.get(), at=t("06"), by="ana", reason="")
    for stop in ("06", "07", "08 12:00", "09"):
        tick(stop)
        assert (states("o"), review("A")) == ({"A": "settled"}, "")


def test_a_claim_ahead_of_the_tick_contradicts_nothing() -> None:
    merchant()
    publish(offer("o", claim="{at: placed_at}", settlement=FOLLOWED))
    tick("05")
    freight("A", placed_at="05 01:00", paid_at="05 02:00")
    instant_claims.claim("A", of="freight_order", at=t("05 03:00"))
    correct(FreightOrder, "A", departed_at="05 04:00")
    instant_claims.claim("A", of="freight_order", at=t("05 05:00"))
    assert states("o") == {"A": "settled"}
    tick("06")
    assert (states("o"), review("A")) == ({"A": "settled"}, "")


def test_an_order_that_asks_no_more_gives_its_coupon_back_when_that_is_told() -> None:
    """Not at the next tick: another order can have the coupon while it is valid."""

    def given() -> None:
        merchant()
        publish(coupon_offer())
        freight("A", shipped_at="01")
        freight("B", placed_at="03", use_coupon=True)
        tick("04")
        assert Coupon.objects.get().order_no == "B"
        correct(FreightOrder, "B", use_coupon=False)
        freight("C", placed_at="28", paid_at="28 01:00", use_coupon=True)

    with_and_without(["04 12:00", "28 12:00"], until="10-02", given=given)
    with_and_without(["28 12:00"], until="10-02", given=given)
    given()
    tick("10-02")
    assert (Coupon.objects.get().order_no, Coupon.objects.get().status) == ("C", "redeemed")


SECOND_SHIPMENT = "{nth: {number: 2, of: freight_orders, at: shipped_at, where: [{fact: shipped_at, happened: yes}]}}"


def two_coupons(**fields: str) -> None:
    """Publish a coupon for the first and for the second shipment. `B` is placed, then `C` without a coupon to take."""
    merchant()
    publish(coupon_offer() + coupon_offer(claim=SECOND_SHIPMENT).replace("code: c", "code: d"))
    freight("A", shipped_at="02")
    freight("B", placed_at="03", use_coupon=True, **fields)
    freight("C", placed_at="04", use_coupon=True)


def test_a_new_coupon_gives_no_order_one_that_came_back_later() -> None:
    """An order that found no coupon asks again for new ones alone."""

    def given() -> None:
        two_coupons(cancelled_at="05")
        freight("A2", shipped_at="07")

    with_and_without(["03 12:00", "04 12:00", "06", "08"], until="09", given=given)
    given()
    tick("09")
    assert not Coupon.objects.exclude(order_no=None).exists()


def test_a_cancellation_told_late_gives_back_a_coupon_beside_a_new_one() -> None:
    """Also where it is dated before the coupon was issued: the coupon is valid still."""

    def given() -> None:
        two_coupons()
        tick("06")
        assert Coupon.objects.get().order_no == "B"
        correct(FreightOrder, "B", cancelled_at="01")
        freight("A2", shipped_at="07")

    with_and_without(["06 12:00"], until="09", given=given)
    given()
    tick("09")
    assert sorted(Coupon.objects.values_list("offer__code", "status")) == [("c", "issued"), ("d", "issued")]
