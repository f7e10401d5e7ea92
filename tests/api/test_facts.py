"""Facts over REST: the checks of file imports, all or nothing, errors with pointers, and strict JSON."""

from typing import Any

import pytest
from pytest_django import Settings

from imports.models import ImportBatch
from logistics.models import FreightOrder
from tests.support.programs import FACT, Program
from tests.support.scenarios import coupon_offer
from tests.support.world import freight, publish, tick

pytestmark = pytest.mark.django_db


def test_facts_are_counted_as_new_changed_or_unchanged(platform: Program) -> None:
    facts = [{**FACT, "order_no": f"F{n}"} for n in range(3)]
    assert platform.post("facts/freight_orders/", {"facts": facts}).body == {
        "rows": 3,
        "added": 3,
        "changed": 0,
        "unchanged": 0,
        "future": 0,
    }
    facts[0]["paid_at"] = "2022-09-05T00:00:00Z"
    answer = platform.post("facts/freight_orders/", {"facts": facts})
    assert answer.body == {"rows": 3, "added": 0, "changed": 1, "unchanged": 2, "future": 1}
    assert ImportBatch.objects.latest("pk").source == "api: freight_orders"


def test_nothing_is_recorded_if_one_fact_is_invalid(platform: Program) -> None:
    facts = [
        {**FACT, "order_no": "GOOD"},
        {**FACT, "order_no": "B", "base_freight": "1.234"},
        {**FACT, "order_no": "C", "merchant_code": "NOBODY"},
        {**FACT, "order_no": "D", "colour": "red"},
        {key: value for key, value in FACT.items() if key != "service"},
    ]
    before = FreightOrder.objects.count(), ImportBatch.objects.count()
    answer = platform.post("facts/freight_orders/", {"facts": facts})
    assert answer.status == 400
    pointers = {error["pointer"] for error in answer.body["errors"]}
    assert {"/facts/1/base_freight", "/facts/3/colour", "/facts/4/service"} <= pointers
    assert (FreightOrder.objects.count(), ImportBatch.objects.count()) == before
    unknown = platform.post("facts/freight_orders/", {"facts": [facts[0], facts[2]]})
    assert [error["pointer"] for error in unknown.body["errors"]] == ["/facts/1/merchant_code"]
    assert (FreightOrder.objects.count(), ImportBatch.objects.count()) == before


@pytest.mark.parametrize(("count", "status"), [(0, 400), (1, 200), (1000, 200), (1001, 400)])
def test_at_most_1000_facts_in_a_request(platform: Program, count: int, status: int) -> None:
    facts = [{**FACT, "order_no": f"F{n}"} for n in range(count)]
    assert platform.post("facts/freight_orders/", {"facts": facts}).status == status
    assert FreightOrder.objects.count() == (count if status == 200 else 0)


def test_an_unknown_kind_of_fact_is_not_found(platform: Program) -> None:
    assert platform.post("facts/nothing/", {"facts": [FACT]}).status == 404


BODY = b'{"facts": [%s]}'


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b'{"facts": [], "facts": []}', 400),
        (BODY % b'{"order_no": "\\ud800"}', 400),
        (BODY % b'{"order_no": NaN}', 400),
        (b"[" * 100_000, 400),
        (BODY % b'{"order_no": 9223372036854775808}', 400),
        (BODY % b'{"order_no": {"x": 1}}', 400),
        (BODY % b'{"order_no": "true", "use_coupon": "perhaps"}', 400),
        (BODY % (b'{"order_no": "' + b"x" * 3_000_000 + b'"}'), 413),
    ],
)
def test_invalid_json_is_refused(platform: Program, raw: bytes, status: int) -> None:
    answer = platform.post("facts/freight_orders/", raw)
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not FreightOrder.objects.exists()


def test_numbers_and_booleans_of_json_are_accepted(platform: Program) -> None:
    fact: dict[str, Any] = {**FACT, "base_freight": 99.5, "use_coupon": True, "promo_flag": False, "paid_at": None}
    assert platform.post("facts/freight_orders/", {"facts": [fact]}).status == 200
    order = FreightOrder.objects.get()
    assert (str(order.base_freight), order.use_coupon, order.promo_flag, order.paid_at) == ("99.50", True, False, None)


def test_a_coupon_is_attached_over_rest(platform: Program, settings: Settings) -> None:
    publish(coupon_offer())
    freight("S", shipped_at="02")
    freight("A", placed_at="02 10:00")
    freight("B", placed_at="02 10:00")
    tick("03")
    answer = platform.post("freight-orders/A/coupon/", once="k")
    assert (answer.status, answer.body["status"], answer.body["order_no"]) == (201, "locked", "A")
    assert platform.post("freight-orders/A/coupon/", once="k").body == answer.body
    refused = platform.post("freight-orders/B/coupon/")
    assert (refused.status, refused.body["code"]) == (409, "no_coupon")
    assert not FreightOrder.objects.get(pk="B").use_coupon
    assert platform.post("freight-orders/NO/coupon/").status == 404
