"""Webhooks: order, repetitions and waits of deliveries, connections, several workers."""

from datetime import timedelta
from threading import Thread

import pytest
from celery import current_app
from django.utils import timezone

from campaigns.models import Delivery, OutboxEvent
from campaigns.notifications import distribution, webhook_delivery, webhook_events, webhook_sender, webhooks
from core import safe_http
from logistics.models import FreightOrder
from tests.support.concurrency import Race
from tests.support.guards import without_row_locks
from tests.support.receivers import Receiver
from tests.support.servers import wait_until
from tests.support.webhooks import Clock, endpoint, happen, two_merchants
from tests.support.world import correct, freight, offer, publish, tick

__all__ = ["two_merchants"]  # a fixture
pytestmark = pytest.mark.usefixtures("two_merchants")
RFC_DATE = "Fri, 01 Jan 2100 00:00:00 GMT"


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


def test_deliveries_have_a_queue_of_their_own() -> None:
    """A worker that is held by receivers does not hold ticks: they are in another queue."""
    route = current_app.amqp.router.route
    assert set(current_app.amqp.queues) == {"celery", "webhooks"}
    assert route({}, "campaigns.tasks.deliver")["queue"].name == "webhooks"
    assert route({}, "campaigns.tasks.tick")["queue"].name == "celery"
