"""Webhooks by API: registered, changed, tested, rotated, watched and sent again by programs."""

import pytest
from standardwebhooks.webhooks import Webhook

from campaigns import tasks
from campaigns.models import Delivery, Endpoint
from campaigns.notifications import distribution, webhooks
from merchants.models import AccessChange
from tests.support.programs import Program, program
from tests.support.receivers import Receiver
from tests.support.world import freight, offer, publish, tick

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once(reason="single rows, not SQL")]


@pytest.fixture
def manager(platform: Program) -> Program:
    return program("webhooks")


def registered(manager: Program, receiver: Receiver, **more: object) -> dict[str, object]:
    answer = manager.post("webhooks/", {"name": "shop", "url": receiver.url, **more})
    assert answer.status == 201, answer.body
    assert answer.headers["Location"] == answer.body["href"]
    return dict(answer.body)


def test_a_test_event_arrives_signed_and_its_delivery_says_so(manager: Program, receivers: list[Receiver]) -> None:
    webhook = registered(manager, receivers[0])
    sent = manager.post(f"webhooks/{webhook['id']}/test/")
    assert (sent.status, sent.body["event"]["type"]) == (202, "endpoint.tested")
    tasks.deliver(int(str(webhook["id"])))
    [(headers, body)] = receivers[0].heard
    assert Webhook(str(webhook["secret"])).verify(body, headers)["type"] == "endpoint.tested"
    assert headers["webhook-id"] == sent.body["id"]
    delivery = manager.get(sent.headers["Location"].removeprefix("/api/v1/")).body
    assert (delivery["status"], delivery["response_status"], delivery["tries"]) == ("delivered", 200, 1)


def test_deliveries_are_listed_by_state_and_sent_again(manager: Program, receivers: list[Receiver]) -> None:
    webhook = registered(manager, receivers[0], events=["grant.created"])
    publish(offer("o"))
    for subject in ("A", "B"):
        freight(subject, paid_at="02")
    receivers[0].by_subject = {"B": [500]}
    tick("03")
    distribution.fan_out()
    tasks.deliver(int(str(webhook["id"])))
    path = f"webhooks/{webhook['id']}/deliveries/"
    [done], [failed] = manager.list(f"{path}?status=delivered"), manager.list(f"{path}?status=pending")
    assert (done["event"]["data"]["subject"], failed["event"]["data"]["subject"]) == ("A", "B")
    assert (failed["tries"], failed["response_status"], failed["next_try_at"] is None) == (1, 500, False)
    assert manager.list(f"{path}?status=given_up") == []
    again = manager.post(f"deliveries/{done['id']}/resend/")
    assert (again.status, again.body["id"]) == (202, done["id"])
    tasks.deliver(int(str(webhook["id"])))
    assert [headers["webhook-id"] for headers, _body in receivers[0].heard].count(done["id"]) == 2
    acts = AccessChange.objects.order_by("pk").values_list("verb", "kind", "target")
    assert list(acts) == [("registered", "webhook", str(webhook["id"])), ("resent", "webhook", str(webhook["id"]))]


def test_a_webhook_is_changed_disabled_and_enabled(manager: Program, receivers: list[Receiver]) -> None:
    webhook = registered(manager, receivers[0])
    path = f"webhooks/{webhook['id']}/"
    assert (webhook["events"], webhook["status"]) == ([], "enabled")
    body = {"name": "new", "url": receivers[1].url, "events": ["quota.reached"], "enabled": False}
    changed = manager.ask("patch", path, body).body
    assert (changed["name"], changed["url"], changed["events"]) == ("new", receivers[1].url, ["quota.reached"])
    assert changed["status"] == "disabled"
    refused = manager.post(f"{path}test/")
    assert (refused.status, refused.body["code"], Delivery.objects.count()) == (409, "webhook_disabled", 0)
    assert sorted(Endpoint.objects.get().kinds) == ["quota_100", "quota_80", "quota_95"]
    assert manager.ask("patch", path, {"enabled": True}).body == {**changed, "status": "enabled"}
    assert manager.get(path).body["events"] == ["quota.reached"]


def test_a_rotated_secret_signs_beside_the_old_one(manager: Program, receivers: list[Receiver]) -> None:
    webhook = registered(manager, receivers[0])
    rotated = manager.post(f"webhooks/{webhook['id']}/rotate/").body
    assert rotated["secret"] != webhook["secret"]
    assert rotated["old_secret_until"] is not None
    manager.post(f"webhooks/{webhook['id']}/test/")
    tasks.deliver(int(str(webhook["id"])))
    [(headers, body)] = receivers[0].heard
    for secret in (webhook["secret"], rotated["secret"]):
        assert Webhook(str(secret)).verify(body, headers)


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "https://127.0.0.1/", "https://user:pw@example.com/", "https://example.com/ü", "nothing"],
)
def test_an_address_that_is_not_permitted_is_refused(manager: Program, url: str) -> None:
    refused = manager.post("webhooks/", {"name": "x", "url": url})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (400, "/url")
    assert not Endpoint.objects.exists()


def test_unknown_events_are_refused(manager: Program, receivers: list[Receiver]) -> None:
    refused = manager.post("webhooks/", {"name": "x", "url": receivers[0].url, "events": ["grant.made"]})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (400, "/events/0")


def test_misspelt_names_are_refused(manager: Program, receivers: list[Receiver]) -> None:
    webhook = registered(manager, receivers[0])
    refused = manager.ask("patch", f"webhooks/{webhook['id']}/", {"event": ["claim.granted"]})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (400, "/event")
    assert [change.verb for change in AccessChange.objects.all()] == ["registered"]


def test_a_merchant_has_a_bounded_number_of_enabled_webhooks(
    manager: Program, receivers: list[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "MOST_OF_A_MERCHANT", 1)
    own = program("webhooks", of="M1")
    first = registered(own, receivers[0])
    body = {"name": "second", "url": receivers[0].url}
    refused = own.post("webhooks/", body)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (400, "/merchant")
    own.ask("patch", f"webhooks/{first['id']}/", {"enabled": False})
    assert own.post("webhooks/", body).status == 201
    assert own.ask("patch", f"webhooks/{first['id']}/", {"enabled": True}).status == 400
    assert [each.disabled_at is None for each in Endpoint.objects.order_by("pk")] == [False, True]
    assert manager.post("webhooks/", body).status == 201  # for all merchants


def test_a_merchant_manages_its_own_webhooks_only(manager: Program, receivers: list[Receiver]) -> None:
    own, stranger = program("webhooks", of="M1"), program("webhooks", of="M2")
    webhook = registered(own, receivers[0])
    assert webhook["merchant"] == "M1"
    sent = own.post(f"webhooks/{webhook['id']}/test/").body
    refused = own.post("webhooks/", {"name": "x", "url": receivers[0].url, "merchant": "M2"})
    assert (refused.status, refused.body["code"]) == (403, "beyond_key")
    everyones = registered(manager, receivers[1])
    for webhook_id, program_ in ((webhook["id"], stranger), (everyones["id"], own)):
        path = f"webhooks/{webhook_id}/"
        for method, tail in (
            ("get", ""),
            ("patch", ""),
            ("post", "rotate/"),
            ("post", "test/"),
            ("get", "deliveries/"),
        ):
            assert program_.ask(method, path + tail, {} if method != "get" else None).status == 404
    assert stranger.get(f"deliveries/{sent['id']}/").status == 404
    assert stranger.post(f"deliveries/{sent['id']}/resend/").status == 404
    assert (stranger.list("webhooks/"), len(own.list("webhooks/")), len(manager.list("webhooks/"))) == ([], 1, 2)
    assert Delivery.objects.count() == 1
