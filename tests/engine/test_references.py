"""Facts of rows to which a row points: conditions see them, and a corrected one is followed like a fact of its own."""

from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Model

from buyers.models import Buyer, BuyerLevel
from campaigns.eligibility.explanations import explain
from campaigns.offers import published_offers
from catalog.models import Listing
from imports.models import FormerParent
from merchants.models import Account, Merchant
from tests.support.marketplace import (
    account,
    buyer,
    item,
    level,
    listing,
    product_review,
    request,
    service_order,
    violation,
)
from tests.support.world import (
    correct,
    freight,
    grants,
    merchant,
    offer,
    outcomes,
    publish,
    receipt,
    review,
    states,
    t,
    tick,
    trade,
)
from trade.models import OrderItem, Receipt, Review, TradeOrder

pytestmark = pytest.mark.django_db

ITEMS = {
    "subject": "order_item",
    "where": "[{fact: listing.is_rts, is: yes}]",
    "claim": "{at: order.first_payment_at}",
    "benefit": "{fee: item_amount, percent: 10}",
    "settlement": "{released_by: order.cancelled_at, released_after_settlement: yes}",
    "conditions": (
        "[{fact: listing.category_l1, is: Furniture}, {fact: order.amount_usd, at_least: 500.00},"
        " {code: level, fact: buyer.level, at_least: 2}, {code: open, fact: order.cancelled_at, happened: no},"
        " {count: violations, where: [{fact: listing.growth_score, less_than: 50.5}, {fact: found_at, happened: yes}],"
        " at_most: 0}]"
    ),
}


def given_one(**fields: Any) -> None:
    """Grant an item that is paid on the 5th, of an order that buyer B1 of level 2 made at merchant M1."""
    merchant()
    merchant("M2")
    buyer()
    level("B1", 2, "01")
    listing(growth_score=Decimal("50.50"))
    trade("T1", buyer_id="B1")
    trade("T2", "M2", buyer_id="B1")
    item("T1", **fields)
    violation("X1", "02", listing_id="L1")
    receipt("R1", "T1", "05")
    publish(offer("o", **ITEMS))
    tick("06")
    assert grants() == {("o", "T1/L1"): "settled 10.00 USD"}


def move(model: type[Model], key: str, parent: type[Model], former: str, **to: str) -> None:
    """Correct the row to which a fact belongs, as an import does."""
    correct(model, key, **to)
    batch = model._default_manager.get(pk=key).batch  # type: ignore[attr-defined]  # an imported record
    FormerParent.objects.create(batch=batch, parent=parent._meta.db_table, key=former)


CORRECTIONS: dict[str, Any] = {
    "category of the listing": lambda: correct(Listing, "L1", category="Chairs>Furniture"),
    "scope of the listing": lambda: correct(Listing, "L1", is_rts=False),
    "fact of the listing of a counted row": lambda: correct(Listing, "L1", growth_score=Decimal("50.49")),
    "amount of the order": lambda: correct(TradeOrder, "T1", amount_usd=Decimal("499.99")),
    "cancelled before the claim": lambda: correct(TradeOrder, "T1", cancelled_at="05"),
    "buyer of the order": lambda: correct(TradeOrder, "T1", buyer_id=buyer("B2").pk),
    "no buyer": lambda: correct(TradeOrder, "T1", buyer_id=None),
    "level of the buyer": lambda: correct(BuyerLevel, BuyerLevel.objects.get().pk, level=1),
    "a level just before the claim": lambda: level("B1", 1, "05"),
    "payment of the order": lambda: correct(Receipt, "R1", booked_at="04"),
    "the payment belongs to another order": lambda: move(Receipt, "R1", TradeOrder, "T1", order_id="T2"),
    "the order belongs to another merchant": lambda: correct(TradeOrder, "T1", merchant_id="M2"),
    "amount of the item itself": lambda: correct(OrderItem, "T1/L1", amount_usd=Decimal(99)),
}


@pytest.mark.parametrize("what", CORRECTIONS)
def test_a_corrected_row_marks_the_grants_that_point_to_it(what: str) -> None:
    given_one()
    before = grants()
    CORRECTIONS[what]()
    tick("07")
    assert review("T1/L1")
    assert grants() == before


PROGRESS: dict[str, Any] = {
    "a fact that no condition names": lambda: correct(Listing, "L1", images=3),
    "a level just after the claim": lambda: level("B1", 0, "05 00:01"),
    "the buyer leaves": lambda: correct(Buyer, "B1", closed_at="06"),
    "the same side of the bound": lambda: correct(TradeOrder, "T1", amount_usd=Decimal("500.00")),
    "a payment of another order": lambda: receipt("R2", "T2", "04"),
}


@pytest.mark.parametrize("what", PROGRESS)
def test_what_no_grant_rests_on_marks_none(what: str) -> None:
    given_one()
    PROGRESS[what]()
    tick("07")
    assert not review("T1/L1")


def test_a_cancelled_order_releases_its_items() -> None:
    given_one()
    correct(TradeOrder, "T1", cancelled_at="06 12:00")
    tick("07")
    assert states("o") == {"T1/L1": "released"}


@pytest.mark.parametrize("awaits", ["the listing", "the payment"])
def test_a_row_claims_once_the_row_that_it_points_to_lets_it(awaits: str) -> None:
    merchant()
    buyer()
    level("B1", 2, "01")
    listing(is_rts=awaits != "the listing")
    trade("T1", buyer_id="B1")
    item("T1")
    if awaits != "the payment":
        receipt("R1", "T1", "05")
    publish(offer("o", **ITEMS))
    tick("06")
    assert outcomes("o") == {}
    if awaits == "the listing":
        correct(Listing, "L1", is_rts=True)
    else:
        receipt("R1", "T1", "05")
    tick("07")
    assert outcomes("o") == {"T1/L1": "granted"}


def test_each_item_has_the_level_that_its_buyer_had_at_its_claim() -> None:
    given_one()
    level("B1", 1, "07")
    level("B1", 3, "09")
    for number, paid in (("A", "06 23:59"), ("B", "07"), ("C", "08 23:59"), ("D", "09")):
        trade(number, buyer_id="B1")
        item(number)
        receipt(f"R{number}", number, paid)
    trade("E")
    item("E")
    receipt("RE", "E", "09")
    tick("10")
    found = outcomes("o")
    assert {number: found[f"{number}/L1"] for number in "ABCDE"} == {
        "A": "granted",
        "B": "refused",
        "C": "refused",
        "D": "granted",
        "E": "refused",
    }
    explained = explain(published_offers.find("o"), "B/L1", at=t("10"))
    [required] = [condition for condition in explained.conditions if condition.name == "level"]
    assert (explained.merchant_code, required.found, required.passed) == ("M1", 1, False)
    assert required.required == "buyer level is at least 2"


COUNTED: dict[str, Any] = {
    "an abnormal order": lambda: correct(TradeOrder, "T1", abnormal_at="03"),
    "the buyer is not from the United States": lambda: correct(Buyer, "B1", country="CA"),
    "the order belongs to another merchant": lambda: move(TradeOrder, "T1", Merchant, "M1", merchant_id="M2"),
    "the review is about an order of another merchant": lambda: move(Review, "V1", TradeOrder, "T1", order_id="T2"),
}


@pytest.mark.parametrize("correction", COUNTED)
def test_rows_of_an_order_are_counted_for_its_merchant(correction: str) -> None:
    given_one()
    counting = (
        "[{count: reviews, where: [{fact: reviewed_at, happened: yes}, {fact: order.abnormal_at, happened: no},"
        " {fact: buyer.country, is: US}, {fact: merchant.country, is: CN}], at_least: 2}]"
    )
    publish(offer("c", conditions=counting), heading="campaign: counted\nnames: {en: c, zh: c}\nzone: UTC\n")
    for number, order_no in (("V1", "T1"), ("V2", "T1"), ("V3", "T2")):
        product_review(number, order_no, "04")
    freight("F1", paid_at="05")
    freight("F2", "M2", paid_at="05")
    tick("06")
    assert outcomes("c") == {"F1": "granted", "F2": "refused"}
    COUNTED[correction]()
    tick("07")
    assert review("F1") == "a condition no longer holds"


def test_service_orders_and_requests_know_the_role_of_their_account() -> None:
    merchant()
    account()
    account("A2", role="sub")
    role = "[{code: main, fact: account.role, is: main}]"
    services = {"subject": "service_order", "claim": "{at: placed_at}", "conditions": role, "settlement": ""}
    publish(
        offer("s", **services, where="[{fact: service, is: photo_tool}]", benefit="{fee: service_price, percent: 50}")
        + offer(
            "r",
            subject="claim_request",
            where="[{fact: offer, is: r}]",
            claim="{at: requested_at}",
            conditions=role,
            settlement="",
            benefit="{coupons: {count: 1, value: 5.00, currency: CNY,"
            " valid: {from: 2022-09-01 00:00:00, to: 2022-09-30 00:00:00}, where: [{fact: service, is: express}]}}",
        )
    )
    service_order("S1", "05")
    service_order("S2", "05", account_id="A2")
    service_order("S3", "05", service="other")
    request("Q1", "r", "05")
    request("Q2", "r", "05", account="A2")
    request("Q3", "s", "05")
    tick("06")
    assert outcomes("s") == {"S1": "granted", "S2": "refused"}
    assert outcomes("r") == {"Q1": "granted", "Q2": "refused"}
    assert grants()["s", "S1"] == "settled 49.50 CNY"
    correct(Account, "A1", role="sub")
    tick("07")
    assert review("S1") and review("Q1")


def test_an_order_is_worth_its_amount() -> None:
    merchant()
    publish(offer("a", subject="trade_order", claim="{at: shipped_at}", benefit="{fee: order_amount, percent: 2.5}",
                  settlement=""))  # fmt: skip
    trade("T1", shipped_at="05", amount_usd=Decimal("1000.30"))
    tick("06")
    assert grants() == {("a", "T1"): "settled 25.01 USD"}
