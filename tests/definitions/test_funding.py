"""Payers of a benefit: their spelling, their storage, their sentences, and the split of an amount."""

from decimal import Decimal

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from campaigns.offers.published_offers import as_data
from definitions import parser
from definitions.diff import compare
from definitions.errors import DefinitionError
from definitions.funding import split
from definitions.offer_sentences import describe_terms
from definitions.offer_terms import OfferTerms
from definitions.warnings import find_warnings
from tests.support.world import HEADING, offer


def terms(funded_by: str) -> OfferTerms:
    return parser.read(f"{HEADING}offers:\n{offer('o', funded_by=funded_by)}").offers[0]


THIRDS = {"merchant": 1, "platform": 1, "carrier": 1}


@pytest.mark.parametrize(
    ("amount", "shares", "currency", "paid"),
    [
        ("30.00", {"merchant": 5, "platform": 25}, "USD", {"merchant": "5.00", "platform": "25.00"}),
        # 1/3 of 0.10 is 0.0333…: each is rounded down, and the odd cent goes to the first.
        ("0.10", THIRDS, "USD", {"merchant": "0.04", "platform": "0.03", "carrier": "0.03"}),
        ("0.11", THIRDS, "USD", {"merchant": "0.05", "platform": "0.03", "carrier": "0.03"}),
        ("0.01", {"merchant": 999, "platform": 1}, "USD", {"merchant": "0.01", "platform": "0.00"}),
        ("0.01", {"platform": 1, "merchant": 999}, "USD", {"platform": "0.01", "merchant": "0.00"}),
        ("100.00", {"platform": 1, "merchant": 2}, "JPY", {"platform": "34.00", "merchant": "66.00"}),
        ("0.00", {"platform": 1, "merchant": 2}, "USD", {"platform": "0.00", "merchant": "0.00"}),
        ("7.77", {"carrier": 3}, "USD", {"carrier": "7.77"}),
        ("7.77", {}, "USD", {"platform": "7.77"}),
    ],
)  # fmt: skip
def test_split(amount: str, shares: dict[str, int], currency: str, paid: dict[str, str]) -> None:
    found = split(Decimal(amount), shares, currency)
    assert {payer: str(part) for payer, part in found.items()} == paid
    assert list(found) == list(paid)


@given(
    cents=st.integers(0, 10**14),
    shares=st.dictionaries(st.sampled_from(["platform", "merchant", "carrier"]), st.integers(1, 1000), min_size=1),
)
def test_the_parts_add_up(cents: int, shares: dict[str, int]) -> None:
    amount, total = Decimal(cents) / 100, sum(shares.values())
    paid = split(amount, shares, "USD")
    assert sum(paid.values()) == amount
    for number, (payer, parts) in enumerate(shares.items()):
        exact = amount * parts / total
        assert (
            (0 <= paid[payer] - exact < Decimal("0.03")) if number == 0 else 0 <= exact - paid[payer] < Decimal("0.01")
        )


def test_the_order_is_kept_and_nothing_is_stored_without_the_word() -> None:
    for written in ("{merchant: 5, platform: 25}", "{platform: 25, merchant: 5}"):
        found = terms(written)
        stored = as_data(found)
        assert stored["funded_by"] == [{"by": by, "parts": parts} for by, parts in found.funded_by.items()]
        again = OfferTerms.model_validate(stored)
        assert [*again.funded_by.items()] == [*found.funded_by.items()]
        assert as_data(again) == stored
    assert "funded_by" not in as_data(terms(""))
    assert "funded_by" not in as_data(terms("{}"))


def test_sentences_and_difference() -> None:
    found = terms("{merchant: 5, platform: 25}")
    with override("en"):
        assert describe_terms(found).funding == "paid for in parts: 5/30 by the merchant and 25/30 by the platform"
        assert describe_terms(terms("{carrier: 7}")).funding == "paid for by the carrier"
        assert describe_terms(terms("")).funding == ""
        [difference] = compare({"o": terms("")}, [found])
        assert difference.gained == ("paid for in parts: 5/30 by the merchant and 25/30 by the platform",)
        [difference] = compare({"o": found}, [terms("{platform: 25, merchant: 5}")])
        assert difference.lost == ("paid for in parts: 5/30 by the merchant and 25/30 by the platform",)
    with override("zh-hans"):
        assert describe_terms(found).funding == "费用分摊：商家承担5/30，且平台承担25/30"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{mercant: 5}", r"line 13, column 17, offers.0.funded_by.mercant: no payer 'mercant'.*mean 'merchant'"),
        ("{merchant: 0}", "offers.0.funded_by.merchant: '0' is less than 1"),
        ("{merchant: 1001}", "offers.0.funded_by.merchant: '1001' is more than 1000"),
        ("{merchant: 2.5}", "offers.0.funded_by.merchant: a whole number is expected"),
        ("merchant", "offers.0.funded_by: a mapping"),
    ],
)
def test_errors(written: str, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        terms(written)


@pytest.mark.parametrize(
    ("written", "warned"), [("{merchant: 3}", True), ("{merchant: 3, carrier: 1}", False), ("", False)]
)
def test_a_merchant_that_pays_all_is_a_warning(written: str, warned: bool) -> None:
    texts = find_warnings(parser.read(f"{HEADING}offers:\n{offer('o', funded_by=written)}"))
    assert ("o: funded_by: the merchant pays for its own benefit" in texts) is warned
