"""Python client: every operation of the schema, against a running server."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from django.utils import timezone
from fairground_client import AsyncFairground, Fairground, Problem, Refused, UnavailableError
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from api.models import IdempotencyRecord
from campaigns.models import Grant
from logistics.models import FreightOrder
from merchants import api_keys
from tests.support import contract
from tests.support.members import clock
from tests.support.programs import FACT
from tests.support.receivers import Receiver, receivers
from tests.support.scenarios import coupon_offer
from tests.support.world import correct, freight, merchant, offer, publish, tick

__all__ = ["receivers"]  # a fixture
pytestmark = pytest.mark.once(reason="the client sees HTTP alone; other tests ask each view")


@pytest.mark.parametrize("client", [Fairground, AsyncFairground])
def test_every_operation_of_the_schema_is_a_method(client: type[object]) -> None:
    methods = {name for name, _ in inspect.getmembers(client, inspect.isfunction) if not name.startswith("_")}
    assert methods - {"close"} == {operation.name for operation in contract.operations()}


def keep_contract(response: httpx.Response) -> None:
    """Check a response that the client gets against the schema."""
    response.read()
    kind = response.headers["Content-Type"].partition(";")[0]
    method, path = response.request.method, response.request.url.path
    contract.check(method, path, status=response.status_code, content_type=kind, body=response.content)


@pytest.fixture
def connect(transactional_db: None, live_server: LiveServer, settings: Settings) -> Iterator[Callable[..., Fairground]]:
    """A client of the running server, by default the platform's."""
    settings.DEMO, clients = True, list[Fairground]()
    clock("03")
    merchant("M1")

    def made(*scopes: str, of: Any = None, **options: Any) -> Fairground:
        wanted = scopes or ("read", "claim", "facts")
        _key, secret = api_keys.issue("test", scopes=wanted, merchant=of, at=timezone.now(), by="test")
        http = options.pop("http", None) or httpx.Client()
        http.event_hooks = {"response": [keep_contract]}
        clients.append(Fairground(live_server.url, secret, http=http, **options))
        return clients[-1]

    yield made
    for client in clients:
        client.close()


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
    assert refused.value.answers[0]["outcome"] == "quota_exhausted"
    assert refused.value.request_id
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
    assert len({grant["subject"] for grant in connect().list_grants("M1")}) == 120


def test_every_read_operation(connect: Callable[..., Fairground]) -> None:
    publish(offer("o", quota="{limit: 5}"))
    freight("A", paid_at="02")
    tick("03")
    fairground = connect(language="zh-hans")
    assert [item["code"] for item in fairground.list_campaigns()] == ["trial"]
    assert [item["code"] for item in fairground.list_offers("trial")] == ["o"]
    assert fairground.get_offer("o")["sentences"]["benefit"] == "运费减免10%"
    assert [point["total"] for point in fairground.get_quota_history("o")] == [1]
    assert next(fairground.get_statement("2022-09", merchant="M1"))["total"] == "100.00"
    assert next(fairground.list_benefits("M1"))["offer"] == "o"
    assert next(fairground.explain("freight_order", "A"))["outcome"] == "granted"


def test_errors_point_at_the_faulty_value(connect: Callable[..., Fairground]) -> None:
    with pytest.raises(Problem, match=r"400 invalid: .*/facts/0/base_freight") as wrong:
        connect().record_facts("freight_orders", [{**FACT, "base_freight": "-1"}])
    assert wrong.value.errors[0]["pointer"] == "/facts/0/base_freight"


class Losing(httpx.HTTPTransport):
    """A network that loses the first responses."""

    def __init__(self, lost: int) -> None:
        super().__init__()
        self.lost = lost

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        self.lost -= 1
        if self.lost >= 0:
            response.close()
            raise httpx.RemoteProtocolError("the connection broke")
        return response


def test_a_lost_response_is_requested_again_and_the_write_done_once(connect: Callable[..., Fairground]) -> None:
    publish(offer("o"))
    waits: list[float] = []
    http = httpx.Client(transport=Losing(2))
    fairground = connect(http=http, sleep=waits.append, first_wait=0.5, jitter=0)
    assert fairground.claim("freight_order", fact=FACT)["outcome"] == "granted"
    assert waits == [0.5, 1.0]
    assert IdempotencyRecord.objects.count() == Grant.objects.count() == 1


def test_a_server_that_never_responds() -> None:
    nobody = Fairground("http://127.0.0.1:9", "fg_x", attempts=3, sleep=lambda _: None)
    with pytest.raises(UnavailableError, match="3 attempts"):
        list(nobody.list_campaigns())


def test_what_was_made_is_read_back(connect: Callable[..., Fairground]) -> None:
    publish(offer("o") + coupon_offer())
    freight("S", shipped_at="02", paid_at="02")
    tick("03")
    with connect() as fairground:
        assert [fairground.get_merchant(each["code"])["href"] for each in fairground.list_merchants()] == [
            "/api/v1/merchants/M1/"
        ]
        for grant in fairground.list_grants("M1", offer="o"):
            assert fairground.get_grant(grant["id"]) == grant
        for coupon in fairground.list_coupons("M1"):
            assert fairground.get_coupon(coupon["code"]) == coupon
        assert fairground.get_claim("freight_order", "S")["state"] == "settled"
        assert {each["outcome"] for each in fairground.list_decisions("M1")} == {"granted"}
        [fact] = fairground.list_facts("freight_orders", merchant="M1")
        assert fairground.get_fact("freight_orders", "S") == fact
        changed = fairground.change_facts("freight_orders", [{"order_no": "S", "promo_flag": True}])
        assert changed["changed"] == 1
        assert fairground.get_fact("freight_orders", "S")["fact"]["promo_flag"] is True
        assert fairground.replace_facts("freight_orders", [fact["fact"]])["changed"] == 1


def test_keys_and_webhooks_are_managed(connect: Callable[..., Fairground], receivers: list[Receiver]) -> None:
    with connect("keys", "webhooks", "read") as fairground:
        key = fairground.issue_key("shop", ["read"], merchant="M1")
        later = fairground.rotate_key(key["id"], overlap_hours=1)
        assert fairground.revoke_key(later["id"], made="end")["keys"] == []
        assert fairground.get_key(key["id"])["expires_at"]
        assert {each["id"] for each in fairground.list_keys()} > {key["id"], later["id"]}
        webhook = fairground.register_webhook("shop", receivers[0].url, events=["grant.created"])
        assert fairground.rotate_webhook_secret(webhook["id"])["secret"] != webhook["secret"]
        assert fairground.change_webhook(webhook["id"], enabled=False)["status"] == "disabled"
        assert fairground.get_webhook(webhook["id"]) == next(fairground.list_webhooks())
        fairground.change_webhook(webhook["id"], enabled=True)
        sent = fairground.test_webhook(webhook["id"])
        assert [each["id"] for each in fairground.list_deliveries(webhook["id"])] == [sent["id"]]
        assert fairground.resend_delivery(sent["id"])["id"] == sent["id"]
        assert fairground.get_delivery(sent["id"])["event"]["type"] == "endpoint.tested"
