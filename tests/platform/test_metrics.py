"""Prometheus metrics: they agree with the rows, and are served only to requests with the token."""

import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from pytest_django import Settings

from campaigns.models import Delivery, Endpoint, Offer
from campaigns.monitoring import prometheus
from tests.support.programs import Program, claim_with_fact, platform  # noqa: F401  # a fixture
from tests.support.world import freight, offer, publish, tick

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="the text of a page")]
T0 = datetime(2022, 9, 1, tzinfo=UTC)
TOKEN = "for-the-test-alone"


@pytest.fixture
def read(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(prometheus, "_refusals_cache", {})
    return {}


def numbers() -> dict[str, float]:
    answer = Client().get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    lines = re.findall(r"^(\w+(?:{[^}]*})?) ([-+.e\d]+)$", answer.content.decode(), re.MULTILINE)
    return {name: float(value) for name, value in lines}


@pytest.mark.parametrize(("token", "sent"), [("", ""), ("", "Bearer "), (TOKEN, ""), (TOKEN, "Bearer other")])
def test_without_the_token_there_is_no_page(settings: Settings, token: str, sent: str) -> None:
    settings.METRICS_TOKEN = token
    assert Client().get("/metrics", headers={"authorization": sent}).status_code == 404


def test_quota_claims_and_refusals(read: dict[str, float], platform: Program) -> None:  # noqa: F811  # the fixture
    publish(offer("o", quota="{limit: 1}", conditions="[{fact: base_freight, at_least: 500.00}]"))
    for n in range(3):
        freight(f"F{n}", paid_at="02")
    freight("small", paid_at="02", base_freight=100)
    tick("03")
    before = numbers()
    assert {
        name: before[f'fairground_{name}{{offer="o"}}']
        for name in ("quota_limit", "quota_left", "quota_used", "claims")
    } == {"quota_limit": 1, "quota_left": 0, "quota_used": 1, "claims": 3}
    assert before['fairground_refusals{offer="o",reason="quota_exhausted"}'] == 2
    assert before['fairground_refusals{offer="o",reason="refused"}'] == 1
    assert (before["fairground_ticks"], before["fairground_ticks_decided"]) == (1, 4)
    assert platform.post("claims/", claim_with_fact()).status == 409
    name = 'fairground_claim_seconds_count{outcome="quota_exhausted"}'
    assert numbers()[name] == before.get(name, 0) + 1


def test_waiting_and_failed_deliveries(read: dict[str, float]) -> None:
    assert numbers()['fairground_waiting{what="facts"}'] == 0
    hook = Endpoint.objects.create(name="w", url="https://w.example", secret="s", created_by="t", created_at=T0)
    Delivery.objects.create(endpoint=hook, key="a", tries=2, due_at=T0, created_at=T0)
    Delivery.objects.create(endpoint=hook, key="b", tries=11, created_at=T0)
    Delivery.objects.create(endpoint=hook, key="c", tries=1, delivered_at=T0, created_at=T0)
    metrics = numbers()
    assert (metrics['fairground_waiting{what="webhooks"}'], metrics["fairground_webhook_failures"]) == (1, 1)
    assert metrics["fairground_webhooks_given_up"] == 1
    assert metrics['fairground_waiting_age_seconds{what="webhooks"}'] > 0
    assert metrics['fairground_healthy{check="webhooks"}'] == 0


def test_an_offer_without_a_limit_has_no_places_left(read: dict[str, float]) -> None:
    publish(offer("o"))
    assert Offer.objects.get().limit is None
    metrics = numbers()
    assert 'fairground_quota_left{offer="o"}' not in metrics
    assert metrics['fairground_quota_used{offer="o"}'] == 0
