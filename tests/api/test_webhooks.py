"""Webhooks: signatures, retries under one id, and refusal of private addresses."""

import json
import re
from datetime import datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone
from jsonschema_rs import Draft202012Validator
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from api import webhook_docs
from campaigns.models import Delivery, Endpoint, OutboxEvent
from campaigns.notifications import distribution, webhook_delivery, webhook_events, webhook_sender, webhooks
from core import safe_http
from core.safe_http import AddressError
from logistics.models import FreightOrder
from merchants.models import Member, Merchant
from tests.support import contract
from tests.support.concurrency import Race
from tests.support.guards import without_row_locks
from tests.support.members import member
from tests.support.receivers import Receiver
from tests.support.scenarios import coupon_offer
from tests.support.servers import resolve_names_to, wait_until
from tests.support.world import correct, freight, merchant, offer, publish, tick


class Clock:
    """A clock that tests move by hand."""

    def __init__(self) -> None:
        self.at = timezone.now() + timedelta(minutes=4)  # later than all deliveries; verifiers allow five minutes

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, gap: timedelta) -> None:
        self.at += gap


def endpoint(receiver: Receiver, *kinds: str, of: str | None = None) -> Endpoint:
    whose = Merchant.objects.get(pk=of) if of else None
    return webhooks.register("r", receiver.url, merchant=whose, kinds=kinds, at=timezone.now(), by="ana")


def happen(*orders: str, of: str = "M1") -> None:
    """Grant each order and fan out the events."""
    for order in orders:
        freight(order, of=of, paid_at="02")
    tick("03")
    distribution.fan_out()


@pytest.fixture
def world(db: None) -> None:
    merchant("M1")
    merchant("M2")
    publish(offer("ten", quota="{limit: 3}"))


pytestmark = pytest.mark.usefixtures("world")


def test_deliveries_are_signed_by_standard_webhooks(receivers: list[Receiver]) -> None:
    receiver, _ = receivers
    there, clock = endpoint(receiver, "granted"), Clock()
    happen("F1")
    assert webhook_sender.deliver(there, clock=clock) == 1
    [(headers, body)] = receiver.heard
    assert Webhook(there.secret).verify(body, headers) == json.loads(body)
    event = json.loads(body)
    assert (event["type"], event["timestamp"]) == ("grant.created", "2022-09-02T00:00:00Z")
    assert event["data"] == {
        "offer": "ten",
        "coupon": None,
        "merchant": "M1",
        "subject": "F1",
        "order_no": None,
        "amount": "100.00",
        "currency": "CNY",
        "percent": None,
        "reason": "settled at the claim",
    }
    with pytest.raises(WebhookVerificationError):
        Webhook(there.secret).verify(body + b" ", headers)
    row = Delivery.objects.get()
    assert (row.tries, row.status, row.due_at, row.key) == (1, 200, None, headers["webhook-id"])
    assert webhook_sender.deliver(there, clock=clock) == 0  # nothing is due any more


def test_endpoints_receive_the_merchants_and_kinds_they_subscribe_to(receivers: list[Receiver]) -> None:
    everything, one = receivers
    all_, theirs = endpoint(everything), endpoint(one, "granted", of="M2")
    happen("F1")
    happen("F2", of="M2")
    for there in (all_, theirs):
        webhook_sender.deliver(there, clock=Clock())
    assert everything.kinds.count("grant.created") == 2
    assert one.kinds == ["grant.created"]
    assert json.loads(one.heard[0][1])["data"]["merchant"] == "M2"
    happen("F3")
    webhook_sender.deliver(all_, clock=Clock())
    marks = [json.loads(body)["data"] for _headers, body in everything.heard if b"quota.reached" in body]
    assert [(mark["percent"], mark["reason"]) for mark in marks] == [(80, "3 / 3"), (95, "3 / 3"), (100, "3 / 3")]


def test_no_event_is_written_without_an_endpoint() -> None:
    happen("F1")
    assert not OutboxEvent.objects.exists()


def test_a_failed_delivery_is_retried_with_growing_gaps_under_the_same_id(receivers: list[Receiver]) -> None:
    ill, well = receivers
    first, second, clock = endpoint(ill, "granted"), endpoint(well, "granted"), Clock()
    ill.by_subject = {"F1": [500, 503, 302, 400, 500, 500]}
    happen("F1", "F2")
    gaps = []
    while ill.by_subject["F1"]:
        webhook_sender.deliver(first, clock=clock)
        row = Delivery.objects.filter(endpoint=first).order_by("pk")[0]
        assert row.due_at is not None
        gaps.append(row.due_at - clock.at)
        clock.pass_(gaps[-1])
        webhook_sender.deliver(second, clock=clock)
    assert gaps == list(webhook_sender.GAPS[:6])
    assert gaps == sorted(gaps)
    assert sum(gaps, timedelta()) > timedelta(hours=7)
    assert sorted(well.subjects) == ["F1", "F2"]  # the other endpoint did not wait
    assert ill.subjects.count("F2") == 1  # nor did the other order
    assert webhook_sender.deliver(first, clock=clock) == 1
    ids = {
        headers["webhook-id"]
        for (headers, _body), subject in zip(ill.heard, ill.subjects, strict=True)
        if subject == "F1"
    }
    assert len(ids) == 1


def heard_about(receiver: Receiver, subject: str) -> list[str]:
    """Return the types of the events about a subject, in the order in which they arrived."""
    return [kind for kind, name in zip(receiver.kinds, receiver.subjects, strict=True) if name == subject]


def test_deliveries_about_one_object_keep_their_order(receivers: list[Receiver]) -> None:
    receiver, _ = receivers
    publish(offer("steps", settlement="{locked_at: paid_at, at: departed_at, released_by: cancelled_at}"))
    there, clock = endpoint(receiver, "granted", "locked", "settled", "released"), Clock()
    for order in ("A", "B"):
        freight(order, of="M2", placed_at="02", paid_at="02", departed_at="02 10:00")
    tick("02 12:00")
    for order in ("A", "B"):
        correct(FreightOrder, order, cancelled_at="02 13:00")
    tick("03")
    distribution.fan_out()
    kinds = OutboxEvent.objects.filter(subject="A", kind__in=there.kinds).order_by("pk").values_list("kind", flat=True)
    in_order = [webhook_events.NAMES[OutboxEvent.Kind(kind)] for kind in kinds]
    assert len(set(in_order)) >= 3
    receiver.by_subject = {"A": [500]}
    webhook_sender.deliver(there, clock=clock)
    assert (heard_about(receiver, "A"), heard_about(receiver, "B")) == (in_order[:1], in_order)
    clock.pass_(webhook_sender.GAPS[0])
    webhook_sender.deliver(there, clock=clock)
    assert heard_about(receiver, "A") == [in_order[0], *in_order]


def test_the_next_event_of_an_object_goes_after_the_one_before_is_given_up(receivers: list[Receiver]) -> None:
    receiver, _ = receivers
    there, clock = endpoint(receiver, "granted", "released"), Clock()
    happen("F1")
    correct(FreightOrder, "F1", cancelled_at="03")
    tick("04")
    distribution.fan_out()
    receiver.answers = [500] * (len(webhook_sender.GAPS) + 1)
    for gap in (*webhook_sender.GAPS, timedelta()):
        webhook_sender.deliver(there, clock=clock)
        assert "grant.released" not in receiver.kinds or not receiver.answers
        clock.pass_(gap)
    assert receiver.kinds.count("grant.created") == 11
    assert receiver.kinds[-1] == "grant.released"


def test_a_slow_delivery_delays_itself_only(receivers: list[Receiver], monkeypatch: pytest.MonkeyPatch) -> None:
    receiver, _ = receivers
    monkeypatch.setattr(safe_http, "DEADLINE", 60.0)
    monkeypatch.setattr(safe_http, "CONNECT", 60.0)
    publish(offer("many"))
    there = endpoint(receiver, "granted")
    receiver.slow = "F000"
    happen(*(f"F{n:03}" for n in range(60)))
    assert Delivery.objects.count() == 60

    def let_go() -> None:
        wait_until(lambda: len(receiver.heard) == 59, "all but one")
        receiver.held.set()

    waiter = Thread(target=let_go)
    waiter.start()
    assert webhook_sender.deliver(there, clock=Clock()) == 60
    waiter.join()
    assert receiver.subjects[-1] == "F000"


def test_connections_are_kept_open_and_several_are_used(receivers: list[Receiver]) -> None:
    receiver, _ = receivers
    there = endpoint(receiver, "granted")
    publish(offer("many"))
    happen(*(f"F{n:03}" for n in range(100)))
    assert webhook_sender.deliver(there, clock=Clock()) >= 100
    assert 1 < len(receiver.connections) <= webhook_sender.CONNECTIONS


def test_a_long_answer_does_not_spoil_the_connection(receivers: list[Receiver]) -> None:
    receiver, _ = receivers
    with safe_http.Receiver(receiver.url) as connection:
        for status in (200, 404, 200):
            receiver.answers = [status]
            assert connection.post(b'{"data": {}}', {}).status == status
    assert len(receiver.connections) == 1


def test_410_disables_the_endpoint_and_tells_its_owner(receivers: list[Receiver], root: Client) -> None:
    receiver, _ = receivers
    User.objects.create_user("ana", email="ana@platform.example")
    owner = member("owner@example.com", of="M1")
    Member.objects.update(language="zh-hans")
    member("mate@example.com", of="M1", role="sub")
    there, clock = endpoint(receiver, "granted", of="M1"), Clock()
    happen("F1", "F2")
    receiver.answers = [410, 410]
    webhook_sender.deliver(there, clock=clock)
    there.refresh_from_db()
    assert (there.disabled_at, there.gone_at) == (clock.at, clock.at)
    pending = Delivery.objects.filter(endpoint=there, delivered_at=None, due_at__isnull=False)
    assert pending.count() == 2  # kept
    clock.pass_(timedelta(days=30))
    heard = len(receiver.heard)
    assert webhook_delivery.endpoints_due(at=clock.at) == []
    assert webhook_sender.deliver(there, clock=clock) == 0
    assert len(receiver.heard) == heard
    assert webhooks.tell_owners(at=clock.at) == 1
    assert webhooks.tell_owners(at=clock.at) == 0
    assert sorted(letter.to[0] for letter in mail.outbox) == ["ana@platform.example", owner.user.email]
    english, chinese = sorted(mail.outbox, key=lambda letter: letter.to)
    assert english.subject == "Webhook “r” was disabled"
    assert receiver.url in english.body
    assert "410" in english.body
    assert chinese.subject == "Webhook“r”已停用"
    root.post("/admin/campaigns/endpoint/", {"action": "enable", "_selected_action": [there.pk]})
    assert webhook_sender.deliver(there, clock=clock) == 2


RFC_DATE = "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("120", timedelta(seconds=120)),
        ("1", timedelta(seconds=1)),
        ("0", webhook_sender.GAPS[0]),
        ("", webhook_sender.GAPS[0]),
        ("soon", webhook_sender.GAPS[0]),
        ("-5", webhook_sender.GAPS[0]),
        ("999999999999", timedelta(days=1)),
        (RFC_DATE, timedelta(days=1)),
        ("Fri, 01 Jan 2010 00:00:00 GMT", webhook_sender.GAPS[0]),
    ],
)
def test_retry_after_is_honoured(receivers: list[Receiver], status: int, text: str, gap: timedelta) -> None:
    receiver, _ = receivers
    there, clock = endpoint(receiver, "granted"), Clock()
    happen("F1")
    receiver.retry_after, receiver.answers = text, [status]
    assert webhook_sender.deliver(there, clock=clock) == 0
    [row] = Delivery.objects.all()
    assert (row.due_at, row.status, row.tries) == (clock.at + gap, status, 1)
    clock.pass_(gap - timedelta(seconds=1))
    assert webhook_sender.deliver(there, clock=clock) == 0
    assert len(receiver.heard) == 1
    clock.pass_(timedelta(seconds=1))
    assert webhook_sender.deliver(there, clock=clock) == 1


def test_429_holds_the_whole_endpoint_and_503_its_delivery_only(receivers: list[Receiver]) -> None:
    busy, ill = receivers
    publish(offer("many"))
    first, second, clock = endpoint(busy, "granted"), endpoint(ill, "granted"), Clock()
    happen(*(f"F{n:03}" for n in range(40)))
    count = Delivery.objects.filter(endpoint=first).count()
    busy.retry_after = ill.retry_after = "120"
    busy.answers, ill.by_subject = [429] * webhook_sender.CONNECTIONS, {"F000": [503]}
    assert webhook_sender.deliver(first, clock=clock) < count
    assert len(busy.heard) <= 2 * webhook_sender.CONNECTIONS
    heard = len(busy.heard)
    assert webhook_delivery.endpoints_due(at=clock.at) == [second.pk]
    assert webhook_sender.deliver(first, clock=clock) == 0
    assert len(busy.heard) == heard
    assert webhook_sender.deliver(second, clock=clock) == count - 1
    clock.pass_(timedelta(seconds=120))
    webhook_sender.deliver(first, clock=clock)
    assert Delivery.objects.filter(endpoint=first, delivered_at=None).count() == 0
    unsent = Delivery.objects.filter(endpoint=first, tries__gt=2)
    assert not unsent.exists()  # a delivery that was held back is not counted as tried


def test_refused_claims_are_sent_only_to_endpoints_that_ask_for_them(receivers: list[Receiver]) -> None:
    usual, asking = receivers
    first, second = endpoint(usual), endpoint(asking, "refused")
    merchant("ABROAD", country="US")
    happen("F1", of="ABROAD")
    happen("F2")
    for there in (first, second):
        webhook_sender.deliver(there, clock=Clock())
    assert usual.kinds == ["grant.created"]
    assert asking.kinds == ["claim.refused"]


def validate_event(body: Any) -> None:
    schema = {**webhook_docs.EVENT, "required": ["type", "timestamp", "data"]}
    Draft202012Validator(schema, validate_formats=True).validate(body)


def test_the_schema_documents_every_event_with_an_example() -> None:
    documented = contract.schema()["webhooks"]
    assert set(documented) == {*webhook_events.NAMES.values(), webhook_events.TEST}
    for name, methods in documented.items():
        [content] = methods["post"]["requestBody"]["content"].values()
        assert content["example"]["type"] == name
        validate_event(content["example"])


def test_what_is_sent_is_as_the_schema_documents_it(receivers: list[Receiver]) -> None:
    receiver, _ = receivers
    there = endpoint(receiver, *OutboxEvent.Kind.values)
    publish(coupon_offer())
    merchant("ABROAD", country="US")
    freight("S", shipped_at="02")
    happen("F1", "F2", "F3", "F4")
    happen("F5", of="ABROAD")
    webhooks.test(there, at=timezone.now())
    webhook_sender.deliver(there, clock=Clock())
    assert {"grant.created", "claim.refused", "coupon.issued", "quota.reached", "endpoint.tested"} <= set(
        receiver.kinds
    )
    for _headers, body in receiver.heard:
        validate_event(json.loads(body))


def test_every_kind_of_event_has_a_name_of_object_and_verb() -> None:
    assert set(webhook_events.NAMES) == set(OutboxEvent.Kind)
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+", name) for name in (*webhook_events.NAMES.values(), webhook_events.TEST))


def test_a_delivery_is_given_up_after_the_last_try_until_replayed(receivers: list[Receiver]) -> None:
    receiver, _ = receivers
    there, clock = endpoint(receiver, "granted"), Clock()
    receiver.answers = [500] * (len(webhook_sender.GAPS) + 1)
    happen("F1")
    for gap in (*webhook_sender.GAPS, timedelta()):
        webhook_sender.deliver(there, clock=clock)
        clock.pass_(gap)
    row = Delivery.objects.get()
    assert (row.tries, row.due_at, row.delivered_at, row.error) == (11, None, None, "answered 500")
    assert webhook_delivery.endpoints_due(at=clock.at) == []
    webhooks.replay(row, at=clock.at)
    assert webhook_sender.deliver(there, clock=clock) == 1
    assert len({headers["webhook-id"] for headers, _body in receiver.heard}) == 1


def test_two_secrets_sign_during_a_rotation(receivers: list[Receiver]) -> None:
    receiver, _ = receivers
    there, clock = endpoint(receiver), Clock()
    old = there.secret
    webhooks.rotate(there, at=clock.at)
    assert there.secret != old
    for gap in (webhooks.OVERLAP - timedelta(seconds=1), timedelta(seconds=1)):
        clock.pass_(gap)
        webhooks.test(there, at=clock.at)
        webhook_sender.deliver(there, clock=clock)
    during, after = (headers["webhook-signature"].split() for headers, _body in receiver.heard)
    assert (len(during), len(after)) == (2, 1)
    assert receiver.kinds == ["endpoint.tested", "endpoint.tested"]


def test_deliveries_of_a_killed_worker_are_due_again_after_the_lease(receivers: list[Receiver]) -> None:
    receiver, _ = receivers
    there, clock = endpoint(receiver, "granted"), Clock()
    happen("F1")
    assert len(webhook_delivery.lease(there, clock.at)) == 1  # and then it is killed
    assert webhook_sender.deliver(there, clock=clock) == 0
    clock.pass_(webhook_delivery.LEASE)
    assert webhook_sender.deliver(there, clock=clock) == 1


def sent_by_two_workers(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> int:
    """Let two workers read what is due before either leases it, and lease it before either sends."""
    there, race = endpoint(receiver, "granted"), Race()
    happen("F1", "F2", "F3")
    monkeypatch.setattr(webhook_events, "bodies", race.stop_before(webhook_events.bodies))

    def work() -> None:
        with race.stop_before_statement('UPDATE "campaigns_delivery"'):
            webhook_sender.deliver(there, clock=timezone.now)

    race.run([work, work])
    return len(receiver.heard)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_workers_send_nothing_twice(receivers: list[Receiver], monkeypatch: pytest.MonkeyPatch) -> None:
    assert sent_by_two_workers(receivers[0], monkeypatch) == 3


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_two_workers_send_all_twice(
    receivers: list[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_row_locks(monkeypatch)
    assert sent_by_two_workers(receivers[0], monkeypatch) == 6


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "2130706433", "0x7f.1"])
def test_an_endpoint_at_a_private_address_cannot_be_registered(host: str, settings: Settings) -> None:
    with pytest.raises(AddressError):
        webhooks.register("x", f"https://{host}/", merchant=None, kinds=(), at=timezone.now(), by="ana")
    assert not Endpoint.objects.exists()


def test_addresses_are_checked_again_at_delivery(
    monkeypatch: pytest.MonkeyPatch, receivers: list[Receiver], settings: Settings
) -> None:
    """The name resolved to a public address at registration and to a private one at delivery."""
    settings.WEBHOOKS_PRIVATE = False
    resolve_names_to(monkeypatch, "8.8.8.8")
    there = webhooks.register("x", "https://rebound.example/", merchant=None, kinds=(), at=timezone.now(), by="ana")
    webhooks.test(there, at=timezone.now())
    resolve_names_to(monkeypatch, "127.0.0.1")
    assert webhook_sender.deliver(there, clock=Clock()) == 0
    row = Delivery.objects.get()
    assert (row.tries, row.status) == (1, None)
    assert "not public" in row.error


def test_redirects_are_not_followed(receivers: list[Receiver]) -> None:
    receiver, _ = receivers
    there = endpoint(receiver)
    receiver.answers = [302]
    webhooks.test(there, at=timezone.now())
    assert webhook_sender.deliver(there, clock=Clock()) == 0
    assert Delivery.objects.get().error == "answered 302"


@pytest.fixture
def root(settings: Settings) -> Client:
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(User.objects.create_superuser("root"))
    return browser


def form(receiver: Receiver, **more: Any) -> dict[str, Any]:
    return {"name": "checkout", "url": receiver.url, "merchant": "", "kinds": ["granted"], **more}


def test_operators_register_test_rotate_disable_and_enable_endpoints(root: Client, receivers: list[Receiver]) -> None:
    receiver, _ = receivers
    page = root.post("/admin/settings/webhooks/new/", form(receiver)).content.decode()
    there = Endpoint.objects.get()
    assert there.secret in page or there.secret.replace("+", "&#x2B;") in page
    assert (there.kinds, there.created_by) == (["granted"], "root")
    assert there.secret not in root.get(f"/admin/settings/webhooks/{there.pk}/").content.decode()
    chosen = {"_selected_action": [there.pk]}
    root.post("/admin/campaigns/endpoint/", {"action": "test", **chosen})
    webhook_sender.deliver(there, clock=timezone.now)
    assert receiver.kinds == ["endpoint.tested"]
    delivery = Delivery.objects.get()
    root.post("/admin/campaigns/delivery/", {"action": "replay", "_selected_action": [delivery.pk]})
    webhook_sender.deliver(there, clock=timezone.now)
    assert receiver.kinds == ["endpoint.tested", "endpoint.tested"]
    root.post("/admin/campaigns/endpoint/", {"action": "disable", **chosen})
    happen("F1")
    assert Delivery.objects.count() == 1
    root.post("/admin/campaigns/endpoint/", {"action": "enable", **chosen})
    root.post(f"/admin/settings/webhooks/{there.pk}/rotate/")
    assert Endpoint.objects.get().old_secret == there.secret


def test_the_form_refuses_private_addresses(root: Client, receivers: list[Receiver], settings: Settings) -> None:
    settings.WEBHOOKS_PRIVATE = False
    page = root.post("/admin/settings/webhooks/new/", form(receivers[0], url="https://169.254.169.254/latest/"))
    assert "not public" in page.content.decode()
    assert not Endpoint.objects.exists()


def test_deliveries_have_a_queue_of_their_own() -> None:
    """A worker that is held by receivers does not hold ticks: they are in another queue."""
    route = current_app.amqp.router.route
    assert set(current_app.amqp.queues) == {"celery", "webhooks"}
    assert route({}, "campaigns.tasks.deliver")["queue"].name == "webhooks"
    assert route({}, "campaigns.tasks.tick")["queue"].name == "celery"
