"""Python client: every operation of the schema, against a running server."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_type_hints
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import urllib3
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from ruamel.yaml import YAML

from api.models import IdempotencyRecord
from campaigns.models import Grant
from fairground_client import Fairground, Problem, Refused, UnavailableError, responses
from logistics.models import FreightOrder
from merchants import api_keys
from tests.support import contract
from tests.support.members import clock
from tests.support.programs import FACT
from tests.support.scenarios import coupon_offer
from tests.support.world import correct, freight, merchant, offer, publish, tick

pytestmark = pytest.mark.once(reason="the client sees HTTP alone; other tests ask each view")


def schema() -> Any:
    return YAML(typ="safe").load(Client().get("/api/v1/schema/").content)


def test_every_operation_of_the_schema_is_a_method() -> None:
    named = {item["operationId"] for path in schema()["paths"].values() for item in path.values()}
    methods = {name for name, _ in inspect.getmembers(Fairground, inspect.isfunction) if not name.startswith("_")}
    assert methods == named - {"schema_retrieve"}


def test_every_response_type_has_the_fields_of_the_schema() -> None:
    shapes = schema()["components"]["schemas"]
    kinds = {name: kind for name, kind in vars(responses).items() if inspect.isclass(kind) and name != "TypedDict"}
    assert len(kinds) > 10
    for name, kind in kinds.items():
        claim = shapes[f"{name}"]["properties"]
        hints = get_type_hints(kind)
        assert set(hints) == set(claim), name
        for field, of in claim.items():
            assert _nullable(of) == (type(None) in get_args(hints[field])), f"{name}.{field}"


def _nullable(of: dict[str, Any]) -> bool:
    kinds = of.get("type", [])
    return "null" in kinds or {"type": "null"} in of.get("oneOf", []) + of.get("anyOf", [])


def keep_contract(client: Fairground) -> None:
    """Check each response that the client gets against the schema."""
    send = client.transport._send

    def checked(method: str, path: str, body: object, more: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        response = send(method, path, body, more)
        address = unquote(urlsplit(urljoin(f"{client.transport.url}/api/v1/", path)).path)
        kind = response.headers["Content-Type"].partition(";")[0]
        contract.check(method, address, status=response.status, content_type=kind, body=response.data)
        return response

    client.transport._send = checked  # type: ignore[method-assign]  # its own, with a check


@pytest.fixture
def connect(transactional_db: None, live_server: LiveServer, settings: Settings) -> Callable[..., Fairground]:
    """A client of the running server, by default the platform's."""
    settings.DEMO = True
    clock("03")
    merchant("M1")

    def made(*scopes: str, of: Any = None, **options: Any) -> Fairground:
        wanted = scopes or ("read", "claim", "facts")
        _key, secret = api_keys.issue("test", scopes=wanted, merchant=of, at=timezone.now(), by="test")
        client = Fairground(live_server.url, secret, **options)
        keep_contract(client)
        return client

    return made


def test_a_claim_from_facts_to_settlement(connect: Callable[..., Fairground]) -> None:
    publish(
        offer("o", quota="{limit: 2}", settlement="{locked_at: paid_at, at: shipped_at, released_by: cancelled_at}")
    )
    fairground = connect()
    fact = {**FACT, "placed_at": "2022-09-01T00:00:00Z", "paid_at": "2022-09-02T00:00:00Z"}
    assert fairground.record_facts("freight_orders", [fact])["added"] == 1
    assert fairground.quote("freight_order", "A")["outcome"] == "granted"
    assert fairground.claim("freight_order", "A")["answers"][0]["status"] == "locked"
    claim = fairground.follow_claim("freight_order", "A", "fulfil", at="2022-09-02T12:00:00Z")
    assert claim["answers"][0]["status"] == "settled"
    assert fairground.get_quota("o")["used"] == 1
    [grant] = fairground.list_grants("M1", status="settled")
    assert (grant["subject"], grant["amount"], grant["currency"]) == ("A", "100.00", "CNY")
    with pytest.raises(Problem) as done:
        fairground.follow_claim("freight_order", "A", "fulfil")
    assert (done.value.status, done.value.code) == (409, "step_done")


def test_a_cancellation_releases_the_place(connect: Callable[..., Fairground]) -> None:
    publish(offer("o", quota="{limit: 1}"))
    fairground = connect()
    fairground.claim("freight_order", fact=FACT)
    with pytest.raises(Refused) as refused:
        fairground.claim("freight_order", fact={**FACT, "order_no": "B"})
    assert refused.value.code == "quota_exhausted"
    assert refused.value.body["answers"][0]["outcome"] == "quota_exhausted"
    claim = fairground.follow_claim("freight_order", "A", "cancel", at="2022-09-02T20:00:00Z")
    assert claim["answers"][0]["status"] == "released"
    assert fairground.get_quota("o")["left"] == 1


@pytest.mark.parametrize(("subject", "step"), [("freight_order", "ship"), ("merchant", "pay"), ("nothing", "pay")])
def test_unknown_steps_are_not_found(connect: Callable[..., Fairground], subject: str, step: str) -> None:
    freight("A", paid_at="02")
    with pytest.raises(Problem) as missing:
        connect().follow_claim(subject, "A" if subject == "freight_order" else "M1", step)
    assert missing.value.status == 404


def test_a_coupon_attached_detached_and_attached_again(connect: Callable[..., Fairground]) -> None:
    publish(coupon_offer())
    freight("S", shipped_at="02")
    tick("03")
    freight("F", placed_at="02 20:00")
    fairground = connect()
    locked = fairground.attach_coupon("F")
    assert (locked["status"], locked["order_no"]) == ("locked", "F")
    back = fairground.detach_coupon("F")
    assert (back["code"], back["status"], back["order_no"], back["value"]) == (
        locked["code"],
        "issued",
        None,
        locked["face_value"],
    )
    with pytest.raises(Problem) as none:
        fairground.detach_coupon("F")
    assert (none.value.status, none.value.code) == (409, "no_coupon")
    assert fairground.attach_coupon("F")["code"] == locked["code"]
    tick("04")
    assert [coupon["status"] for coupon in fairground.list_coupons("M1", status="locked")] == ["locked"]
    correct(FreightOrder, "F", paid_at="04 10:00")
    tick("05")
    clock("05")
    with pytest.raises(Problem):
        fairground.detach_coupon("F")
    assert [coupon["order_no"] for coupon in fairground.list_coupons("M1", status="redeemed")] == ["F"]


def test_lists_are_read_page_by_page(connect: Callable[..., Fairground]) -> None:
    publish(offer("o"))
    for n in range(120):
        freight(f"F{n:03}", paid_at="02")
    tick("03")
    assert len({grant["subject"] for grant in connect().list_grants("M1", size="50")}) == 120


def test_every_read_operation(connect: Callable[..., Fairground]) -> None:
    publish(offer("o", quota="{limit: 5}"))
    freight("A", paid_at="02")
    tick("03")
    fairground = connect(language="zh-hans")
    assert [item["code"] for item in fairground.list_campaigns()] == ["trial"]
    assert [item["code"] for item in fairground.list_offers("trial")] == ["o"]
    assert fairground.get_offer("o")["sentences"]["benefit"] == "运费减免10%"
    assert [point["total"] for point in fairground.get_quota_history("o")] == [1]
    assert fairground.get_statement("2022-09", merchant="M1")[0]["total"] == "100.00"
    assert fairground.list_benefits("M1")[0]["offer"] == "o"
    assert fairground.explain("freight_order", "A")[0]["outcome"] == "granted"


def test_errors_point_at_the_faulty_value(connect: Callable[..., Fairground]) -> None:
    with pytest.raises(Problem, match=r"400 invalid: .*/facts/0/base_freight") as wrong:
        connect().record_facts("freight_orders", [{**FACT, "base_freight": "-1"}])
    assert wrong.value.errors[0]["pointer"] == "/facts/0/base_freight"


def test_a_lost_response_is_requested_again_and_the_write_done_once(
    connect: Callable[..., Fairground], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(offer("o"))
    waits: list[float] = []
    fairground = connect(sleep=waits.append, first_wait=0.5)
    sent, lost = fairground.transport._send, [True, True, False]

    def losing(*asked: Any) -> Any:
        answer = sent(*asked)
        if lost.pop(0):
            raise urllib3.exceptions.ProtocolError("the connection broke")
        return answer

    monkeypatch.setattr(fairground.transport, "_send", losing)
    assert fairground.claim("freight_order", fact=FACT)["outcome"] == "granted"
    assert waits == [0.5, 1.0]
    assert IdempotencyRecord.objects.count() == Grant.objects.count() == 1


def test_a_server_that_never_responds() -> None:
    nobody = Fairground("http://127.0.0.1:9", "fg_x", attempts=3, sleep=lambda _: None)
    with pytest.raises(UnavailableError, match="3 attempts"):
        nobody.list_campaigns()
