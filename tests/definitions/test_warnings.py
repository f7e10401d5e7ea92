"""Warnings about conditions that contradict each other, at their bounds; none about those that need not."""

import pytest
from django.utils.translation import override

from definitions import parser
from definitions.warnings import find_warnings
from tests.support.scenarios import coupon_offer
from tests.support.world import HEADING, offer

MARCH, FEBRUARY = "2022-03-01 00:00:00", "2022-02-28 23:59:59"


def found(*offers: str) -> list[str]:
    return find_warnings(parser.read(f"{HEADING}offers:\n{''.join(offers)}"))


def of(conditions: str, **parts: str) -> list[str]:
    return found(offer("o", conditions=f"[{conditions}]", **parts))


CLAIM = "o: conditions: the conditions on {} contradict each other: nobody can claim"
CONTRADICTING = [
    ("base_freight", "{fact: base_freight, more_than: 500}, {code: b, fact: base_freight, less_than: 500}"),
    ("base_freight", "{fact: base_freight, more_than: 500}, {code: b, fact: base_freight, less_than: 500.01}"),
    ("base_freight", "{fact: base_freight, more_than: 500}, {code: b, fact: base_freight, at_most: 500}"),
    ("base_freight", "{fact: base_freight, at_least: 500}, {code: b, fact: base_freight, less_than: 500}"),
    ("base_freight", "{fact: base_freight, less_than: 0.00}"),
    ("base_freight", "{fact: base_freight, empty: yes}, {code: b, fact: base_freight, at_most: 500}"),
    ("benefit", "{fact: benefit, more_than: 5.00}, {code: b, fact: benefit, less_than: 5.00}"),
    ("line", "{fact: line, is: a}, {code: b, fact: line, is_not: a}"),
    ("line", "{fact: line, in: [a, b]}, {code: b, fact: line, not_in: [b, a, c]}"),
    ("line", "{fact: line, in: [a, b]}, {code: b, fact: line, in: [b, c]}, {code: c, fact: line, is_not: b}"),
    ("line", "{fact: line, is: a}, {code: b, fact: line, empty: yes}"),
    ("line", "{fact: line, empty: no}, {code: b, fact: line, empty: yes}"),
    ("line", "{fact: line, in_reference: x}, {code: b, fact: line, not_in_reference: x}"),
    ("promo_flag", "{fact: promo_flag, is: yes}, {code: b, fact: promo_flag, is: no}"),
    ("merchant.country", "{fact: merchant.country, is: CN}, {code: b, fact: merchant.country, is: US}"),
    ("shipped_at", f"{{fact: shipped_at, from: {MARCH}}}, {{code: b, fact: shipped_at, by: {FEBRUARY}}}"),
    ("shipped_at", "{fact: shipped_at, happened: yes}, {code: b, fact: shipped_at, happened: no}"),
    ("shipped_at", f"{{fact: shipped_at, by: {FEBRUARY}}}, {{code: b, fact: shipped_at, happened: no}}"),
    ("shipped_at", f"{{fact: shipped_at, by: {FEBRUARY}}}, {{code: b, fact: shipped_at, not_before: {MARCH}}}"),
    ("paid_at", "{fact: paid_at, happened: no}"),
    ("paid_at", f"{{fact: paid_at, by: {FEBRUARY}}}, {{code: b, fact: paid_at, not_before: {MARCH}}}"),
    ("membership", "{in_force: membership, of: [global_pass]}, {not_in_force: membership, of: [global_pass]}"),
    (
        "membership",
        "{in_force: membership, of: [global_pass]}, {not_in_force: membership, of: [export_pass, global_pass]}",
    ),
    (
        "freight_orders",
        "{count: freight_orders, where: [{fact: line, is: a}], at_least: 3}, "
        "{code: b, count: freight_orders, where: [{fact: line, is: a}], at_most: 2}",
    ),
    ("either", "{fact: line, is: a}, {code: either, any: [{fact: line, is: b}, {fact: paid_at, happened: no}]}"),
]
POSSIBLE = [
    "{fact: benefit, at_least: 5.00}",
    "{fact: base_freight, more_than: 500}, {code: b, fact: base_freight, less_than: 500.02}",
    "{fact: base_freight, at_least: 500}, {code: b, fact: base_freight, at_most: 500}",
    "{fact: base_freight, less_than: 0.01}",
    "{fact: line, is: a}, {code: b, fact: line, is_not: b}",
    "{fact: line, in: [a, b]}, {code: b, fact: line, not_in: [b]}",
    "{fact: line, is_not: a}, {code: b, fact: line, empty: yes}",
    "{fact: line, in_reference: x}, {code: b, fact: line, not_in_reference: y}",
    "{fact: promo_flag, is: yes}, {code: b, fact: promo_flag, is: true}",
    f"{{fact: shipped_at, from: {FEBRUARY}}}, {{code: b, fact: shipped_at, by: {FEBRUARY}}}",
    f"{{fact: shipped_at, not_before: {MARCH}}}, {{code: b, fact: shipped_at, happened: no}}",
    "{fact: cancelled_at, happened: no}, {code: b, fact: cancelled_at, not_before: claim}",
    "{in_force: membership, of: [global_pass]}, {not_in_force: membership, of: [export_pass]}",
    "{in_force: membership, of: [global_pass, export_pass]}, {not_in_force: membership, of: [export_pass]}",
    "{in_force: membership, of: [global_pass]}, {not_in_force: membership, of: [global_pass], at: placed_at}",
    "{in_force: penalty, of: [other]}, {not_in_force: service_package, of: [easy_return]}",
    "{count: freight_orders, where: [{fact: line, is: a}], at_least: 2}, "
    "{code: b, count: freight_orders, where: [{fact: line, is: a}], at_most: 2}",
    "{fact: line, is: a}, {code: either, any: [{fact: line, is: b}, {fact: paid_at, happened: yes}]}",
]


@pytest.mark.parametrize(("fact", "conditions"), CONTRADICTING)
def test_a_contradiction_is_named(fact: str, conditions: str) -> None:
    assert of(conditions) == [CLAIM.format(fact)]


@pytest.mark.parametrize("conditions", POSSIBLE)
def test_no_warning_where_a_row_can_meet_all(conditions: str) -> None:
    assert of(conditions) == []


def test_scope_and_conditions_are_looked_at_together() -> None:
    assert of("{fact: line, is: a}", where="[{fact: line, is: b}]") == [CLAIM.format("line")]
    assert of("{fact: line, is: a}", where="[{fact: line, in: [a, b]}]") == []


@pytest.mark.parametrize(("decided", "warned"), [("2022-02-28 23:59:59", True), ("2022-03-01 00:00:00", False)])
def test_a_fact_must_happen_before_the_decision(decided: str, warned: bool) -> None:
    condition = f"{{fact: shipped_at, from: {MARCH}}}"
    assert of(condition, decided_at=decided) == ([CLAIM.format("shipped_at")] if warned else [])


NTH = "{nth: {number: 2, of: freight_orders, at: shipped_at, where: [%s]}}"


@pytest.mark.parametrize(
    ("where", "fact"),
    [
        ("{fact: shipped_at, happened: no}", "shipped_at"),
        ("{fact: line, is: a}, {fact: line, is: b}", "line"),
        ("{fact: shipped_at, from: 2022-09-15 00:00:01}", "shipped_at"),
        ("{fact: shipped_at, from: 2022-09-15 00:00:00}", ""),
        ("{fact: line, is: a}", ""),
    ],
)
def test_an_nth_that_can_never_count(where: str, fact: str) -> None:
    text = coupon_offer(claim=NTH % where, decided_at="2022-09-15 00:00:00")
    expected = f"c: claim: the conditions on {fact} contradict each other: nothing is ever counted"
    assert found(text) == ([expected] if fact else [])


@pytest.mark.parametrize(
    ("parts", "place", "consequence"),
    [
        (
            {"conditions": "[{count: freight_orders, where: [{fact: line, is: a}, {fact: line, is: b}], at_most: 0}]"},
            "freight_orders",
            "nothing is ever counted",
        ),
        (
            {
                "settlement": "{at: departed_at, locked_at: paid_at, "
                "requires: [{fact: line, is: a}, {code: b, fact: line, is: b}]}"
            },
            "settlement.requires",
            "every grant will be forfeited",
        ),
    ],
)
def test_lists_inside_an_offer(parts: dict[str, str], place: str, consequence: str) -> None:
    warning = f"o: {place}: the conditions on line contradict each other: {consequence}"
    assert found(offer("o", **parts)) == [warning]


SHARED = "a and b both reduce the freight: for one subject the larger discount wins"


@pytest.mark.parametrize(
    ("one", "other", "warned"),
    [
        ("{fact: base_freight, at_most: 5000}", "{fact: base_freight, more_than: 5000}", False),
        ("{fact: base_freight, at_most: 5000}", "{fact: base_freight, at_least: 5000}", True),
        ("{fact: line, is: a}", "{fact: line, is_not: a}", False),
        ("{fact: line, is: a}", "{fact: line, is: a}", True),
        ("{fact: promo_flag, is: no}", "{fact: promo_flag, is: true}", False),
        ("{fact: benefit, more_than: 5}", "{fact: benefit, less_than: 5}", True),
    ],
)
def test_offers_on_one_fee_whose_conditions_separate_them(one: str, other: str, warned: bool) -> None:
    both = found(offer("a", conditions=f"[{one}]"), offer("b", conditions=f"[{other}]"))
    assert both == ([SHARED] if warned else [])


@pytest.mark.parametrize(("claim", "warned"), [("{at: paid_at}", False), ("{at: placed_at}", True)])
def test_offers_that_see_the_facts_at_different_instants_can_meet(claim: str, warned: bool) -> None:
    """An order can be shipped when it is paid, and not yet when it is placed."""
    one = offer("a", conditions="[{fact: shipped_at, happened: yes}]")
    other = offer("b", conditions="[{fact: shipped_at, happened: no}]", claim=claim)
    assert found(one, other) == ([SHARED] if warned else [])


def test_in_chinese() -> None:
    text = "{fact: line, is: a}, {code: b, fact: line, is_not: a}"
    with override("zh-hans"):
        assert of(text) == ["o: conditions: line上的条件互相矛盾：没有人可以申请"]


TIER = "{fee: freight, currency: CNY, tiers: [{from: 0, amount: 5.00}], at_most: MOST}"
PRICE = "{fee: freight, currency: CNY, price: 9.90}"
SLICES = "{fee: freight, currency: CNY, slices: [{from: 0, percent: 5}, {from: 100, percent: 0}], at_most: 4.00}"


@pytest.mark.parametrize(
    ("benefit", "within", "beyond"),
    [
        ("{fee: freight, currency: CNY, percent: 20, at_most: 25.00}", "25.00", "25.01"),
        ("{fee: freight, currency: CNY, amount: 25.00}", "25.00", "25.01"),
        (SLICES, "4.00", "4.01"),
        ("{fee: freight, currency: CNY, tiers: [{from: 5, amount: 3.00}, {from: 9, amount: 2.00}]}", "3.00", "3.01"),
    ],
)
def test_nobody_can_have_more_than_the_benefit(benefit: str, within: str, beyond: str) -> None:
    assert of(f"{{fact: benefit, at_least: {within}}}", benefit=benefit) == []
    assert of(f"{{fact: benefit, at_least: {beyond}}}", benefit=benefit) == [CLAIM.format("benefit")]
    assert of("{fact: benefit, at_least: 99999.00}", benefit=PRICE) == []


@pytest.mark.parametrize(
    ("benefit", "conditions", "expected"),
    [
        (PRICE, "{fact: base_freight, at_most: 9.90}", True),
        (PRICE, "{fact: base_freight, at_most: 9.91}", False),
        (PRICE, "{fact: base_freight, less_than: 9.90}", True),
        (PRICE, "{fact: base_freight, at_least: 1.00}", False),
        (TIER.replace("MOST", "4.99"), "{fact: line, is: a}", True),
        (
            "{fee: freight, currency: CNY, tiers: [{from: 0, amount: 5.00}], at_most: 5.00}",
            "{fact: line, is: a}",
            False,
        ),
        ("{fee: freight, currency: CNY, tiers: [{from: 0, percent: 5}], at_most: 5.00}", "{fact: line, is: a}", False),
    ],
)
def test_prices_and_caps_without_an_effect(benefit: str, conditions: str, expected: bool) -> None:
    assert bool([text for text in of(conditions, benefit=benefit) if "o: benefit." in text]) is expected


@pytest.mark.parametrize(
    ("fitting", "is_warned"),
    [("{fact: list_price, less_than: 5.01}", True), ("{fact: list_price, at_most: 5.01}", False)],
)
def test_a_price_that_no_order_of_a_coupon_exceeds(fitting: str, is_warned: bool) -> None:
    coupons = (
        "{coupons: {count: 1, for: service_order, price: 5.00, currency: CNY, valid: {to: 2022-09-30 24:00}, "
        f"where: [{fitting}]}}}}"
    )
    expected = "o: benefit.coupons.price: no order that fits has a fee above the price of 5.00"
    assert found(offer("o", benefit=coupons, settlement="")) == [expected] * is_warned
