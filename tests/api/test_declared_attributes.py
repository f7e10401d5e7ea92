"""Declared attributes over REST: an object of their names, merged, emptied, and checked like cells of a file."""

import pytest

from declarations.models import DeclaredAttribute
from tests.support.programs import Program
from tests.support.world import HEADING, offer, publish
from trade.models import TradeOrder

pytestmark = pytest.mark.django_db

DECLARED = """attributes:
  trade_order:
    cord_cm: {type: number, names: {en: Cord, zh: 拉绳}}
    branded: {type: flag, names: {en: Branded, zh: 品牌}}
"""
ORDER = {"order_no": "T1", "merchant_code": "M1", "product": "trade_assurance", "amount_usd": "5.00"}


def test_attributes_are_an_object_of_the_fact(platform: Program) -> None:
    path = "facts/trade_orders/"
    refused = platform.post(path, {"facts": [{**ORDER, "attributes": {"cord_cm": 1}}]})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (400, "/facts/0/attributes/cord_cm")
    publish(offer("o"), heading=HEADING + DECLARED)
    fact = {**ORDER, "attributes": {"cord_cm": "0.0125", "branded": True}}
    assert platform.post(path, {"facts": [fact]}).body["added"] == 1
    assert platform.post(path, {"facts": [fact]}).body["unchanged"] == 1
    assert platform.get(f"{path}T1/").body["fact"]["attributes"] == {"cord_cm": "0.0125", "branded": True}
    change = {"order_no": "T1", "attributes": {"cord_cm": 30}}
    assert platform.ask("patch", path, {"facts": [change]}).body["changed"] == 1
    assert platform.list(path)[0]["fact"]["attributes"] == {"cord_cm": "30.00", "branded": True}
    assert platform.ask("put", path, {"facts": [{**ORDER, "attributes": {"branded": None}}]}).status == 200
    assert platform.list(path)[0]["fact"]["attributes"] == {"cord_cm": None, "branded": None}
    assert TradeOrder.objects.get().attributes == {}


def test_wrong_values_are_named_at_their_pointers(platform: Program) -> None:
    publish(offer("o"), heading=HEADING + DECLARED)
    wrong = {"cord_cm": "1.00001", "branded": "maybe", "brandet": True}
    answer = platform.post("facts/trade_orders/", {"facts": [{**ORDER, "attributes": wrong}]})
    assert {error["pointer"] for error in answer.body["errors"]} == {
        "/facts/0/attributes/cord_cm",
        "/facts/0/attributes/branded",
        "/facts/0/attributes/brandet",
    }
    shapes: list[object] = [[], "x", 1]
    for shape in shapes:
        body = {"facts": [{**ORDER, "attributes": shape}]}
        assert platform.post("facts/trade_orders/", body).body["errors"][0]["pointer"] == "/facts/0/attributes"
    assert not TradeOrder.objects.exists()
    assert DeclaredAttribute.objects.count() == 2
