"""Claims that ask for measures: exact results on both sides of a bound, explanations, corrections and late facts."""

from decimal import Decimal
from typing import Any

import pytest

from buyers.models import Buyer
from campaigns.eligibility import explanations, merchant_status
from campaigns.offers import published_offers
from merchants.models import Merchant
from tests.support.world import (
    HEADING,
    correct,
    everything,
    grants,
    merchant,
    offer,
    outcomes,
    publish,
    review,
    states,
    t,
    tell,
    tick,
    trade,
)
from trade.models import TradeOrder

pytestmark = pytest.mark.django_db

ON_TIME = """measures:
  on_time_rate:
    names: {en: On-time rate, zh: 准时发货率}
    share: trade_orders
    among: [{fact: drafted_at, happened: yes}]
    where: [{fact: shipped_at, by: completed_at}]
    over: {last_days: 90, at: drafted_at}
    otherwise: 0.00
  sold: {sum: trade_orders.amount_usd, where: [{fact: cancelled_at, happened: no}], over: {earlier: shipped_at}}
"""
PARTS = {
    "subject": "trade_order",
    "claim": "{at: shipped_at}",
    "benefit": "{fee: service_fee, percent: 10}",
    "settlement": "",
}


def given(conditions: str, **parts: str) -> None:
    publish(offer("o", conditions=conditions, **PARTS, **parts), heading=HEADING + ON_TIME)


def explained(subject: str, at: str) -> Any:
    [result, *_rest] = explanations.explain(published_offers.find("o"), subject, at=t(at)).conditions
    return result


def orders(on_time: int, late: int) -> None:
    """Record orders of August, some shipped on time and some not."""
    for n in range(on_time + late):
        shipped = "08-10" if n < on_time else "08-20"
        trade(f"P{n:02}", drafted_at="08-01", shipped_at=shipped, completed_at="08-15")


def test_a_share_is_rounded_half_up_and_compared_as_rounded() -> None:
    """Five of six are 83.33 %: enough for 83.33, and not for 83.34."""
    merchant()
    given("[{measure: on_time_rate, at_least: 83.33}]")
    orders(on_time=5, late=1)
    tick("04")
    trade("A", shipped_at="05")
    tick("06")
    assert outcomes("o")["A"] == "granted"
    publish(offer("p", conditions="[{measure: on_time_rate, at_least: 83.34}]", **PARTS), heading=HEADING + ON_TIME)
    tick("07")
    assert outcomes("p")["A"] == "refused"


def test_a_refusal_says_what_was_measured_and_what_is_missing() -> None:
    merchant()
    given("[{measure: on_time_rate, at_least: 90.00}]")
    orders(on_time=3, late=1)
    trade("A", shipped_at="05")
    tick("06")
    found = explained("A", "06")
    assert (found.name, found.passed, found.found, found.shortfall) == (
        "on_time_rate",
        False,
        Decimal("75.00"),
        Decimal("15.00"),
    )
    assert (found.asked.operator, found.asked.value, found.asked.unit) == ("at_least", Decimal("90.00"), "%")
    assert (found.shown, found.margin) == ("75%", "15% short")
    [status] = merchant_status.statuses(published_offers.published(), Merchant.objects.get(), at=t("06"))
    assert [(reason.name, reason.margin) for reason in status.missing] == [("on_time_rate", "15% short")]


def test_without_rows_the_measure_has_its_stated_value() -> None:
    merchant()
    given("[{measure: on_time_rate, at_most: 0.00}]")
    trade("A", shipped_at="05")
    tick("06")
    assert (explained("A", "06").found, outcomes("o")) == (Decimal("0.00"), {"A": "granted"})


def test_a_running_total_covers_the_rows_before_a_claim() -> None:
    """At one instant the lower key comes first; a later row, and the row itself, do not count."""
    merchant()
    given("[{measure: sold, less_than: 2000.00}]")
    for key, at in (("C", "05"), ("B", "05"), ("A", "06"), ("D", "04")):
        trade(key, shipped_at=at)
    trade("E", of=merchant("M2").code, shipped_at="07")
    tick("08")
    assert outcomes("o") == {"D": "granted", "B": "granted", "C": "refused", "A": "refused", "E": "granted"}
    assert [explained(key, "08").found for key in "DBCAE"] == [0, 1000, 2000, 3000, 0]


def test_a_corrected_row_of_a_measure_marks_the_grants_that_rest_on_it() -> None:
    merchant()
    given("[{measure: on_time_rate, at_least: 75.00}]")
    orders(on_time=3, late=1)
    trade("A", shipped_at="05")
    tick("06")
    before = states("o")
    correct(TradeOrder, "P00", shipped_at="08-20")  # two of four are on time
    tick("07")
    assert states("o") == before
    assert review("A") == "a condition no longer holds"


def test_a_late_row_counts_for_claims_decided_after_it_and_marks_those_before() -> None:
    merchant()
    given("[{measure: sold, at_most: 0.00}]")
    trade("B", shipped_at="05")
    tick("06")
    assert outcomes("o") == {"B": "granted"}
    trade("A", shipped_at="04")
    tick("07")
    assert (outcomes("o"), review("B")) == ({"B": "granted", "A": "granted"}, "a condition no longer holds")


@pytest.mark.parametrize("stops", [("20",), ("05 12:00", "10", "20")])
def test_steps_do_not_matter(stops: tuple[str, ...]) -> None:
    merchant()
    given("[{measure: sold, at_most: 2000.00}, {measure: on_time_rate, less_than: 50.00}]")
    for n in range(8):
        trade(f"T{n}", drafted_at="03", shipped_at=f"0{n + 1}", completed_at="05 12:00", amount_usd=Decimal(600 + n))
    for at in stops:
        tick(at)
    assert outcomes("o") == {f"T{n}": "granted" if n < 3 else "refused" for n in range(8)}
    assert everything()["used"] == [("o", 3, 3)]


PURSE = (
    "{fee: order_amount, after: {measure: sold}, "
    "slices: [{from: 0, percent: 10}, {from: 1500, percent: 5}, {from: 2500, percent: 0}]}"
)
TIERS = "{fee: service_fee, by: {measure: sold}, tiers: [{from: 1000, percent: 10}, {from: 2000, amount: 30}]}"


def test_slices_after_a_running_total_and_tiers_by_one() -> None:
    """Orders of 1,000.00: 10 % of 1,500.00, 5 % of the next 1,000.00, and nothing above."""
    merchant()
    heading, parts = HEADING + ON_TIME, {**PARTS, "conditions": "everyone"}
    text = offer("purse", **{**parts, "benefit": PURSE}) + offer("tiers", **{**parts, "benefit": TIERS})
    publish(text, heading=heading)
    for key, at in (("A", "03"), ("C", "05"), ("B", "05"), ("D", "06")):
        trade(key, shipped_at=at)
    tick("07")
    assert grants() == {
        ("purse", "A"): "settled 100.00 USD",
        ("purse", "B"): "settled 75.00 USD",
        ("purse", "C"): "settled 25.00 USD",
        ("purse", "D"): "settled 0.00 USD",
        ("tiers", "B"): "settled 10.00 USD",
        ("tiers", "C"): "settled 30.00 USD",
        ("tiers", "D"): "settled 30.00 USD",
    }
    assert outcomes("tiers")["A"] == "refused"
    lowest = explanations.explain(published_offers.find("tiers"), "A", at=t("07")).conditions[0]
    assert (lowest.name, lowest.found, lowest.shortfall, lowest.asked.unit) == ("sold", 0, 1000, "USD")


def test_a_corrected_row_of_a_running_total_marks_the_grants_after_it() -> None:
    merchant()
    publish(offer("o", conditions="everyone", **{**PARTS, "benefit": PURSE}), heading=HEADING + ON_TIME)
    for key, at in (("A", "03"), ("B", "05"), ("C", "06")):
        trade(key, shipped_at=at)
    tick("07")
    before = grants()
    correct(TradeOrder, "B", amount_usd=Decimal(1500))
    tick("08")
    assert grants() == before
    assert {key: bool(review(key)) for key in "ABC"} == {"A": False, "B": True, "C": True}


def test_a_measure_by_buyer_counts_the_rows_of_one_buyer() -> None:
    """The first order of each buyer with each merchant; an order without a buyer has no other one."""
    for code in ("M1", "M2"):
        merchant(code)
    for code in ("U1", "U2"):
        tell(Buyer, code=code, country="US", registered_at="01")
    first = "{{code: first, measure: {{count: trade_orders, by: {by}, over: {{earlier: shipped_at}}}}, at_most: 0}}"
    parts = {**PARTS, "benefit": "{fee: service_fee, percent: 1}"}
    both = offer("both", conditions=f"[{first.format(by='[merchant, buyer]')}]", **parts)
    buyer = offer("buyer", conditions=f"[{first.format(by='buyer')}]", **parts)
    publish(both + buyer)
    for key, of, who, at in (
        ("A", "M1", "U1", "03"),
        ("B", "M1", "U1", "04"),
        ("C", "M2", "U1", "05"),
        ("D", "M1", "U2", "06"),
        ("E", "M1", None, "07"),
        ("F", "M1", None, "08"),
    ):
        trade(key, of=of, buyer_id=who, shipped_at=at)
    tick("09")
    for code, first_orders in (("both", "ACDEF"), ("buyer", "ADEF")):
        assert "".join(key for key, found in outcomes(code).items() if found != "refused") == first_orders
    assert (
        explanations.explain(published_offers.find("both"), "B", at=t("09"))
        .conditions[0]
        .required.startswith("number of trade orders; of the same merchant and buyer; shipped before this one")
    )


def test_an_order_that_moves_to_another_buyer_marks_the_grants_of_that_buyer() -> None:
    merchant()
    for code in ("U1", "U2"):
        tell(Buyer, code=code, country="US", registered_at="01")
    condition = "{code: first, measure: {count: trade_orders, by: buyer, over: {earlier: shipped_at}}, at_most: 0}"
    publish(offer("o", conditions=f"[{condition}]", **PARTS))
    trade("A", buyer_id="U1", shipped_at="03")
    trade("B", buyer_id="U2", shipped_at="04")
    tick("05")
    assert states("o") == {"A": "settled", "B": "settled"}
    correct(TradeOrder, "A", buyer_id="U2")
    tick("06")
    assert (bool(review("A")), bool(review("B"))) == (False, True)
