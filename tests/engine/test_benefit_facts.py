"""Values of a benefit that stand in facts of other rows: as of the claim, and followed when they are corrected."""

from decimal import Decimal
from typing import Any

import pytest

from buyers.models import BuyerLevel
from campaigns.eligibility import claims
from campaigns.models import Grant
from campaigns.offers.published_offers import find
from catalog.models import Listing
from tests.support.marketplace import buyer, item, level, listing
from tests.support.world import correct, grants, merchant, offer, outcomes, publish, review, tick, trade, used

pytestmark = pytest.mark.django_db

PARTS = {"subject": "order_item", "claim": "{at: order.shipped_at}", "settlement": "", "quota": "{limit: 9}"}


def publish_percent(fact: str, conditions: str = "everyone", more: str = "") -> None:
    publish(
        offer("o", **PARTS, conditions=conditions, benefit=f"{{fee: item_amount, percent: {{fact: {fact}}}{more}}}")
    )


def given_item(**of_listing: Any) -> None:
    """Record an item for 100.00 USD of an order that buyer B1 made, with a listing."""
    merchant()
    buyer()
    listing(**of_listing)
    trade("T1", buyer_id="B1", shipped_at="05")
    item("T1")


def test_a_fact_of_the_listing_holds_the_percentage() -> None:
    """12.35 % of 100.00; an empty score counts as 0, and a claim worth nothing is refused where the offer says so."""
    given_item(growth_score=Decimal("12.35"))
    listing("L2")
    item("T1", "L2")
    publish_percent("listing.growth_score", conditions="[{fact: benefit, more_than: 0.00}]")
    tick("06")
    assert grants() == {("o", "T1/L1"): "settled 12.35 USD"}
    assert outcomes("o") == {"T1/L1": "granted", "T1/L2": "refused"}
    correct(Listing, "L1", title="an armchair")
    tick("07")
    assert review("T1/L1") == ""
    correct(Listing, "L1", growth_score=Decimal("12.36"))
    tick("08")
    assert review("T1/L1")
    assert (grants(), used("o")) == ({("o", "T1/L1"): "settled 12.35 USD"}, 1)


def test_a_fact_with_a_history_is_that_of_the_claim() -> None:
    given_item()
    level("B1", 3, "04")
    level("B1", 4, "06")
    trade("T2", shipped_at="05")  # without a buyer there is no level: 0
    item("T2")
    publish_percent("buyer.level", more=", currency: USD, at_most: 2.50")
    tick("07")
    assert grants() == {("o", "T1/L1"): "settled 2.50 USD", ("o", "T2/L1"): "settled 0.00 USD"}
    correct(BuyerLevel, BuyerLevel.objects.get(level=4).pk, level=2)  # after the claim
    tick("08")
    assert [review(f"{order}/L1") for order in ("T1", "T2")] == ["", ""]
    correct(BuyerLevel, BuyerLevel.objects.get(level=3).pk, level=2)
    tick("09")
    assert [bool(review(f"{order}/L1")) for order in ("T1", "T2")] == [True, False]


@pytest.mark.parametrize(
    ("fact", "percent"), [("listing.growth_score", "33.33"), ("listing.moq", "100"), ("buyer.level", "4")]
)
def test_the_condition_sees_what_is_granted(fact: str, percent: str) -> None:
    """The amount of each claim in SQL, where conditions compare it, is the one that Python gives."""
    given_item(growth_score=Decimal("33.33"), moq=250)
    level("B1", 4, "01")
    publish_percent(fact)
    found = find("o")
    row = found.terms.row
    rows = claims.subjects(found).annotate(worth=row.expression("benefit"))
    worth = dict(rows.values_list("pk", "worth"))
    tick("06")
    amounts = dict(Grant.objects.values_list("subject", "amount"))
    assert {pk: amount.quantize(Decimal("0.01")) for pk, amount in worth.items()} == amounts
    assert amounts == {"T1/L1": Decimal(percent)}
