"""Declared facts of rows that a row points to, and of rows that are measured: exact, and followed when corrected."""

from decimal import Decimal
from pathlib import Path

import pytest

from buyers.models import Buyer
from campaigns.eligibility.explanations import explain
from campaigns.offers import published_offers
from catalog.models import Listing
from tests.support.importing import import_text
from tests.support.world import HEADING, grants, merchant, offer, publish, review, states, t, tell, tick, trade
from trade.models import OrderItem

pytestmark = pytest.mark.django_db

DECLARED = """attributes:
  listing:
    cord_cm: {type: number, names: {en: Cord (cm), zh: 拉绳（厘米）}}
    grade: {type: choice, names: {en: Grade, zh: 品级}, values: {top: {en: Top, zh: 一级}, low: {en: Low, zh: 二级}}}
  buyer:
    vip: {type: flag, names: {en: VIP, zh: 贵宾}}
  trade_order:
    weight: {type: number, names: {en: Weight, zh: 重量}}
"""
ITEMS = {
    "subject": "order_item",
    "claim": "{at: order.completed_at}",
    "benefit": "{fee: item_amount, percent: 10}",
    "settlement": "",
}
FEES = {
    "subject": "trade_order",
    "claim": "{at: completed_at}",
    "benefit": "{fee: service_fee, percent: 10}",
    "settlement": "",
}


def given() -> None:
    merchant()
    for code, held in (("B1", {"vip": True}), ("B2", {})):
        tell(Buyer, code=code, country="US", registered_at="2020-01-01", attributes=held)
    for number, cord in (("L1", "22.5000"), ("L2", "22.4999"), ("L3", None)):
        attributes = {"grade": "top", **({"cord_cm": cord} if cord else {})}
        usual = {"title": "t", "category": "c", "published_at": "2020-01-01"}
        tell(Listing, listing_no=number, merchant_id="M1", attributes=attributes, **usual)
    for order, buyer in (("A", "B1"), ("B", "B2"), ("C", None)):
        trade(order, completed_at="05", buyer_id=buyer)
        for number in ("L1", "L2", "L3"):
            key = f"{order}/{number}"
            tell(OrderItem, item_no=key, order_id=order, listing_id=number, quantity=1, amount_usd=Decimal(100))


def test_attributes_of_a_row_that_is_pointed_to(tmp_path: Path) -> None:
    conditions = "[{fact: listing.attributes.cord_cm, at_least: 22.5}, {fact: buyer.attributes.vip, is: yes}]"
    publish(offer("o", conditions=conditions, **ITEMS), heading=HEADING + DECLARED)
    given()
    tick("06")
    assert grants() == {("o", "A/L1"): "settled 10.00 USD"}
    failed = {
        one.name: (one.found, one.shortfall)
        for one in explain(published_offers.find("o"), "C/L2", at=t("06")).conditions
        if not one.passed
    }
    assert failed == {
        "listing_attributes_cord_cm": (Decimal("22.4999"), Decimal("0.0001")),
        "buyer_attributes_vip": (None, None),
    }
    shorter = (
        "listing_no,merchant_code,title,category,published_at,attributes.cord_cm\nL1,M1,t,c,2020-01-01T00:00Z,22\n"
    )
    assert import_text("listings", shorter, tmp_path).counts == (0, 1, 0)
    tick("07")
    assert review("A/L1")
    assert Listing.objects.get(pk="L1").attributes == {"grade": "top", "cord_cm": "22.0000"}


def test_a_buyer_who_gets_an_attribute_makes_its_rows_subjects(tmp_path: Path) -> None:
    publish(offer("o", where="[{fact: buyer.attributes.vip, is: yes}]", **ITEMS), heading=HEADING + DECLARED)
    given()
    tick("06")
    assert set(states("o")) == {"A/L1", "A/L2", "A/L3"}
    vip = "buyer_code,country,registered_at,attributes.vip\nB2,US,2020-01-01T00:00Z,yes\n"
    assert import_text("buyers", vip, tmp_path).counts == (0, 1, 0)
    tick("07")
    assert set(states("o")) == {f"{order}/{number}" for order in "AB" for number in ("L1", "L2", "L3")}


def test_measures_of_declared_numbers_are_exact() -> None:
    measures = """measures:
  weight: {names: {en: Weight, zh: 重量}, sum: trade_orders.attributes.weight, over: {last_days: 30, at: completed_at}}
  mean: {average: trade_orders.attributes.weight, otherwise: 0, over: {last_days: 30, at: completed_at}}
  kinds: {distinct: trade_orders.attributes.weight, over: {last_days: 30, at: completed_at}}
"""
    offers = "".join(
        offer(code, conditions=f"[{{measure: {measure}, at_least: {bound}}}]", **FEES)
        for code, measure, bound in (
            ("s", "weight", "0.31"),
            ("s-more", "weight", "0.32"),
            ("m", "mean", "0.16"),
            ("m-more", "mean", "0.17"),
            ("k", "kinds", "2"),
            ("k-more", "kinds", "3"),
        )
    )
    versions = publish(offers, heading=HEADING + DECLARED + measures)
    assert [*versions[0].definition["declared"]["attributes"]["trade_order"]] == ["weight"]
    merchant()
    trade("A", completed_at="04", attributes={"weight": "0.1550"})
    trade("B", completed_at="04", attributes={"weight": "0.1500"})
    trade("C", completed_at="04", attributes={})
    trade("Z", completed_at="05")
    tick("06")
    met = {code for code in ("s", "s-more", "m", "m-more", "k", "k-more") if passed(code)}
    assert met == {"s", "k"}
    [found] = [one.found for one in explain(published_offers.find("m"), "Z", at=t("06")).conditions if not one.passed]
    assert found == Decimal("0.15")


def passed(code: str) -> bool:
    results = explain(published_offers.find(code), "Z", at=t("06")).conditions
    return all(one.passed for one in results)
