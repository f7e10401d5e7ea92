"""Facts over REST: the checks of file imports, all or nothing, errors with pointers, and strict JSON."""

from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from imports.models import ImportBatch
from logistics.models import FreightOrder
from merchants.models import Penalty
from tests.support.programs import FACT, Program
from tests.support.scenarios import coupon_offer
from tests.support.world import freight, offer, publish, states, t, tick, trade
from trade.models import Receipt

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
    codes = {error["pointer"]: error["code"] for error in answer.body["errors"]}
    wrong = {"/facts/1/base_freight": "invalid", "/facts/3/colour": "unknown", "/facts/4/service": "required"}
    assert wrong.items() <= codes.items()
    assert (FreightOrder.objects.count(), ImportBatch.objects.count()) == before
    unknown = platform.post("facts/freight_orders/", {"facts": [facts[0], facts[2]]})
    assert [(error["pointer"], error["code"]) for error in unknown.body["errors"]] == [
        ("/facts/1/merchant_code", "unknown")
    ]
    twice = platform.post("facts/freight_orders/", {"facts": [facts[0], facts[0]]})
    assert [(error["pointer"], error["code"]) for error in twice.body["errors"]] == [("/facts/1/order_no", "duplicate")]
    whole = platform.post("facts/freight_orders/", ["no object"])
    assert (whole.status, whole.body["errors"][0]["pointer"]) == (400, "")
    assert (FreightOrder.objects.count(), ImportBatch.objects.count()) == before


@pytest.mark.parametrize(("count", "status"), [(0, 400), (1, 200), (1000, 200), (1001, 400)])
def test_at_most_1000_facts_in_a_request(platform: Program, count: int, status: int) -> None:
    facts = [{**FACT, "order_no": f"F{n}"} for n in range(count)]
    assert platform.post("facts/freight_orders/", {"facts": facts}).status == status
    assert FreightOrder.objects.count() == (count if status == 200 else 0)


def test_an_unknown_kind_of_fact_is_not_found(platform: Program) -> None:
    assert platform.post("facts/nothing/", {"facts": [FACT]}).status == 404


FULL = {**FACT, "account_code": "ACC", "promo_flag": True, "use_coupon": True, "shipped_at": "2022-09-02T20:00:00Z"}


def stored() -> Any:
    return FreightOrder.objects.values(
        "merchant_id", "account_code", "promo_flag", "use_coupon", "line", "base_freight", "paid_at", "shipped_at"
    ).get()


def counts(answer: Any) -> tuple[int, int, int]:
    assert answer.status == 200, answer.body
    return answer.body["added"], answer.body["changed"], answer.body["unchanged"]


@pytest.mark.parametrize("method", ["post", "patch"])
def test_columns_that_a_fact_leaves_out_keep_their_values(platform: Program, method: str) -> None:
    assert counts(platform.post("facts/freight_orders/", {"facts": [FULL]})) == (1, 0, 0)
    before = stored()
    same = platform.ask(method, "facts/freight_orders/", {"facts": [{"order_no": "A"}]})
    assert (counts(same), stored()) == ((0, 0, 1), before)
    less = platform.ask(method, "facts/freight_orders/", {"facts": [{"order_no": "A", "base_freight": "900.00"}]})
    assert (counts(less), stored()) == ((0, 1, 0), {**before, "base_freight": Decimal(900)})
    emptied = platform.ask(method, "facts/freight_orders/", {"facts": [{"order_no": "A", "shipped_at": None}]})
    assert (counts(emptied), stored()["shipped_at"]) == ((0, 1, 0), None)
    wrong = platform.ask(method, "facts/freight_orders/", {"facts": [{"order_no": "A", "line": None}]})
    assert (wrong.status, [error["pointer"] for error in wrong.body["errors"]]) == (400, ["/facts/0/line"])


def test_each_fact_of_a_request_keeps_its_own_columns(platform: Program) -> None:
    facts = [{**FULL, "order_no": name} for name in ("A", "B")]
    platform.post("facts/freight_orders/", {"facts": facts})
    mixed = [
        {"order_no": "A", "account_code": "X"},
        {"order_no": "B", "shipped_at": "2022-09-02T21:00:00Z"},
        {**FACT, "order_no": "C"},
    ]
    assert counts(platform.post("facts/freight_orders/", {"facts": mixed})) == (1, 2, 0)
    rows = FreightOrder.objects.order_by("pk").values_list("account_code", "shipped_at", "use_coupon")
    assert list(rows) == [("X", t("02 20:00"), True), ("ACC", t("02 21:00"), True), ("", None, False)]


def test_put_empties_the_columns_that_a_fact_leaves_out(platform: Program) -> None:
    platform.post("facts/freight_orders/", {"facts": [FULL]})
    assert counts(platform.ask("put", "facts/freight_orders/", {"facts": [FACT]})) == (0, 1, 0)
    row = stored()
    assert (row["account_code"], row["promo_flag"], row["use_coupon"], row["shipped_at"]) == ("", False, False, None)
    partial = platform.ask("put", "facts/freight_orders/", {"facts": [{"order_no": "A", "currency": "CNY"}]})
    assert partial.status == 400
    assert {error["pointer"] for error in partial.body["errors"]} == {
        "/facts/0/merchant_code",
        "/facts/0/service",
        "/facts/0/line",
        "/facts/0/base_freight",
    }
    assert stored() == row


def test_patch_changes_only_what_is_recorded(platform: Program) -> None:
    platform.post("facts/freight_orders/", {"facts": [FULL]})
    batches, before = ImportBatch.objects.count(), stored()
    facts = [{"order_no": "A", "line": "other"}, {**FACT, "order_no": "NEW"}]
    answer = platform.ask("patch", "facts/freight_orders/", {"facts": facts})
    assert answer.status == 400
    [error] = answer.body["errors"]
    assert (error["pointer"], error["detail"]) == ("/facts/1/order_no", "is not recorded")
    assert (stored(), ImportBatch.objects.count()) == (before, batches)


@pytest.mark.parametrize("method", ["post", "patch", "put"])
def test_a_fact_moves_to_another_merchant_only_on_purpose(platform: Program, method: str) -> None:
    platform.post("facts/freight_orders/", {"facts": [FULL]})
    moved, before = {"facts": [{**FULL, "merchant_code": "M2"}]}, stored()
    answer = platform.ask(method, "facts/freight_orders/", moved)
    assert (answer.status, [error["pointer"] for error in answer.body["errors"]]) == (400, ["/facts/0/merchant_code"])
    assert stored() == before
    assert counts(platform.ask(method, "facts/freight_orders/", {**moved, "allow_moves": True})) == (0, 1, 0)
    assert stored() == {**before, "merchant_id": "M2"}


def test_a_claim_does_not_move_its_order(platform: Program) -> None:
    publish(offer("o"))
    platform.post("facts/freight_orders/", {"facts": [FULL]})
    answer = platform.post("claims/", {"subject": "freight_order", "fact": {**FULL, "merchant_code": "M2"}})
    assert (answer.status, [error["pointer"] for error in answer.body["errors"]]) == (400, ["/fact/merchant_code"])
    assert (stored()["merchant_id"], states("o")) == ("M1", {})


def test_a_receipt_keeps_the_event_that_a_call_leaves_out(platform: Program) -> None:
    for number in ("T", "U"):
        trade(number)
    booked = {"receipt_no": "R", "order_no": "T", "kind": "first", "amount_usd": 100,
              "booked_at": "2022-09-01T00:00:00Z"}  # fmt: skip
    assert counts(platform.post("facts/receipts/", {"facts": [booked]})) == (1, 0, 0)
    assert counts(platform.ask("patch", "facts/receipts/", {"facts": [{"receipt_no": "R", "amount_usd": 90}]})) == (
        0,
        1,
        0,
    )
    row = Receipt.objects.get()
    assert (row.amount_usd, row.booked_at, row.order_id) == (Decimal(90), t("01"), "T")
    moved = platform.ask("patch", "facts/receipts/", {"facts": [{"receipt_no": "R", "order_no": "U"}]})
    assert [(error["pointer"], error["code"]) for error in moved.body["errors"]] == [("/facts/0/order_no", "conflict")]


def test_facts_with_a_key_of_several_columns_keep_theirs(platform: Program) -> None:
    penalty = {"merchant_code": "M1", "kind": "embargo", "starts_at": "2022-09-01T08:00:00+08:00", "reason": "why"}
    assert counts(platform.post("facts/penalties/", {"facts": [penalty]})) == (1, 0, 0)
    again = {"merchant_code": "M1", "kind": "embargo", "starts_at": "2022-09-01T00:00:00Z"}
    ended = {**again, "ends_at": "2022-09-03T00:00:00Z"}
    assert counts(platform.ask("patch", "facts/penalties/", {"facts": [again]})) == (0, 0, 1)
    assert counts(platform.ask("patch", "facts/penalties/", {"facts": [ended]})) == (0, 1, 0)
    assert Penalty.objects.values_list("reason", "ends_at").get() == ("why", t("03"))


def test_leaving_out_a_column_that_a_merchant_changed_is_no_act(platform: Program) -> None:
    platform.post("facts/freight_orders/", {"facts": [FULL]})
    FreightOrder.objects.update(use_coupon=False)  # the merchant took the coupon off
    assert counts(platform.post("facts/freight_orders/", {"facts": [{"order_no": "A"}]})) == (0, 0, 1)
    assert stored()["use_coupon"] is False


NAIVE = ["2022-09-05T00:00:00", "2022-09-05 00:00", "2022-09-05T00:00:00.123456"]


@pytest.mark.parametrize("written", NAIVE)
def test_an_instant_without_an_offset_is_refused(platform: Program, written: str) -> None:
    publish(offer("o", settlement="{at: shipped_at}"))
    answer = platform.post("facts/freight_orders/", {"facts": [{**FACT, "paid_at": written}]})
    [error] = answer.body["errors"]
    assert (answer.status, error["pointer"]) == (400, "/facts/0/paid_at")
    assert error["detail"] == "has no offset: write Z for UTC, or an offset such as +08:00"
    claim = platform.post("claims/", {"subject": "freight_order", "fact": {**FACT, "paid_at": written}})
    assert (claim.status, claim.body["errors"][0]["pointer"]) == (400, "/fact/paid_at")
    assert not FreightOrder.objects.exists()
    freight("F", placed_at="02")
    paid = platform.post("claims/freight_order/F/pay/", {"at": written})
    assert (paid.status, paid.body["errors"][0]["pointer"]) == (400, "/at")
    assert paid.body["errors"][0]["detail"] == "has no offset: write Z for UTC, or an offset such as +08:00"
    assert FreightOrder.objects.get().paid_at is None


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("1969-12-31T23:59:59Z", 400),
        ("1970-01-01T00:00:00Z", 200),
        ("2200-12-31T23:59:59.999999Z", 200),
        ("2201-01-01T00:00:00Z", 400),
        ("2200-12-31T23:59:59-00:01", 400),
        ("9999-12-31T23:59:59Z", 400),
        ("2022-09-05", 400),
        ("soon", 400),
    ],
)
def test_the_instant_of_a_step_is_validated(platform: Program, written: str, status: int) -> None:
    freight("F", placed_at="02")
    answer = platform.post("claims/freight_order/F/pay/", {"at": written})
    assert answer.status == status, answer.body
    assert (FreightOrder.objects.get().paid_at is None) == (status == 400)


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
        (BODY % (b'{"order_no": %s}' % (b"1" * 101)), 400),
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
