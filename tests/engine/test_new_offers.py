"""Offers that nobody has made yet, of known words only, with results worked out by hand: no programmer needed."""

from decimal import Decimal

import pytest

from campaigns.models import Coupon, Grant
from merchants.models import Penalty
from tests.support.world import (
    coupons,
    draw,
    freight,
    grants,
    merchant,
    offer,
    outcomes,
    publish,
    receipt,
    states,
    t,
    tell,
    tick,
    trade,
)

pytestmark = pytest.mark.django_db

SEPTEMBER = "{from: 2022-09-01 00:00:00, to: 2022-09-30 23:59:59}"


def test_a_fixed_amount_off_the_service_fee() -> None:
    """30.00 off for each completed order of 500 and more; never more than the fee."""
    merchant()
    publish(
        offer(
            "thirty",
            subject="trade_order",
            where="[{fact: product, is: e_collection}]",
            claim="{at: completed_at}",
            conditions="[{fact: amount_usd, at_least: 500.00}, {fact: completed_at, within: " + SEPTEMBER + "}]",
            benefit="{fee: service_fee, amount: 30.00}",
            settlement="",
        )
    )
    for order_no, amount, fee, day in (
        ("A", "500.00", "100.00", "05"),
        ("B", "499.99", "100.00", "05"),
        ("C", "500.00", "12.34", "05"),
        ("D", "500.00", None, "05"),
        ("E", "500.00", "100.00", "10-01"),
    ):
        trade(
            order_no,
            product="e_collection",
            amount_usd=Decimal(amount),
            completed_at=day,
            service_fee_usd=None if fee is None else Decimal(fee),
        )
    trade("F", product="trade_assurance", completed_at="05")
    tick("10-02")
    assert grants() == {
        ("thirty", "A"): "settled 30.00 USD",
        ("thirty", "C"): "settled 12.34 USD",
        ("thirty", "D"): "settled 0.00 USD",
    }
    assert outcomes("thirty")["B"] == outcomes("thirty")["E"] == "refused"
    assert "F" not in outcomes("thirty")


def test_a_share_of_the_financing_fee_for_the_first_three() -> None:
    """12.5% in the draw's own currency; the third place goes by the draw number."""
    for code in ("M1", "M2"):
        merchant(code)
    publish(
        offer(
            "finance",
            subject="financing_draw",
            claim="{at: drawn_at}",
            benefit="{fee: financing_fee, percent: 12.5}",
            quota="{limit: 3, per_merchant: 2}",
            settlement="",
        )
    )
    draw("D1", "01", fee=Decimal("0.04"))  # 0.005
    draw("D2", "02", fee=Decimal("33.33"), currency="EUR")  # 4.16625
    draw("D3", "03")
    draw("D5", "04", of="M2")
    draw("D4", "04", of="M2", fee=Decimal(8))
    tick("05")
    assert grants() == {
        ("finance", "D1"): "settled 0.01 USD",
        ("finance", "D2"): "settled 4.17 EUR",
        ("finance", "D4"): "settled 1.00 USD",
    }
    assert outcomes("finance") == {
        "D1": "granted",
        "D2": "granted",
        "D3": "merchant_cap",
        "D4": "granted",
        "D5": "quota_exhausted",
    }


def test_tiers_of_percents_on_sea_freight_with_a_cap() -> None:
    """Tiers: 2% from 1,000, 5% from 5,000, 1,500.00 from 20,000. Two places a merchant; a release admits a third."""
    merchant()
    publish(
        offer(
            "sea",
            where="[{fact: service, is: sea_fcl}]",
            claim="{at: departed_at}",
            benefit="{fee: freight, currency: USD, tiers: [{from: 1000.00, percent: 2}, {from: 5000.00, percent: 5},"
            " {from: 20000.00, amount: 1500.00}]}",
            quota="{per_merchant: 2}",
        )
    )
    orders = (
        ("A", "999.99", "01", "USD", None),
        ("B", "4999.99", "02", "USD", "05"),  # 99.9998
        ("C", "5000.00", "03", "USD", None),
        ("D", "20000.00", "04", "USD", None),  # the cap is full
        ("E", "20000.00", "05", "USD", None),  # B came back at this instant
        ("F", "20000.00", "06", "CNY", None),
    )
    for order_no, base, day, currency, cancelled in orders:
        freight(
            order_no,
            service="sea_fcl",
            base_freight=Decimal(base),
            departed_at=day,
            currency=currency,
            cancelled_at=cancelled,
        )
    tick("08")
    assert grants() == {
        ("sea", "B"): "released 100.00 USD",
        ("sea", "C"): "settled 250.00 USD",
        ("sea", "E"): "settled 1500.00 USD",
    }
    assert outcomes("sea") == {
        "A": "refused",
        "B": "granted",
        "C": "granted",
        "D": "merchant_cap",
        "E": "granted",
        "F": "refused",
    }


def test_coupons_for_the_third_trade_order() -> None:
    """The third order confirmed by its buyer in September brings 3 coupons of 10.00, valid into October."""
    for code in ("M1", "M2"):
        merchant(code)
    publish(
        offer(
            "third",
            subject="merchant",
            claim="{nth: {number: 3, of: trade_orders, at: buyer_confirmed_at, where: ["
            "{fact: buyer_confirmed_at, within: " + SEPTEMBER + "}, {fact: cancelled_at, happened: no}]}}",
            benefit="{coupons: {count: 3, value: 10.00, currency: CNY, valid: {from: 2022-09-10 00:00:00,"
            " to: 2022-10-09 23:59:59}, where: [{fact: service, in: [express, small_parcel]},"
            " {fact: base_freight, at_least: 20.00}]}}",
            quota="{limit: 10, per_merchant: 1}",
            settlement="",
        )
    )
    for n, (code, day, cancelled) in enumerate(
        [("M1", "01", None), ("M1", "02", "01"), ("M1", "03", "25"), ("M1", "04", None), ("M2", "01", None),
         ("M2", "02", None), ("M2", "10-01", None)]
    ):  # fmt: skip
        trade(f"T{n}", code, buyer_confirmed_at=day, cancelled_at=cancelled)
    freight("A", placed_at="09", paid_at="11", use_coupon=True)  # placed before validity
    freight("B", placed_at="10", paid_at="10 01:00", use_coupon=True)
    freight("C", placed_at="11", base_freight=Decimal("19.99"), use_coupon=True)  # too small
    freight("D", placed_at="12", use_coupon=True)  # never paid
    freight("E", placed_at="13", paid_at="14")  # asks for none
    tick("03")
    assert grants() == {}
    tick("20")
    assert grants() == {("third", "M1"): "settled 30.00 CNY"}
    assert Grant.objects.get().claimed_at == t("04")
    assert coupons() == {"issued": 1, "locked": 1, "redeemed": 1}
    tick("10-10")
    assert coupons() == {"expired": 2, "redeemed": 1}
    assert Coupon.objects.get(status="redeemed").order_no == "B"


def test_a_coupon_for_each_shipment() -> None:
    """Each paid sea order brings its merchant one coupon of 50.00 for an express order; two for each merchant."""
    merchant()
    publish(
        offer(
            "each",
            where="[{fact: service, is: sea_fcl}]",
            claim="{at: paid_at}",
            benefit="{coupons: {count: 1, value: 50.00, currency: CNY, valid: {from: 2022-09-01 00:00:00,"
            " to: 2022-09-30 23:59:59}, where: [{fact: service, is: express}]}}",
            quota="{per_merchant: 2}",
            settlement="",
        )
    )
    for order_no, day in (("S1", "01"), ("S2", "02"), ("S3", "03")):
        freight(order_no, service="sea_fcl", paid_at=day)
    freight("E1", placed_at="01 12:00", paid_at="01 13:00", base_freight=Decimal("49.00"), use_coupon=True)
    freight("E2", placed_at="01 12:00", paid_at="01 13:00", use_coupon=True)  # the second is not yet issued
    freight("E3", placed_at="02", paid_at="02 01:00", use_coupon=True)
    tick("05")
    assert states("each") == {"S1": "settled", "S2": "settled"}
    found = Coupon.objects.order_by("order_no").values_list("order_no", "status", "value")
    assert list(found) == [("E1", "redeemed", Decimal("48.99")), ("E3", "redeemed", Decimal("50.00"))]


def test_settled_at_shipment_with_deadline_and_requirement() -> None:
    """Reserved when drafted, locked at the first payment, settled when shipped by the 20th, if no penalty then."""
    for code in ("M1", "M2"):
        merchant(code)
    tell(Penalty, merchant_id="M2", kind="embargo", starts_at="10", ends_at="12")
    publish(
        offer(
            "ship",
            subject="trade_order",
            claim="{at: drafted_at}",
            benefit="{fee: premium, percent: 100}",
            settlement="{locked_at: first_payment_at, at: shipped_at, deadline: 2022-09-19 23:59:59, released_by:"
            " cancelled_at, revoked_by: abnormal_at, requires: [{not_in_force: penalty, of: [embargo]}]}",
        )
    )
    lives = {
        "A": ("M1", {"shipped_at": "15"}, "settled"),
        "B": ("M2", {"shipped_at": "11"}, "forfeited"),  # under a penalty
        "C": ("M2", {"shipped_at": "12"}, "settled"),  # just over
        "D": ("M1", {"shipped_at": "20"}, "forfeited"),  # the instant after the deadline
        "E": ("M1", {"cancelled_at": "05"}, "released"),
        "F": ("M1", {"abnormal_at": "06"}, "revoked"),
        "G": ("M1", {"shipped_at": "02"}, "forfeited"),  # shipped before it was paid: that does not count
        "H": ("M1", {}, "forfeited"),
    }
    for order_no, (code, facts, _) in lives.items():
        trade(order_no, code, drafted_at="01", easy_return_premium_usd=Decimal("9.99"), **facts)
        receipt(f"R{order_no}", order_no, "03")
    tick("04")
    assert set(states("ship").values()) == {"locked"}
    tick("19 23:59")
    assert states("ship") == {**{n: s for n, (_, _, s) in lives.items()}, "D": "locked", "G": "locked", "H": "locked"}
    tick("25")
    assert states("ship") == {order_no: state for order_no, (_, _, state) in lives.items()}
    assert set(grants().values()) == {f"{state} 9.99 USD" for _, _, state in lives.values()}


def test_two_offers_on_one_fee_the_larger_wins_and_gives_way_when_full() -> None:
    merchant()
    publish(
        offer("big", benefit="{fee: freight, percent: 30}", quota="{limit: 1}")
        + offer("small", benefit="{fee: freight, percent: 10}")
        + offer("sum", benefit="{fee: freight, currency: CNY, amount: 200.00}", quota="{per_merchant: 1}")
    )
    freight("A", paid_at="01")  # 300 of big
    freight("B", paid_at="02")  # big is full: 200 of sum
    freight("C", paid_at="03")  # both are full: 100 of small
    freight("D", paid_at="04", base_freight=Decimal(100))
    tick("05")
    assert grants() == {
        ("big", "A"): "settled 300.00 CNY",
        ("sum", "B"): "settled 200.00 CNY",
        ("small", "C"): "settled 100.00 CNY",
        ("small", "D"): "settled 10.00 CNY",
    }
    assert outcomes("big") == {"A": "granted", **dict.fromkeys("BCD", "quota_exhausted")}
    assert outcomes("sum") == {"A": "superseded", "B": "granted", "C": "merchant_cap", "D": "merchant_cap"}
    assert outcomes("small") == {"A": "superseded", "B": "superseded", "C": "granted", "D": "granted"}


def test_equal_discounts_go_by_offer_code() -> None:
    merchant()
    publish(offer("b") + offer("a"))
    freight("A", paid_at="01")
    tick("02")
    assert grants() == {("a", "A"): "settled 100.00 CNY"}


def test_a_fee_held_from_an_earlier_instant_is_not_taken_over() -> None:
    """`early` claims at placement, `late` at payment with more: it comes too late, unless the first was released."""
    merchant()
    publish(
        offer("early", claim="{at: placed_at}", settlement="{at: departed_at, released_by: cancelled_at}")
        + offer("late", benefit="{fee: freight, percent: 50}", settlement="")
    )
    freight("A", placed_at="01", paid_at="02")
    freight("B", placed_at="01", cancelled_at="02", paid_at="02")
    freight("C", placed_at="01", cancelled_at="03", paid_at="02")
    tick("05")
    assert grants() == {
        ("early", "A"): "locked 100.00 CNY",
        ("early", "B"): "released 100.00 CNY",
        ("early", "C"): "released 100.00 CNY",
        ("late", "B"): "settled 500.00 CNY",
    }


def test_a_threshold_of_another_height_and_window() -> None:
    """After 250.00 booked in the first week, later orders of the week have 20% off; the fourth comes too late."""
    merchant()
    week = "{from: 2022-09-01 00:00:00, to: 2022-09-07 23:59:59}"
    publish(
        offer(
            "week",
            subject="trade_order",
            claim="{over_threshold: {height: 250.00, window: "
            + week
            + ", where: [{fact: export_mode, is: self_operated}]}}",
            benefit="{fee: service_fee, percent: 20}",
            settlement="{at: completed_at, released_by: cancelled_at}",
        )
    )
    for order_no, mode in (
        ("T1", "self_operated"),
        ("T2", "onetouch_agency"),
        ("T3", "self_operated"),
        ("T4", "self_operated"),
        ("T5", "self_operated"),
        ("T6", "self_operated"),
    ):
        trade(order_no, export_mode=mode, completed_at="20" if order_no == "T5" else None)
    for n, (order_no, at, amount) in enumerate(
        [("T1", "01", 100), ("T2", "02", 900), ("T3", "03", 149), ("T4", "04", 1), ("T5", "05", 10), ("T6", "08", 10),
         ("T1", "06", 500)]
    ):  # fmt: skip
        receipt(f"R{n}", order_no, at, amount)
    tick("09")
    assert grants() == {("week", "T5"): "locked 20.00 USD"}
    tick("20")
    assert grants() == {("week", "T5"): "settled 20.00 USD"}


def test_orders_decided_on_one_day() -> None:
    """Paid in the first week, decided on the 10th by what is known then; first come, first served among them."""
    merchant()
    publish(
        offer(
            "draw",
            conditions="[{fact: shipped_at, happened: yes}, {code: alive, fact: cancelled_at, happened: no}]",
            decided_at="2022-09-10 00:00:00",
            quota="{limit: 2}",
        )
    )
    lives = {
        "A": {"paid_at": "01", "shipped_at": "12"},  # not shipped by the 10th
        "B": {"paid_at": "02", "shipped_at": "09", "cancelled_at": "09"},
        "C": {"paid_at": "04", "shipped_at": "10"},
        "D": {"paid_at": "03", "shipped_at": "09", "cancelled_at": "11"},
        "E": {"paid_at": "05", "shipped_at": "06"},
    }
    for order_no, facts in lives.items():
        freight(order_no, **facts)
    tick("09 23:59")
    assert grants() == {}
    tick("10")
    assert outcomes("draw") == {"A": "refused", "B": "refused", "C": "granted", "D": "granted", "E": "quota_exhausted"}
    tick("12")
    assert states("draw") == {"C": "settled", "D": "released"}


def test_a_moment_made_of_others() -> None:
    """Claimed at the later of payment and shipment, whichever comes last; by case of the service."""
    merchant()
    publish(
        offer(
            "both",
            claim="{at: {by: service, cases: {express: {latest_of: [paid_at, shipped_at]},"
            " sea_fcl: {day_after: departed_at, zone: Asia/Shanghai}}}}",
            settlement="",
        )
    )
    freight("A", paid_at="01", shipped_at="03")
    freight("B", paid_at="04", shipped_at="03")
    freight("C", paid_at="04")
    freight("D", service="sea_fcl", departed_at="05 15:59")  # 23:59 in Shanghai
    freight("E", service="sea_fcl", departed_at="05 16:00")  # 00:00 of the 6th
    freight("F", service="multimodal", paid_at="01", shipped_at="01", departed_at="01")
    for at in ("02", "03", "05", "05 16:00", "06 15:59"):
        tick(at)
    assert dict(Grant.objects.values_list("subject", "claimed_at")) == {
        "A": t("03"),
        "B": t("04"),
        "D": t("05 16:00"),
    }
    tick("06 16:00")
    assert Grant.objects.get(subject="E").claimed_at == t("06 16:00")
