"""Facts that are late, early, repeated or out of order; clocks that jump (T4-T10, F7, F9 of docs/reliability.md)."""

from datetime import timedelta

import pytest

from logistics.models import FreightOrder
from tests.support.scenarios import OVER_100, coupon_offer, small_world, threshold_offer, wipe
from tests.support.world import (
    correct,
    coupons,
    everything,
    freight,
    grants,
    journal,
    merchant,
    offer,
    outcomes,
    publish,
    receipt,
    states,
    t,
    tick,
    trade,
    used,
)
from trade.models import Receipt

pytestmark = pytest.mark.django_db

ONE_PLACE = "{limit: 1}"


def test_a_late_claim_comes_after_those_decided() -> None:
    merchant()
    publish(offer("o", quota="{limit: 2}"))
    freight("B", paid_at="02")
    tick("03")
    freight("A", paid_at="01")
    freight("C", paid_at="04")
    tick("05")
    assert outcomes("o") == {"A": "granted", "B": "granted", "C": "quota_exhausted"}


def test_nothing_is_taken_back_for_a_late_claim() -> None:
    merchant()
    publish(offer("o", quota=ONE_PLACE))
    freight("B", paid_at="02")
    tick("03")
    freight("A", paid_at="01")
    tick("04")
    assert outcomes("o") == {"A": "quota_exhausted", "B": "granted"}
    assert journal() == ["B: · → settled"]


def test_with_a_settling_delay_it_takes_its_true_place() -> None:
    merchant()
    publish(offer("o", quota=ONE_PLACE, settling_hours="24"))
    freight("B", paid_at="02 10:00")
    tick("02 12:00")
    assert outcomes("o") == {}
    freight("A", paid_at="02 09:00")
    tick("03 12:00")
    assert outcomes("o") == {"A": "granted", "B": "quota_exhausted"}


def test_after_the_cut_off_it_comes_last() -> None:
    merchant()
    publish(offer("o", quota=ONE_PLACE, settling_hours="24"))
    freight("B", paid_at="02 10:00")
    tick("03 10:00")
    freight("A", paid_at="02 09:00")
    tick("03 11:00")
    assert outcomes("o") == {"A": "quota_exhausted", "B": "granted"}


def test_events_during_the_delay_are_in_the_grant() -> None:
    merchant()
    publish(offer("o", quota=ONE_PLACE, settling_hours="24"))
    freight("A", paid_at="02 10:00", cancelled_at="02 20:00")
    freight("B", paid_at="02 12:00")
    freight("C", paid_at="02 20:00")
    tick("04")
    assert outcomes("o") == {"A": "granted", "B": "quota_exhausted", "C": "granted"}
    assert states("o") == {"A": "released", "C": "settled"}


def test_a_late_cancellation_frees_a_place_for_later_claims_only() -> None:
    merchant()
    publish(offer("o", quota=ONE_PLACE))
    freight("A", paid_at="01")
    freight("B", paid_at="03")
    tick("04")
    correct(FreightOrder, "A", cancelled_at="02")
    freight("C", paid_at="05")
    tick("06")
    assert outcomes("o") == {"A": "granted", "B": "quota_exhausted", "C": "granted"}


def test_a_fact_of_the_future_is_not_seen() -> None:
    merchant()
    publish(offer("o"))
    freight("A", paid_at="05", cancelled_at="07")
    tick("04 23:59")
    assert outcomes("o") == {}
    tick("05")
    assert states("o") == {"A": "settled"}
    tick("06 23:59")
    assert states("o") == {"A": "settled"}
    tick("07")
    assert states("o") == {"A": "released"}


def test_a_fact_three_years_old_is_outside_its_window() -> None:
    merchant()
    window = "[{fact: paid_at, within: {from: 2022-09-01 00:00:00, to: 2022-09-30 23:59:59}}]"
    publish(offer("o", conditions=window))
    tick("02")
    freight("A", paid_at="2019-09-05")
    freight("B", paid_at="10-01")
    tick("10-02")
    assert outcomes("o") == {"B": "refused"}  # A claimed before the opening: it is not decided


def test_a_receipt_cancelled_after_the_threshold_was_reached() -> None:
    merchant()
    publish(threshold_offer())
    for n, day in enumerate(("01", "02", "04", "06"), 1):
        trade(f"T{n}")
        receipt(f"R{n}", f"T{n}", day, amount=100)
    tick("02")
    correct(Receipt, "R1", cancelled_at="03")
    tick("05")
    tick("07")
    assert states("half") == {"T2": "locked", "T4": "locked"}


def test_receipts_booked_before_the_decision_day_reach_the_threshold() -> None:
    parts = {"subject": "trade_order", "claim": OVER_100, "benefit": "{fee: service_fee, percent: 50}"}
    publish(offer("half", **parts, decided_at="2022-09-10 00:00:00", settlement=""))
    merchant()
    for n, booked in enumerate(("03", "04"), start=1):
        trade(f"T{n}")
        receipt(f"R{n}", f"T{n}", booked, amount=150)
    for at in ("08", "12"):
        tick(at)
    assert outcomes("half") == {"T2": "granted"}


def test_a_cancellation_before_the_booking_itself() -> None:
    merchant()
    publish(threshold_offer())
    trade("T1")
    receipt("R1", "T1", None, amount=100, cancelled_at="01")
    tick("02")
    correct(Receipt, "R1", booked_at="03")
    trade("T2")
    receipt("R2", "T2", "04", amount=100)
    trade("T3")
    receipt("R3", "T3", "05", amount=100)
    tick("06")
    assert states("half") == {"T3": "locked"}


def test_beat_down_for_three_hours_and_back() -> None:
    """Every tenth minute through everything, and with three hours missing: the same."""
    small_world()
    tick("01 09:00")
    apart = t("08 12:00") - timedelta(minutes=180)
    for at in (apart, apart + timedelta(minutes=1)):
        tick(at)
    tick("08 12:00")
    with_gap = everything()
    wipe()
    tick("01 09:00")
    tick(apart)
    for minute in range(10, 181, 10):
        tick(apart + timedelta(minutes=minute))
    assert everything() == with_gap


@pytest.mark.parametrize(
    "order", [("05", "05", "05", "09"), ("05", "03", "09", "04"), ("09", "05", "03", "09"), ("03", "09", "09", "05")]
)
def test_ticks_doubled_and_out_of_order(order: tuple[str, ...]) -> None:
    small_world()
    tick("09")
    once = everything()
    wipe()
    for at in order:
        tick(at)
    tick("09")
    assert everything() == once


def test_a_tick_at_an_earlier_instant_changes_nothing() -> None:
    small_world()
    tick("06")
    before = everything()
    tick("05")
    tick("02")
    assert everything() == before


def test_a_tick_at_an_earlier_instant_swallows_no_import() -> None:
    merchant()
    publish(offer("o"))
    tick("05")
    freight("A", paid_at="01")
    tick("04")
    tick("06")
    assert outcomes("o") == {"A": "granted"}


def test_a_tick_at_an_earlier_instant_swallows_no_correction() -> None:
    merchant()
    publish(offer("o"))
    freight("A", paid_at="01")
    tick("05")
    correct(FreightOrder, "A", cancelled_at="03")
    tick("04")
    tick("06")
    assert states("o") == {"A": "released"}


def test_a_tick_repeated_changes_nothing() -> None:
    small_world()
    tick("09")
    before, entries = everything(), journal()
    tick("09")
    assert everything() == before
    assert journal() == entries


def test_a_late_order_with_a_coupon_that_was_cancelled_already() -> None:
    merchant()
    publish(coupon_offer())
    freight("A", shipped_at="01")
    tick("10")
    freight("B", placed_at="03", cancelled_at="04", use_coupon=True)
    tick("11")
    assert coupons() == {"issued": 1}


def test_a_late_cancellation_after_the_end_of_validity() -> None:
    merchant()
    publish(coupon_offer())
    freight("A", shipped_at="01")
    freight("B", placed_at="03", paid_at="04", use_coupon=True)
    tick("10-10")
    correct(FreightOrder, "B", cancelled_at="05")
    tick("10-11")
    tick("10-12")
    assert coupons() == {"expired": 1}


def test_a_merchant_corrected_brings_its_orders_into_scope() -> None:
    merchant(country="US")
    publish(offer("o", where="[{fact: merchant.country, is: CN}]"))
    freight("A", paid_at="01")
    tick("02")
    from merchants.models import Merchant

    correct(Merchant, "M1", country="CN")
    tick("03")
    assert grants() == {("o", "A"): "settled 100.00 CNY"}


@pytest.mark.parametrize(
    ("departed", "state"),
    [
        ("20 23:59:59.999999", "settled"),
        ("21", "forfeited"),
        ("20 23:59:59", "settled"),
        ("21 00:00:00.000001", "forfeited"),
    ],
)
@pytest.mark.parametrize("steps", [("25",), ("20 23:59:59.999999", "21", "25"), ("21", "21 00:00:00.000001")])
def test_a_reservation_that_ends_as_it_is_settled_does_one_of_both(
    departed: str, state: str, steps: tuple[str, ...]
) -> None:
    merchant()
    terms = "{at: departed_at, locked_at: paid_at, deadline: 2022-09-20 23:59:59, released_by: cancelled_at}"
    publish(offer("o", claim="{at: placed_at}", settlement=terms, quota="{limit: 1}"))
    freight("A", placed_at="02", paid_at="03", departed_at=departed)
    for at in steps:
        tick(at)
    assert journal() == ["A: · → reserved", "A: reserved → locked", f"A: locked → {state}"]
    assert used("o") == 1, "neither gives a place back"
