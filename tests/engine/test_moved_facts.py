"""Facts that move to another owner: what was given stays with its merchant, and is marked for review."""

from decimal import Decimal

import pytest

from campaigns.engine import instant_claims
from campaigns.grants import reviews
from campaigns.models import Attachment, Coupon, Grant, Tag
from campaigns.monitoring import invariants
from imports.importer import BatchLabel, ErrorCounter, import_parsed_rows
from logistics.models import FreightOrder
from merchants.models import Merchant
from tests.support.importing import NOW, SCHEMAS
from tests.support.world import (
    correct,
    coupons,
    freight,
    grants,
    merchant,
    offer,
    publish,
    receipt,
    review,
    t,
    tick,
    trade,
)
from trade.models import Receipt, TradeOrder

pytestmark = pytest.mark.django_db

COUPONS = offer(
    "c",
    subject="merchant",
    claim="{nth: {number: 1, of: freight_orders, at: shipped_at, where: [{fact: shipped_at, happened: yes}]}}",
    benefit="{coupons: {count: 2, value: 25.00, currency: CNY,"
    " valid: {from: 2022-09-01 00:00:00, to: 2022-09-29 23:59:59}, where: [{fact: service, is: express}]}}",
    settlement="",
)
OVER = offer(
    "half",
    subject="trade_order",
    claim="{over_threshold: {height: 1000.00, window: {from: 2022-09-01 00:00:00, to: 2022-09-30 23:59:59},"
    " where: [{fact: product, is: trade_assurance}]}}",
    conditions="everyone",
    benefit="{fee: service_fee, percent: 50}",
    settlement="{released_by: cancelled_at, released_after_settlement: yes}",
)


def two_wallets() -> None:
    for code in ("M1", "M2"):
        merchant(code)
        freight(f"S-{code}", code, shipped_at="01")
    publish(COUPONS + offer("o", conditions="everyone"))
    tick("02")
    freight("A", "M1", placed_at="03", use_coupon=True)
    tick("04")
    assert coupons(merchant="M1") == {"issued": 1, "locked": 1}


def marked(code: str) -> str:
    return Grant.objects.get(offer__code="c", merchant=code).review


@pytest.mark.parametrize(
    ("fields", "state"),
    [({}, "locked"), ({"paid_at": "05"}, "redeemed"), ({"cancelled_at": "05"}, "issued")],
)
@pytest.mark.parametrize("in_steps", [True, False])
def test_an_order_with_a_coupon_that_moves_keeps_the_coupon(fields: dict[str, str], state: str, in_steps: bool) -> None:
    two_wallets()
    correct(FreightOrder, "A", merchant_id="M2")
    if in_steps:
        tick("04 12:00")
        assert marked("M1")
    if fields:
        correct(FreightOrder, "A", **fields)
    freight("B", "M2", paid_at="05", base_freight=Decimal(800))
    tick("06")
    assert grants()["o", "B"] == "settled 80.00 CNY"
    assert coupons(merchant="M1").get(state) == (2 if state == "issued" else 1)
    assert coupons(merchant="M2") == {"issued": 2}
    assert Attachment.objects.get(order_no="A").merchant_id == "M1"
    assert bool(marked("M1")) == (in_steps or state != "issued")
    assert not marked("M2")
    assert invariants.check() == []


def test_accepted_coupon_of_a_moved_order_stays_accepted() -> None:
    two_wallets()
    correct(FreightOrder, "A", merchant_id="M2")
    tick("05")
    reviews.accept(Grant.objects.get(offer__code="c", merchant="M1"), at=t("05"), by="ann", reason="agreed")
    correct(FreightOrder, "A", paid_at="05 12:00")
    tick("06")
    assert not marked("M1")
    assert Coupon.objects.get(order_no="A").status == "redeemed"
    merchant("M3")
    correct(FreightOrder, "A", merchant_id="M3")
    tick("07")
    assert marked("M1")


def test_order_that_got_no_coupon_gets_none_from_its_next_merchant() -> None:
    two_wallets()
    for order_no in ("A2", "A3"):
        freight(order_no, "M1", placed_at="04 06:00", use_coupon=True)
    tick("05")
    correct(FreightOrder, "A3", merchant_id="M2")
    tick("06")
    assert coupons(merchant="M2") == {"issued": 2}


def over_threshold() -> None:
    for code in ("M1", "M2"):
        merchant(code)
    publish(OVER)
    for n, order_no in enumerate(("T1", "T2", "T3"), start=1):
        trade(order_no)
        receipt(f"R{n}", order_no, f"0{n}", 1000)
    tick("05")
    assert set(grants()) == {("half", "T2"), ("half", "T3")}


def test_a_tagged_order_that_moves_keeps_its_tag() -> None:
    over_threshold()
    correct(TradeOrder, "T2", merchant_id="M2")
    tick("06")
    assert review("T2")
    assert not review("T3")
    assert Tag.objects.get(subject="T2").merchant_id == "M2"
    assert Tag.objects.count() == 3


def test_a_threshold_order_that_moves_leaves_the_sum_of_its_former_merchant() -> None:
    over_threshold()
    correct(TradeOrder, "T1", merchant_id="M2")
    trade("T4", "M2")
    receipt("R4", "T4", "06")
    tick("07")
    assert (review("T2"), review("T3")) != ("", "")
    assert grants()["half", "T4"] == "settled 50.00 USD"


def test_moved_tags_are_followed_by_a_claim_ahead_of_the_tick() -> None:
    over_threshold()
    correct(TradeOrder, "T2", merchant_id="M2")
    decided = instant_claims.claim("T2", of="trade_order", at=t("06"))
    assert [decision.subject for decision in decided] == ["T2"]
    tick("07")
    assert review("T2")


def test_an_accepted_threshold_stays_accepted_until_its_receipts_change() -> None:
    over_threshold()
    correct(Receipt, "R1", amount_usd=Decimal(500))
    tick("06")
    assert review("T2")
    reviews.accept(Grant.objects.get(subject="T2"), at=t("06"), by="ann", reason="agreed")
    trade("T4")
    receipt("R4", "T4", "07", 10)
    tick("08")
    assert not review("T2")
    correct(Receipt, "R1", amount_usd=Decimal(400))
    tick("09")
    assert review("T2")


def moved(name: str, key: str, of: str, **to: str) -> None:
    """Import rows that name another parent, as a file does."""
    schema = SCHEMAS[name]
    columns = [key, *to]
    errors = ErrorCounter(lambda error: pytest.fail(str(error)))
    stored = schema.model._default_manager.filter(pk=of).values().get()
    values = [to.get(column.name, stored[column.attname]) for column in schema.columns]
    rows = [(2, *(of if column.name == key else value for column, value in zip(schema.columns, values, strict=True)))]
    import_parsed_rows(schema, rows, columns=columns, label=BatchLabel("moved", NOW), errors=errors)


COUNTED = "{count: freight_orders, where: [{fact: shipped_at, happened: yes}], at_least: 2}"


@pytest.mark.parametrize("in_steps", [True, False])
def test_a_counted_order_that_moves_marks_the_grant_of_its_former_merchant(in_steps: bool) -> None:
    for code in ("M1", "M3"):
        merchant(code)
    publish(offer("o", conditions=f"[{COUNTED}]"))
    freight("S1", shipped_at="01")
    freight("S2", shipped_at="02")
    freight("A", paid_at="03")
    tick("04")
    moved("freight_orders", "order_no", "S2", merchant_code="M3")
    if in_steps:
        tick("05")
    moved("freight_orders", "order_no", "S2", merchant_code="M3")
    tick("06")
    assert review("A")


def test_a_first_payment_that_moves_marks_the_grant_of_its_former_order() -> None:
    merchant()
    publish(
        offer(
            "o",
            subject="trade_order",
            claim="{at: first_payment_at}",
            conditions="everyone",
            benefit="{fee: service_fee, percent: 50}",
            settlement="",
        )
    )
    trade("T1")
    trade("T2")
    receipt("R1", "T1", "02")
    tick("03")
    moved("receipts", "receipt_no", "R1", order_no="T2")
    tick("04")
    assert review("T1")
    assert grants()["o", "T2"] == "settled 50.00 USD"


def test_a_receipt_that_moves_marks_the_threshold_of_its_former_merchant() -> None:
    over_threshold()
    trade("T9", "M2")
    moved("receipts", "receipt_no", "R1", order_no="T9")
    tick("06")
    assert review("T2")


NTH_PAID = "{nth: {number: 1, of: trade_orders, at: completed_at, where: [{fact: first_payment_at, happened: yes}]}}"
NTH_CN = "{nth: {number: 1, of: freight_orders, at: shipped_at, where: [{fact: merchant.country, is: CN}]}}"
NTH = "{nth: {number: 1, of: freight_orders, at: shipped_at, where: [{fact: service, is: express}]}}"
BY_COUNTRY = "{by: merchant.country, cases: {CN: paid_at}}"
WALLET = COUPONS.split("benefit: ")[1].split("\n")[0]


@pytest.mark.parametrize(
    "parts",
    [
        {"where": "[{fact: merchant.country, is: CN}]"},
        {"claim": "{at: " + BY_COUNTRY + "}"},
        {"subject": "merchant", "claim": NTH_CN, "benefit": WALLET, "settlement": ""},
        {
            "subject": "merchant",
            "claim": NTH,
            "where": "[{fact: merchant.country, is: CN}]",
            "benefit": WALLET,
            "settlement": "",
        },
    ],
)
def test_a_corrected_country_makes_a_claim(parts: dict[str, str]) -> None:
    merchant(country="US")
    publish(offer("o", **{"conditions": "everyone", **parts}))
    freight("A", shipped_at="02", paid_at="02")
    tick("03")
    assert grants() == {}
    correct(Merchant, "M1", country="CN")
    tick("09")  # beyond the days for which an instant made of several counts as new
    assert len(grants()) == 1


def test_a_corrected_country_makes_an_order_count_towards_the_threshold() -> None:
    merchant(country="US")
    publish(OVER.replace("{fact: product, is: trade_assurance}", "{fact: merchant.country, is: CN}"))
    for n, order_no in enumerate(("T1", "T2"), start=1):
        trade(order_no)
        receipt(f"R{n}", order_no, f"0{n}", 1000)
    tick("03")
    correct(Merchant, "M1", country="CN")
    tick("04")
    assert set(grants()) == {("half", "T2")}


def test_an_order_after_the_threshold_that_comes_into_scope_claims() -> None:
    merchant()
    publish(OVER.replace("where: all", "where: [{fact: payment_product, is: TALC}]"))
    for n, order_no in enumerate(("T1", "T2"), start=1):
        trade(order_no, payment_product="")
        receipt(f"R{n}", order_no, f"0{n}", 1000)
    tick("03")
    correct(TradeOrder, "T2", payment_product="TALC")
    tick("04")
    assert set(grants()) == {("half", "T2")}
