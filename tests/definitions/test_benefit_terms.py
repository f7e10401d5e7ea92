"""Terms of benefits: units of currencies, codes of the conditions that a benefit adds, ends of days."""

from decimal import Decimal
from typing import Any

import pytest

from definitions import parser, reschedule
from definitions.benefits import CouponBundle, Discount
from definitions.errors import DefinitionError
from definitions.offer_terms import OfferTerms
from rules.conditions import Comparison

TEXT = """\
campaign: trial
names: {en: Trial, zh: 试}
zone: Asia/Shanghai
offers:
  - code: one
    names: {en: One, zh: 一}
    subject: freight_order
    where: all
    claim: {at: paid_at}
    conditions: [{fact: base_freight, at_least: 5.00}, {fact: currency, is: USD}]
    benefit: {fee: freight, currency: CNY, tiers: [{from: 10.00, amount: 1.00}]}
"""


def offer(*pairs: tuple[str, str]) -> OfferTerms:
    text = TEXT
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return parser.read(text).offers[0]


@pytest.mark.parametrize(
    ("own", "names"),
    [
        ("", ["base_freight", "currency", "currency_2", "base_freight_2"]),
        (
            ", {code: base_freight_2, fact: line, is: a}",
            ["base_freight", "currency", "base_freight_2", "currency_2", "base_freight_3"],
        ),
    ],
)
def test_conditions_that_a_benefit_adds_have_codes_of_their_own(own: str, names: list[str]) -> None:
    terms = offer(("{fact: currency, is: USD}", "{fact: currency, is: USD}" + own))
    assert [condition.name for condition in terms.stated] == names
    again = OfferTerms.model_validate(terms.model_dump(mode="json", by_alias=True, exclude_none=True))
    assert [condition.name for condition in again.stated] == names


@pytest.mark.parametrize(
    ("currency", "fee", "off"),
    [
        ("JPY", "1235.00", "124.00"),
        ("JPY", "1234.00", "123.00"),
        ("JPY", "1.00", "0.00"),
        ("KRW", "15.00", "2.00"),
        ("CNY", "1235.00", "123.50"),
        ("USD", "0.15", "0.02"),
    ],
)
def test_a_percentage_is_rounded_half_up_to_the_unit_of_the_currency(currency: str, fee: str, off: str) -> None:
    discount = Discount.model_validate({"fee": "freight", "percent": 10})
    assert str(discount.value(Decimal(fee), currency)) == off


@pytest.mark.parametrize(
    ("discount", "values"),
    [
        ({"percent": 15, "at_most": "25.00"}, {"166.66": "25.00", "166.60": "24.99", "900": "25.00", "0.01": "0.00"}),
        ({"price": "9.90"}, {"9.89": "0.00", "9.90": "0.00", "9.91": "0.01", "50.00": "40.10"}),
        ({"price": "9.90", "at_most": "30.00"}, {"39.90": "30.00", "39.89": "29.99", "50.00": "30.00"}),
        ({"price": "0.00"}, {"0.00": "0.00", "12.34": "12.33"}),  # freight leaves 0.01 to pay
        (
            {"tiers": [{"from": "0", "percent": 10}, {"from": "100", "percent": 20}], "at_most": "15.00"},
            {"99.99": "10.00", "100.00": "15.00"},
        ),
        (
            {
                "slices": [
                    {"from": "0", "percent": 10},
                    {"from": "50000", "percent": 5},
                    {"from": "1000000", "percent": 0},
                ]
            },
            {
                "0.05": "0.01",
                "50000.00": "5000.00",
                "50000.10": "5000.01",
                "60000.00": "5500.00",
                "2000000": "52500.00",
            },
        ),
        # Each of the three slices of 0.14 % gives 0.0014: rounded apart they would give 0.00, together 0.0042.
        ({"slices": [{"from": str(n), "percent": "0.14"} for n in range(4)]}, {"3.00": "0.00", "4.00": "0.01"}),
    ],
    ids=str,
)
def test_caps_prices_and_slices(discount: dict[str, Any], values: dict[str, str]) -> None:
    found = Discount.model_validate({"fee": "freight", "currency": "USD", **discount})
    assert {fee: str(found.value(Decimal(fee), "USD")) for fee in values} == values
    again = Discount.model_validate_json(found.model_dump_json(by_alias=True, exclude_defaults=True))
    assert again == found


@pytest.mark.parametrize(
    ("discount", "values"),
    [
        (
            {"percent": {"fact": "easy_return_premium_usd"}},
            {None: "0.00", "12.5": "10.00", "100": "80.00", "250": "80.00"},
        ),
        ({"amount": {"fact": "amount_usd"}}, {None: "0.00", "0.00": "0.00", "79.99": "79.99", "80.01": "80.00"}),
        ({"amount": {"fact": "amount_usd"}, "at_most": "50.00"}, {"49.99": "49.99", "50.01": "50.00"}),
    ],
    ids=str,
)
def test_a_fact_holds_the_value(discount: dict[str, Any], values: dict[str | None, str]) -> None:
    found = Discount.model_validate({"fee": "service_fee", **discount})
    given = {value: str(found.value(Decimal(80), "USD", Decimal(value) if value else None)) for value in values}
    assert given == values


@pytest.mark.parametrize(
    ("fee", "off"), [("1000.00", "999.00"), ("1.00", "0.00"), ("0.50", "0.00"), ("20.50", "20.00")]
)
def test_the_room_of_a_fee_is_rounded_down_to_the_unit(fee: str, off: str) -> None:
    assert str(Discount.model_validate({"fee": "freight", "percent": 100}).value(Decimal(fee), "JPY")) == off


@pytest.mark.parametrize(("freight", "worth"), [("1000.00", "300.00"), ("300.00", "299.00"), ("0.50", "0.00")])
def test_a_coupon_takes_whole_units(freight: str, worth: str) -> None:
    valid = {"from": {"at": "2022-09-01 00:00:00", "zone": "UTC"}, "to": {"at": "2022-09-30 23:59:59", "zone": "UTC"}}
    where = [{"fact": "service", "is": "express"}]
    bundle = CouponBundle.model_validate({"count": 1, "value": 300, "currency": "JPY", "valid": valid, "where": where})
    assert bundle.worth(Decimal(freight)) == Decimal(worth)


@pytest.mark.parametrize(
    ("benefit", "message"),
    [
        ("{fee: freight, currency: JPY, amount: 123.50}", "JPY has no smaller unit than 1"),
        ("{fee: freight, currency: JPY, tiers: [{from: 10, amount: 1.50}]}", "JPY has no smaller unit than 1"),
        ("{fee: freight, currency: KWD, amount: 5.00}", "KWD has three decimals"),
        ("{fee: freight, currency: BHD, percent: 5}", "BHD has three decimals"),
        ("{fee: freight, currency: JPY, price: 9.90}", "JPY has no smaller unit than 1"),
        ("{fee: freight, currency: JPY, percent: 5, at_most: 0.50}", "JPY has no smaller unit than 1"),
        ("{fee: freight, price: 9.90}", "a fixed amount needs a currency"),
        ("{fee: freight, percent: 5, at_most: 9.90}", "a fixed amount needs a currency"),
        ("{fee: freight, percent: 5, price: 9.90}", "exactly one of percent, amount, price, tiers, slices"),
        ("{fee: freight, currency: CNY, amount: 5.00, at_most: 3.00}", "a fixed amount takes no at_most"),
        ("{fee: freight, slices: [{from: 0, percent: 0}]}", "every slice is 0 percent"),
        ("{fee: freight, slices: [{from: 5, percent: 3}, {from: 5, percent: 2}]}", "slices overlap: 5 comes after 5"),
        ("{fee: oa_fee, rate: 1, slices: [{from: 0, percent: 3}]}", "takes no tiers and no slices"),
        ("{fee: freight, percent: {fact: base_fright}}", "no amount or number 'base_fright'.*mean 'base_freight'"),
        ("{fee: freight, percent: {fact: line}}", "offers.0.benefit.percent.fact: .* no amount or number 'line'"),
        ("{fee: freight, percent: {fakt: base_freight}}", "no field 'fakt' here.*mean 'fact'"),
        ("{fee: freight, amount: {fact: benefit}}", "freight_orders have no amount or number 'benefit'"),
    ],
)
def test_an_amount_that_the_currency_does_not_have_is_refused(benefit: str, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        offer(("{fee: freight, currency: CNY, tiers: [{from: 10.00, amount: 1.00}]}", benefit))


@pytest.mark.parametrize("written", ["24:00", "24:00:00", "23:59:59"])
def test_an_end_at_24_is_the_end_of_that_day(written: str) -> None:
    condition = f"{{fact: placed_at, by: 2022-09-30 {written}}}"
    window = f"{{fact: paid_at, within: {{from: 2022-09-01 00:00:00, to: {{at: 2022-09-30 {written}}}}}}}"
    by, within = offer(("[{fact: base_freight, at_least: 5.00}", f"[{condition}, {window}")).own_conditions[:2]
    assert isinstance(by, Comparison)
    assert isinstance(within, Comparison)
    assert str(by.operand.after) == "2022-09-30 16:00:00+00:00"
    assert str(within.operand.end) == "2022-09-30 16:00:00+00:00"


def test_an_end_at_24_moves_with_the_other_times() -> None:
    text = TEXT.replace("base_freight, at_least: 5.00", "paid_at, by: 2022-09-30 24:00")
    moved, times = reschedule.shift_by_years(text, 1)
    assert "by: 2023-09-30 23:59:59" in moved
    assert [(change.was, change.now) for change in times] == [("2022-09-30 24:00", "2023-09-30 23:59:59")]
