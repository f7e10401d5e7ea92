"""Webhooks: signatures, retries under one id, and refusal of private addresses."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from campaigns.models import Delivery, Endpoint, OutboxEvent
from campaigns.notifications import distribution, webhook_delivery, webhooks
from core.safe_http import AddressError
from merchants.models import Merchant
from tests.support.concurrency import Race
from tests.support.guards import without_row_locks
from tests.support.receivers import Receiver
from tests.support.servers import resolve_names_to
from tests.support.world import freight, merchant, offer, publish, tick


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
    assert webhook_delivery.deliver(there, clock=clock) == 1
    [(headers, body)] = receiver.heard
    assert Webhook(there.secret).verify(body, headers) == json.loads(body)
    event = json.loads(body)
    assert (event["type"], event["timestamp"]) == ("granted", "2022-09-02T00:00:00Z")
    assert event["data"] == {
        "offer": "ten",
        "coupon": None,
        "merchant": "M1",
        "subject": "F1",
        "order_no": None,
        "amount": "100.00",
        "currency": "CNY",
        "reason": event["data"]["reason"],
    }
    with pytest.raises(WebhookVerificationError):
        Webhook(there.secret).verify(body + b" ", headers)
    row = Delivery.objects.get()
    assert (row.tries, row.status, row.due_at, row.key) == (1, 200, None, headers["webhook-id"])
    assert webhook_delivery.deliver(there, clock=clock) == 0  # nothing is due any more


def test_endpoints_receive_the_merchants_and_kinds_they_subscribe_to(receivers: list[Receiver]) -> None:
    everything, one = receivers
    all_, theirs = endpoint(everything), endpoint(one, "granted", of="M2")
    happen("F1")
    happen("F2", of="M2")
    for there in (all_, theirs):
        webhook_delivery.deliver(there, clock=Clock())
    assert everything.kinds.count("granted") == 2
    assert one.kinds == ["granted"]
    assert json.loads(one.heard[0][1])["data"]["merchant"] == "M2"
    happen("F3")
    webhook_delivery.deliver(all_, clock=Clock())
    assert {"quota_80", "quota_95", "quota_100"} <= set(everything.kinds)


def test_no_event_is_written_without_an_endpoint() -> None:
    happen("F1")
    assert not OutboxEvent.objects.exists()


def test_a_failing_receiver_is_retried_with_growing_gaps_under_the_same_ids(receivers: list[Receiver]) -> None:
    ill, well = receivers
    first, second, clock = endpoint(ill, "granted"), endpoint(well, "granted"), Clock()
    ill.answers = [500, 503, 302, 429, 500, 500]
    happen("F1", "F2")
    gaps = []
    while ill.answers:
        webhook_delivery.deliver(first, clock=clock)
        row = Delivery.objects.filter(endpoint=first).order_by("pk")[0]
        assert row.due_at is not None
        gaps.append(row.due_at - clock.at)
        clock.pass_(gaps[-1])
        webhook_delivery.deliver(second, clock=clock)
    assert gaps == list(webhook_delivery.GAPS[:6])
    assert gaps == sorted(gaps)
    assert sum(gaps, timedelta()) > timedelta(hours=7)
    assert well.kinds == ["granted", "granted"]  # the other did not wait
    assert webhook_delivery.deliver(first, clock=clock) == 2
    ids = [headers["webhook-id"] for headers, _body in ill.heard]
    assert set(ids[:7]) == {ids[0]}  # one at a time, and the same id at each try
    assert len(set(ids)) == 2


def test_a_delivery_is_given_up_after_the_last_try_until_replayed(receivers: list[Receiver]) -> None:
    receiver, _ = receivers
    there, clock = endpoint(receiver, "granted"), Clock()
    receiver.answers = [500] * (len(webhook_delivery.GAPS) + 1)
    happen("F1")
    for gap in (*webhook_delivery.GAPS, timedelta()):
        webhook_delivery.deliver(there, clock=clock)
        clock.pass_(gap)
    row = Delivery.objects.get()
    assert (row.tries, row.due_at, row.delivered_at, row.error) == (11, None, None, "answered 500")
    assert webhook_delivery.endpoints_due(at=clock.at) == []
    webhooks.replay(row, at=clock.at)
    assert webhook_delivery.deliver(there, clock=clock) == 1
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
        webhook_delivery.deliver(there, clock=clock)
    during, after = (headers["webhook-signature"].split() for headers, _body in receiver.heard)
    assert (len(during), len(after)) == (2, 1)
    assert receiver.kinds == ["test", "test"]


def test_deliveries_of_a_killed_worker_are_due_again_after_the_lease(receivers: list[Receiver]) -> None:
    receiver, _ = receivers
    there, clock = endpoint(receiver, "granted"), Clock()
    happen("F1")
    assert len(webhook_delivery._lease(there, clock.at)) == 1  # and then it is killed
    assert webhook_delivery.deliver(there, clock=clock) == 0
    clock.pass_(webhook_delivery.LEASE)
    assert webhook_delivery.deliver(there, clock=clock) == 1


def sent_by_two_workers(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> int:
    """Let two workers read what is due before either leases it, and lease it before either sends."""
    there, race = endpoint(receiver, "granted"), Race()
    happen("F1", "F2", "F3")
    monkeypatch.setattr(webhook_delivery, "_try", race.stop_before(webhook_delivery._try))

    def work() -> None:
        with race.stop_before_statement('UPDATE "campaigns_delivery"'):
            webhook_delivery.deliver(there, clock=timezone.now)

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
    assert webhook_delivery.deliver(there, clock=Clock()) == 0
    row = Delivery.objects.get()
    assert (row.tries, row.status) == (1, None)
    assert "not public" in row.error


def test_redirects_are_not_followed(receivers: list[Receiver]) -> None:
    receiver, _ = receivers
    there = endpoint(receiver)
    receiver.answers = [302]
    webhooks.test(there, at=timezone.now())
    assert webhook_delivery.deliver(there, clock=Clock()) == 0
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
    page = root.post("/admin/campaigns/endpoint/add/", form(receiver), follow=True).content.decode()
    there = Endpoint.objects.get()
    assert there.secret in page or there.secret.replace("+", "&#x2B;") in page
    assert (there.kinds, there.created_by) == (["granted"], "root")
    assert there.secret not in root.get(f"/admin/campaigns/endpoint/{there.pk}/change/").content.decode()
    chosen = {"_selected_action": [there.pk]}
    root.post("/admin/campaigns/endpoint/", {"action": "test", **chosen})
    webhook_delivery.deliver(there, clock=timezone.now)
    assert receiver.kinds == ["test"]
    delivery = Delivery.objects.get()
    root.post("/admin/campaigns/delivery/", {"action": "replay", "_selected_action": [delivery.pk]})
    webhook_delivery.deliver(there, clock=timezone.now)
    assert receiver.kinds == ["test", "test"]
    root.post("/admin/campaigns/endpoint/", {"action": "disable", **chosen})
    happen("F1")
    assert Delivery.objects.count() == 1
    root.post("/admin/campaigns/endpoint/", {"action": "enable", **chosen})
    root.post("/admin/campaigns/endpoint/", {"action": "rotate", **chosen})
    assert Endpoint.objects.get().old_secret == there.secret


def test_the_form_refuses_private_addresses(root: Client, receivers: list[Receiver], settings: Settings) -> None:
    settings.WEBHOOKS_PRIVATE = False
    page = root.post("/admin/campaigns/endpoint/add/", form(receivers[0], url="https://169.254.169.254/latest/"))
    assert "not public" in page.content.decode()
    assert not Endpoint.objects.exists()


def test_deliveries_have_a_queue_of_their_own() -> None:
    """A worker that is held by receivers does not hold ticks: they are in another queue."""
    route = current_app.amqp.router.route
    assert set(current_app.amqp.queues) == {"celery", "webhooks"}
    assert route({}, "campaigns.tasks.deliver")["queue"].name == "webhooks"
    assert route({}, "campaigns.tasks.tick")["queue"].name == "celery"
