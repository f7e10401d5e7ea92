"""Access of each kind of key to each operation, in one table."""

import re
from typing import Any

import pytest
from django.test import Client
from ruamel.yaml import YAML

from campaigns.models import Coupon, Grant
from logistics.models import FreightOrder
from merchants.models import ApiKey
from tests.support.allowances import allowance, use
from tests.support.marketplace import account, buyer, service_order
from tests.support.programs import FACT, Program, program
from tests.support.scenarios import coupon_offer
from tests.support.world import everything, freight, offer, publish, tick

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="permissions, not SQL")]

ROLES = ("nobody", "platform", "reader", "own", "stranger")
MANAGE = (401, 403, 403, 403, 403)
CLAIM = {"subject": "freight_order", "key": "F"}
FACTS = {"facts": [{**FACT, "order_no": "N"}]}
ALL, NOT_MINE = (401, 200, 200, 200, 200), (401, 200, 200, 200, 404)
# Method, address, body; what each role gets.
Line = tuple[str, str, Any, tuple[int, ...]]
TABLE: list[Line] = [
    ("get", "campaigns/", None, ALL),
    ("get", "offers/", None, ALL),
    ("get", "offers/o/", None, ALL),
    ("get", "offers/o/quota/", None, ALL),
    ("get", "offers/o/quota/history/", None, ALL),
    ("get", "statements/2022-09/", None, ALL),  # of what the key sees: see below
    ("get", "merchants/M1/benefits/", None, NOT_MINE),
    ("get", "merchants/M1/grants/", None, NOT_MINE),
    ("get", "merchants/M1/coupons/", None, NOT_MINE),
    ("get", "merchants/M1/decisions/", None, NOT_MINE),
    ("get", "merchants/", None, ALL),  # those that the key sees: see below
    ("get", "merchants/M1/", None, NOT_MINE),
    ("get", "grants/GRANT/", None, NOT_MINE),
    ("get", "coupons/COUPON/", None, NOT_MINE),
    ("get", "subjects/freight_order/F/", None, NOT_MINE),
    ("get", "claims/freight_order/F/", None, NOT_MINE),
    ("get", "facts/freight_orders/", None, ALL),
    ("get", "facts/freight_orders/F/", None, NOT_MINE),
    ("post", "quotes/", CLAIM, (401, 200, 403, 200, 404)),
    ("post", "claims/", CLAIM, (401, 201, 403, 201, 404)),
    ("post", "claims/freight_order/F/cancel/", {"at": "2022-09-02T20:00:00Z"}, (401, 200, 403, 403, 403)),
    ("post", "facts/freight_orders/", FACTS, (401, 200, 403, 403, 403)),
    ("patch", "facts/freight_orders/", {"facts": [{"order_no": "F"}]}, (401, 200, 403, 403, 403)),
    ("put", "facts/freight_orders/", FACTS, (401, 200, 403, 403, 403)),
    # Who has these scopes is in the tests of keys and webhooks.
    ("get", "keys/", None, MANAGE),
    ("post", "keys/", {}, MANAGE),
    ("get", "keys/1/", None, MANAGE),
    ("delete", "keys/1/", None, MANAGE),
    ("post", "keys/1/rotate/", {}, MANAGE),
    ("get", "webhooks/", None, MANAGE),
    ("post", "webhooks/", {}, MANAGE),
    ("get", "webhooks/1/", None, MANAGE),
    ("patch", "webhooks/1/", {}, MANAGE),
    ("post", "webhooks/1/rotate/", None, MANAGE),
    ("post", "webhooks/1/test/", None, MANAGE),
    ("get", "webhooks/1/deliveries/", None, MANAGE),
    ("get", "deliveries/msg_1/", None, MANAGE),
    ("post", "deliveries/msg_1/resend/", None, MANAGE),
    ("post", "freight-orders/F/coupon/", None, (401, 409, 403, 409, 404)),
    ("delete", "freight-orders/F/coupon/", None, (401, 409, 403, 409, 404)),
    ("post", "service-orders/F/coupon/", None, (401, 409, 403, 409, 404)),
    ("delete", "service-orders/F/coupon/", None, (401, 409, 403, 409, 404)),
    ("post", "claim-requests/", {"offer": "o", "account_code": "A1"}, (401, 200, 403, 200, 400)),
    ("get", "merchants/M1/entitlements/", None, NOT_MINE),
    ("get", "merchants/M1/ratings/", None, NOT_MINE),
    ("get", "buyers/B1/entitlements/", None, (401, 200, 200, 404, 404)),
    ("get", "allowances/", None, (401, 404, 404, 200, 200)),  # of its own merchant; the platform names one
    ("post", "allowances/", {"offer": "quotes", "account_code": "A1"}, (401, 409, 403, 409, 400)),  # not eligible
    ("post", "usages/", {"usage_no": "U2", "merchant_code": "M1", "use": "mail"}, (401, 201, 403, 201, 404)),
    ("get", "usages/U/", None, NOT_MINE),
]


@pytest.fixture
def keys(platform: Program) -> dict[str, Program]:
    allowances = allowance("mails", "mail") + allowance(
        "quotes", "quote", collected="yes", conditions="[{fact: merchant.country, is: US}]"
    )
    publish(offer("o", quota="{limit: 5}") + coupon_offer() + "allowances:\n" + allowances)
    account()
    buyer()
    use("U", "02")
    service_order("F", "02")
    freight("S", shipped_at="02")
    freight("F", placed_at="02", paid_at="02")
    freight("G", placed_at="02", paid_at="02")
    tick("03")
    freight("H", placed_at="02")
    return {
        "nobody": Program(""),
        "platform": platform,
        "reader": program("read"),
        "own": program("read", "claim", of="M1"),
        "stranger": program("read", "claim", of="M2"),
    }


@pytest.mark.parametrize("line", TABLE, ids=[f"{m} {p}" for m, p, *_ in TABLE])
def test_each_role_gets_its_status(keys: dict[str, Program], line: Line) -> None:
    method, path, body, statuses = line
    path = placed(path)
    for role, status in sorted(zip(ROLES, statuses, strict=True), key=lambda pair: -pair[1]):  # refusals first
        before = everything(), FreightOrder.objects.count()
        answer = keys[role].ask(method, path, body)
        assert (role, answer.status) == (role, status)
        if status in (401, 403, 404):
            assert (everything(), FreightOrder.objects.count()) == before
        if status == 404:  # as if it were not there at all
            missing = keys[role].ask(method, without(path), _named(body, "NONE"))
            assert (missing.status, missing.body) == (404, answer.body)


def placed(path: str) -> str:
    """Return the address with the grant and the coupon that there are."""
    coupon = Coupon.objects.values_list("code", flat=True).first()
    grant = Grant.objects.filter(subject="F").values_list("pk", flat=True).first()
    return path.replace("GRANT", str(grant)).replace("COUPON", str(coupon))


def without(path: str) -> str:
    """Return the address with the names of objects that there are not."""
    other = re.sub(r"(?<=grants/)[0-9]+|(?<=coupons/)[^/]+", "999999", path)
    return other.replace("M1", "M9").replace("/F/", "/NONE/")


def _named(body: Any, key: str) -> Any:
    return {**body, "key": key} if isinstance(body, dict) and "key" in body else body


def test_the_table_covers_every_operation() -> None:
    schema = YAML(typ="safe").load(Client().get("/api/v1/schema/").content)
    there = {
        (method, re.sub(r"{[^}]+}", "*", path.removeprefix("/api/v1/")))
        for path, operations in schema["paths"].items()
        for method in operations
    }
    names = r"(?<=/)(o|M1|B1|U|1|msg_1|GRANT|COUPON|F|freight_order|freight_orders|cancel|2022-09)(?=/)"
    assert {(method, re.sub(names, "*", path)) for method, path, *_ in TABLE} == there - {("get", "schema/")}


def test_a_statement_of_what_one_party_pays(keys: dict[str, Program]) -> None:
    """The offers here name nobody: the platform pays all."""
    everything = keys["platform"].list("statements/2022-09/")
    assert everything
    assert keys["platform"].list("statements/2022-09/?payer=platform") == everything
    assert keys["platform"].list("statements/2022-09/?payer=merchant") == []


def test_a_merchants_statement_has_only_its_own_lines(keys: dict[str, Program]) -> None:
    everyones = keys["platform"].list("statements/2022-09/")
    assert [line["merchant"] for line in everyones] == ["M1"]
    assert keys["own"].list("statements/2022-09/") == everyones
    assert keys["stranger"].list("statements/2022-09/") == []
    assert keys["stranger"].list("statements/2022-09/?merchant=M1") == []


def test_a_merchants_lists_have_only_its_own_rows(keys: dict[str, Program]) -> None:
    freight("X", of="M2")
    for role, codes, orders in (("platform", ["M1", "M2"], list("FGHSX")), ("own", ["M1"], list("FGHS"))):
        assert [each["code"] for each in keys[role].list("merchants/")] == codes
        assert [each["fact"]["order_no"] for each in keys[role].list("facts/freight_orders/")] == orders
    assert keys["own"].list("facts/freight_orders/?merchant=M2") == []
    assert [each["fact"]["order_no"] for each in keys["platform"].list("facts/freight_orders/?merchant=M2")] == ["X"]
    assert keys["stranger"].list("facts/receipts/") == []


@pytest.mark.parametrize("scope", ApiKey.Scope.values)
def test_each_scope_allows_only_its_own_operations(keys: dict[str, Program], scope: str) -> None:
    needed = {"get": "read", "quotes/": "claim", "claims/": "claim", "claim-requests/": "claim"}
    needed |= dict.fromkeys(("freight-orders/F/coupon/", "service-orders/F/coupon/", "allowances/", "usages/"), "claim")
    only = program(scope)
    for method, path, body, _ in TABLE:
        managed = next((name for name in ("keys", "webhooks") if path.startswith(name)), "")
        managed = "webhooks" if path.startswith("deliveries") else managed
        wanted = managed or needed.get("get" if method == "get" else path, "facts")
        answer = only.ask(method, placed(path), body)
        assert (answer.status != 403) == (scope == wanted), path
        if scope != wanted:
            assert f"scope “{wanted}”" in answer.body["detail"], path
