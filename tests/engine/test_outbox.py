"""Outbox: each change is published once, in its own transaction, if somebody subscribes to it."""

import pytest
from django.db import transaction

from campaigns.engine import instant_claims
from campaigns.grants import transitions
from campaigns.models import Endpoint, Grant, OutboxEvent
from logistics.models import FreightOrder
from tests.support.scenarios import coupon_offer
from tests.support.world import correct, freight, merchant, offer, publish, t, tick

pytestmark = pytest.mark.django_db


@pytest.fixture
def subscriber() -> Endpoint:
    """An endpoint that subscribes to everything."""
    return Endpoint.objects.create(name="w", url="https://w.example", secret="s", created_by="t", created_at=t("01"))


def published(**of: object) -> list[tuple[str, str, str]]:
    return list(OutboxEvent.objects.filter(**of).order_by("pk").values_list("kind", "subject", "reason"))


def test_nothing_is_written_without_a_subscriber() -> None:
    merchant()
    publish(offer("o"))
    freight("A", paid_at="02")
    tick("03")
    assert not OutboxEvent.objects.exists()


def test_grants_refusals_and_quota_marks_are_published(subscriber: Endpoint) -> None:
    merchant()
    merchant("ABROAD", country="US")
    publish(offer("o", quota="{limit: 1}"))
    freight("A", paid_at="02 10:00")
    freight("B", paid_at="02 11:00")
    freight("C", of="ABROAD", paid_at="02 12:00")
    tick("03")
    assert published() == [
        ("refused", "C", "refused"),
        ("granted", "A", "settled at the claim"),
        ("refused", "B", "quota_exhausted"),
        ("quota_80", "", "1 / 1"),
        ("quota_95", "", "1 / 1"),
        ("quota_100", "", "1 / 1"),
    ]
    event = OutboxEvent.objects.get(kind="granted")
    assert (event.merchant_id, event.at, str(event.amount), event.currency) == ("M1", t("02 10:00"), "100.00", "CNY")
    assert event.grant_id == Grant.objects.get().pk
    tick("04")
    assert OutboxEvent.objects.count() == 6


@pytest.mark.parametrize(("used", "marks"), [(7, 0), (8, 1), (9, 1), (10, 3)])
def test_quota_marks_are_published_once_when_reached(used: int, marks: int, subscriber: Endpoint) -> None:
    merchant()
    publish(offer("o", quota="{limit: 10}"))
    for n in range(used):
        freight(f"F{n}", paid_at=f"02 1{n}:00" if n < 10 else "03")
    tick("04")
    assert OutboxEvent.objects.filter(kind__startswith="quota").count() == marks
    tick("05")
    assert OutboxEvent.objects.filter(kind__startswith="quota").count() == marks


def test_only_merchants_with_a_subscriber_are_published(subscriber: Endpoint) -> None:
    for code in ("M1", "M2"):
        merchant(code)
        freight(f"F-{code}", code, paid_at="02")
    Endpoint.objects.filter(pk=subscriber.pk).update(merchant="M2")
    publish(offer("o", quota="{limit: 2}"))
    tick("03")
    assert published(merchant__isnull=False) == [("granted", "F-M2", "settled at the claim")]


def test_quota_marks_are_published_without_a_subscriber() -> None:
    merchant()
    publish(offer("o", quota="{limit: 1}"))
    freight("A", paid_at="02")
    tick("03")
    assert published() == [("quota_80", "", "1 / 1"), ("quota_95", "", "1 / 1"), ("quota_100", "", "1 / 1")]


def test_releases_and_revocations_are_published_with_their_reason(subscriber: Endpoint) -> None:
    merchant()
    publish(offer("o"))
    freight("A", paid_at="02")
    freight("B", paid_at="02")
    tick("03")
    correct(FreightOrder, "A", cancelled_at="04")
    transitions.revoke(Grant.objects.get(subject="B"), at=t("04"), by="ana", reason="embargoed goods")
    tick("05")
    assert published(pk__gt=OutboxEvent.objects.filter(kind="granted").latest("pk").pk) == [
        ("revoked", "B", "embargoed goods"),
        ("released", "A", "cancelled"),
    ]


def test_each_step_of_a_coupon_is_published(subscriber: Endpoint) -> None:
    merchant()
    publish(coupon_offer())
    freight("S", shipped_at="02")
    tick("03")
    freight("A", placed_at="04", use_coupon=True, cancelled_at="05")
    freight("B", placed_at="06", paid_at="07", use_coupon=True)
    tick("08")
    assert [(kind, order) for kind, order in OutboxEvent.objects.order_by("pk").values_list("kind", "order_no")] == [
        ("granted", ""),
        ("coupon_issued", ""),
        ("coupon_locked", "A"),
        ("coupon_returned", "A"),
        ("coupon_locked", "B"),
        ("coupon_redeemed", "B"),
    ]


def test_a_rollback_publishes_nothing(subscriber: Endpoint) -> None:
    merchant()
    publish(offer("o"))
    freight("A", paid_at="02")
    with pytest.raises(RuntimeError), transaction.atomic():
        instant_claims.claim("A", of="freight_order", at=t("03"))
        assert OutboxEvent.objects.count() == 1
        raise RuntimeError
    assert not OutboxEvent.objects.exists()
    instant_claims.claim("A", of="freight_order", at=t("03"))
    assert OutboxEvent.objects.count() == 1


def test_the_start_of_a_review_is_published_once(subscriber: Endpoint) -> None:
    merchant()
    publish(offer("o"))
    freight("A", paid_at="02")
    tick("03")
    OutboxEvent.objects.all().delete()
    correct(FreightOrder, "A", base_freight=700)
    tick("04")
    assert published() == [("review_started", "A", "the amount changed")]
    event = OutboxEvent.objects.get()
    assert (event.merchant_id, event.at, event.grant_id) == ("M1", t("04"), Grant.objects.get().pk)
    correct(FreightOrder, "A", base_freight=600)
    tick("05")
    assert OutboxEvent.objects.count() == 1  # the same review goes on
