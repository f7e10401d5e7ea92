"""The fact `benefit` in queries: equal, to the cent, to the discount that a grant gets."""

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F

from core.facts import FEES, SUBJECTS
from definitions.benefits import Coupons, Discount
from definitions.benefits.amounts import BenefitAmount, stated_value
from rules.query_row import QueryRow
from tests.support.world import draw, freight, merchant, t, trade

pytestmark = pytest.mark.django_db

DISCOUNTS: list[dict[str, Any]] = [
    {"fee": "freight", "percent": "11"},
    {"fee": "freight", "percent": "33.3333"},
    {"fee": "freight", "percent": "100"},
    {"fee": "freight", "currency": "USD", "amount": "100.00"},
    {"fee": "freight", "tiers": [{"from": "0.05", "percent": "10"}, {"from": "100.00", "percent": "0.0001"}]},
    {
        "fee": "freight",
        "currency": "CNY",
        "tiers": [{"from": "60", "amount": "50"}, {"from": "500", "percent": "12.5"}],
    },
    {"fee": "freight", "currency": "CNY", "percent": "33.3333", "at_most": "25.00"},
    {"fee": "freight", "currency": "JPY", "price": "60"},
    {"fee": "freight", "currency": "USD", "price": "0"},
    {"fee": "freight", "currency": "USD", "price": "59.99", "at_most": "100.01"},
    {"fee": "freight", "slices": [{"from": "0", "percent": "33.3333"}, {"from": "60", "percent": "12.5"}]},
    {"fee": "freight", "slices": [{"from": "0.05", "percent": "100"}, {"from": "99.99", "percent": "0"}]},
    {
        "fee": "freight",
        "currency": "CNY",
        "slices": [
            {"from": "1", "percent": "7.7777"},
            {"from": "500", "percent": "0"},
            {"from": "500.01", "percent": "3"},
        ],
        "at_most": "60",
    },
    {"fee": "freight", "percent": {"fact": "base_freight"}},
    {"fee": "service_fee", "amount": {"fact": "easy_return_premium_usd"}},
    {"fee": "service_fee", "percent": {"fact": "easy_return_premium_usd"}, "at_most": "99.99"},
    {"fee": "oa_fee", "rate": "0.3333", "price": "1.50"},
    {"fee": "oa_fee", "rate": "0.3333", "percent": {"fact": "easy_return_premium_usd"}},
    {
        "fee": "service_fee",
        "by": {"measure": {"sum": "trade_orders.amount_usd", "over": {"earlier": "drafted_at"}}},
        "tiers": [
            {"from": "2000", "percent": "12.5"},
            {"from": "9000", "amount": "7"},
            {"from": "20000.01", "percent": "1"},
        ],
    },
    {
        "fee": "oa_fee",
        "rate": "0.3333",
        "by": {"measure": {"count": "trade_orders", "over": {"earlier": "drafted_at"}}},
        "tiers": [{"from": "3", "percent": "10"}, {"from": "30", "percent": "33.3333"}],
        "at_most": "2",
    },
    {
        "fee": "service_fee",
        "after": {"measure": {"sum": "trade_orders.service_fee_usd", "over": {"earlier": "drafted_at"}}},
        "slices": [
            {"from": "0.03", "percent": "33.3333"},
            {"from": "1500", "percent": "0"},
            {"from": "2000", "percent": "7"},
        ],
    },
    {"fee": "service_fee", "percent": "50"},
    {"fee": "oa_fee", "rate": "0.3", "percent": "100"},
    {"fee": "oa_fee", "rate": "0.5", "percent": "40"},
    {"fee": "oa_fee", "rate": "0.3", "amount": "2.00"},
    {"fee": "premium", "percent": "50"},
    {"fee": "financing_fee", "percent": "40"},
]
EDGES = [
    "0",
    "0.01",
    "0.02",
    "0.05",
    "0.13",
    "59.99",
    "60",
    "99.99",
    "100",
    "499.99",
    "500",
    "1234.56",
    "999999999999.99",
]
CLAIMED = {"freight_orders": "paid_at", "trade_orders": "drafted_at", "financing_draws": "drawn_at"}
CURRENCIES = ["CNY", "USD", "JPY", "KRW"]


def _record(subject: str, fact: str, values: list[Decimal | None]) -> None:
    """Record a subject for each value of the fact and each currency."""
    merchant()
    for n, value in enumerate(values):
        match subject:
            case "freight_order":
                for currency in CURRENCIES:
                    freight(f"F{n}{currency}", base_freight=value or Decimal(0), currency=currency)
            case "financing_draw":
                for currency in CURRENCIES:
                    draw(f"D{n}{currency}", "05", fee=value or Decimal(0), currency=currency)
            case _:
                needed = Decimal(0) if value is None and fact == "amount_usd" else value
                premium = None if n % 8 == 0 else Decimal(n * n) / 4  # from 0.25 to more than 100
                drafted_at = t("05") + timedelta(minutes=n)
                given: dict[str, Any] = {"easy_return_premium_usd": premium, "drafted_at": drafted_at, fact: needed}
                trade(f"T{n}", **given)


@pytest.mark.parametrize("given", DISCOUNTS, ids=str)
def test_the_fact_equals_the_discount(given: dict[str, Any]) -> None:
    discount, dice = Discount.model_validate(given), random.Random(3)
    fee = FEES[discount.fee]
    drawn = [Decimal(dice.randrange(10 ** dice.randint(1, 9))) / 100 for _ in range(40)]
    _record(fee.subject, fee.fact, [None, *map(Decimal, EDGES), *drawn])
    rows = SUBJECTS[fee.subject]
    currency = F(fee.currency_fact) if fee.currency_fact else F("pk")
    row = QueryRow(rows, claims=True)
    stated = stated_value(discount, row)
    claims = rows.model._default_manager.annotate(claimed_at=F(CLAIMED[rows.name]), seen_at=F(CLAIMED[rows.name]))
    found = claims.annotate(x=BenefitAmount(discount).expression(row), c=currency)
    found = found.annotate(stated=F(fee.fact) if stated is None else stated)
    pairs = [
        (value.quantize(Decimal("0.01")), discount.value(paid, c if fee.currency_fact else "", stated))
        for value, paid, c, stated in found.values_list("x", fee.fact, "c", "stated")
    ]
    assert len(pairs) >= 54
    assert [pair for pair in pairs if pair[0] != pair[1]] == []
    assert {value == 0 for value, _ in pairs} == {True, False}


@pytest.mark.parametrize("bound", ["0.02", "0.03", "0.04"])
def test_the_fact_is_compared_exactly(bound: str) -> None:
    """10 % of 0.25 is 0.03: half a cent is rounded up before the comparison."""
    merchant()
    freight("F1", base_freight=Decimal("0.25"))
    discount, rows = Discount.model_validate({"fee": "freight", "percent": "10"}), SUBJECTS["freight_order"]
    found = rows.model._default_manager.annotate(x=BenefitAmount(discount).expression(QueryRow(rows)))
    assert found.filter(x__gte=Decimal(bound)).exists() == (bound != "0.04")
    assert found.filter(x__gt=Decimal(bound)).exists() == (bound == "0.02")


def test_coupons_are_worth_their_face_value() -> None:
    merchant()
    valid = {"from": {"at": "2022-09-01 00:00:00", "zone": "UTC"}, "to": {"at": "2022-09-30 23:59:59", "zone": "UTC"}}
    where = [{"fact": "service", "is": "express"}]
    bundle = {"count": "8", "value": "25.00", "currency": "CNY", "valid": valid, "where": where}
    rows = SUBJECTS["merchant"]
    amount = BenefitAmount(Coupons.model_validate({"coupons": bundle})).expression(QueryRow(rows))
    assert rows.model._default_manager.annotate(x=amount).values_list("x", flat=True).get() == Decimal(200)
