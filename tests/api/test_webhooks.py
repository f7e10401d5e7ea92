"""Webhooks: signatures, subscriptions, events as the schema documents them."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from jsonschema_rs import Draft202012Validator
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from api import webhook_docs
from campaigns.models import Delivery, OutboxEvent
from campaigns.notifications import webhook_events, webhook_sender, webhooks
from tests.support import contract
from tests.support.receivers import Receiver
from tests.support.scenarios import coupon_offer
from tests.support.webhooks import Clock, endpoint, happen, two_merchants
from tests.support.world import freight, merchant, publish

__all__ = ["two_merchants"]  # a fixture
pytestmark = pytest.mark.usefixtures("two_merchants")


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
        "subject_type": "freight_order",
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
