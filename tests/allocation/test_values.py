"""Amounts of discounts: rounded half up to the cent, never negative, never more than the fee allows."""

from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import FEES
from definitions.benefits import CouponBundle, Discount
from tests.support.allocation_notation import brief

fees = st.decimals(min_value=0, max_value=1_000_000, places=2)
percents = st.decimals(min_value="0.0001", max_value=100, places=4)
amounts = st.decimals(min_value="0.01", max_value=10_000, places=2)


def half_up(exact: Fraction) -> Fraction:
    """To the cent, in whole numbers."""
    return Fraction(floor(exact * 100 + Fraction(1, 2)), 100)


def discount(**parts: object) -> Discount:
    return Discount.model_validate(parts)


@given(fees, percents, st.sampled_from(["freight", "service_fee", "premium", "financing_fee"]))
@brief(300)
def test_a_percentage_is_rounded_half_up(fee: Decimal, percent: Decimal, name: str) -> None:
    taken = discount(fee=name, percent=percent).value(fee)
    room = max(Fraction(fee) - Fraction(FEES[name].least), Fraction(0))
    assert taken == min(half_up(Fraction(fee) * Fraction(percent) / 100), room)
    assert taken.as_tuple().exponent == -2
    assert not taken.is_signed()


@given(fees, amounts)
@brief(200)
def test_freight_is_never_below_a_cent(fee: Decimal, amount: Decimal) -> None:
    taken = discount(fee="freight", currency="CNY", amount=amount).value(fee)
    assert taken >= 0
    assert not taken.is_signed()
    assert taken <= amount
    assert fee == 0 or fee - taken >= Decimal("0.01")


@given(fees, percents, percents)
@brief(200)
def test_a_rate_is_never_rounded_twice(amount: Decimal, rate: Decimal, percent: Decimal) -> None:
    fee = Fraction(amount) * Fraction(rate) / 100
    taken = discount(fee="oa_fee", rate=rate, percent=percent).value(amount)
    assert taken == min(half_up(fee * Fraction(percent) / 100), half_up(fee))


def test_below_the_lowest_tier_is_nothing() -> None:
    assert discount(fee="freight", currency="CNY", tiers=[{"from": 500, "amount": 50}]).value(Decimal(400)) == 0


@given(fees.filter(lambda fee: fee >= 500))
@brief(100)
def test_the_highest_tier_reached_holds(fee: Decimal) -> None:
    tiers = [{"from": 500, "amount": 50}, {"from": 1000, "percent": 10}, {"from": 3000, "amount": 300}]
    taken = discount(fee="freight", currency="CNY", tiers=tiers).value(fee)
    expected = 300 if fee >= 3000 else half_up(Fraction(fee) / 10) if fee >= 1000 else 50
    assert taken == expected


@pytest.mark.parametrize(
    ("fee", "percent", "expected"),
    [
        ("0.05", "10", "0.01"),  # 0.005
        ("0.04", "10", "0.00"),
        ("760.10", "5", "38.01"),  # 38.005
        ("0.01", "100", "0.00"),  # a cent stays to be paid
        ("0.00", "100", "0.00"),
    ],
)
def test_by_hand(fee: str, percent: str, expected: str) -> None:
    assert str(discount(fee="freight", percent=percent).value(Decimal(fee))) == expected


def test_an_empty_fee_is_nothing() -> None:
    assert str(discount(fee="service_fee", percent=50).value(None)) == "0.00"


@pytest.mark.parametrize(("freight", "worth"), [("300.00", "25.00"), ("25.00", "24.99"), ("0.01", "0.00"), ("0", "0")])
def test_value_of_a_coupon(freight: str, worth: str) -> None:
    valid = {"from": {"at": "2022-09-01 00:00:00", "zone": "UTC"}, "to": {"at": "2022-09-30 23:59:59", "zone": "UTC"}}
    where = [{"fact": "service", "is": "express"}]
    bundle = CouponBundle.model_validate({"count": 1, "value": 25, "currency": "CNY", "valid": valid, "where": where})
    assert bundle.worth(Decimal(freight)) == Decimal(worth)
