"""The warning that a benefit of 0.00 can take a place: where it can, and nowhere else."""

import pytest

from definitions import bundled, parser
from definitions.warnings import find_warnings
from tests.support.world import HEADING, offer

WARNING = "can take a place"
TRADE = {"subject": "trade_order", "claim": "{at: shipped_at}"}


def warned(**parts: str) -> bool:
    given = {"quota": "{limit: 5}", "conditions": "everyone", "settlement": "", **parts}
    return any(WARNING in warning for warning in find_warnings(parser.read(f"{HEADING}offers:\n{offer('o', **given)}")))


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("everyone", True),
        ("[{fact: base_freight, more_than: 0.03}]", True),
        ("[{fact: base_freight, more_than: 0.04}]", False),
        ("[{fact: base_freight, at_least: 0.04}]", True),
        ("[{fact: base_freight, at_least: 0.05}]", False),
        ("[{fact: benefit, at_least: 0.00}]", True),
        ("[{fact: benefit, more_than: 0.00}]", False),
        ("[{fact: benefit, at_least: 0.01}]", False),
        ("[{fact: base_freight, at_most: 500.00}]", True),
        ("[{code: either, any: [{fact: line, is: a}, {fact: base_freight, at_least: 9.00}]}]", True),
    ],
)
def test_conditions_decide(conditions: str, expected: bool) -> None:
    assert warned(conditions=conditions) is expected
    if conditions.startswith("[{fact"):
        assert warned(where=conditions) is expected


@pytest.mark.parametrize(
    ("benefit", "expected"),
    [
        ("{fee: freight, currency: CNY, amount: 100.00}", True),
        ("{fee: freight, currency: CNY, tiers: [{from: 500.00, amount: 50.00}]}", False),
        ("{fee: freight, currency: CNY, tiers: [{from: 5.00, amount: 1.00}, {from: 6.00, percent: 0.0001}]}", True),
        ("{fee: freight, currency: JPY, tiers: [{from: 4.00, percent: 10}]}", True),
        ("{fee: freight, currency: JPY, tiers: [{from: 5.00, percent: 10}]}", False),
    ],
)
def test_tiers_and_units_decide(benefit: str, expected: bool) -> None:
    assert warned(benefit=benefit) is expected


@pytest.mark.parametrize(("quota", "expected"), [("", False), ("{per_merchant: 1}", True), ("{limit: 1}", True)])
def test_only_places_that_are_limited_can_be_wasted(quota: str, expected: bool) -> None:
    assert warned(quota=quota) is expected


def test_a_rated_fee_needs_an_amount() -> None:
    assert warned(
        **TRADE, benefit="{fee: oa_fee, rate: 0.3, percent: 100}", conditions="[{fact: amount_usd, at_least: 1.00}]"
    )
    assert not warned(
        **TRADE, benefit="{fee: oa_fee, rate: 0.3, percent: 100}", conditions="[{fact: amount_usd, at_least: 2.00}]"
    )


def test_offers_of_the_season_that_grant_0_00_are_named() -> None:
    """The season grants an empty premium on purpose; its tiers, and 5 % from 760.00, are never 0.00."""
    path = bundled.path("september-2022")
    assert path is not None
    found = [text for text in find_warnings(parser.read(path.read_text(encoding="utf-8"))) if WARNING in text]
    assert [text.split(":")[0] for text in found] == [
        "easy-return-premium-half",
        "lc-financing-first-draw",
        "parcel-11-off",
        "us-west-port-to-door",
    ]
