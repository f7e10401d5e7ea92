"""Concurrent programs: one effect for an Idempotency-Key, and never more grants than places."""

from collections import Counter
from functools import partial

import pytest
from django.db import IntegrityError

from api import idempotency
from api.models import IdempotencyRecord
from campaigns.engine import claim_decisions, instant_claims
from campaigns.models import Grant, Offer
from campaigns.offers import published_offers
from tests.support.concurrency import Race, at_once
from tests.support.programs import Program, claim_with_fact, program
from tests.support.world import freight, merchant, offer, publish, t

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def claim_twenty_times(platform: Program, monkeypatch: pytest.MonkeyPatch) -> "Counter[int]":
    """Send twenty requests with one key: all have looked for a stored response before one stores its own."""
    publish(offer("o", quota="{limit: 5}"))
    race = Race()
    monkeypatch.setattr(idempotency, "store", race.stop_before(idempotency.store))
    answers = race.run([partial(platform.post, "claims/", claim_with_fact(), once="k")] * 20)
    assert all(answer.headers["Retry-After"] == "1" for answer in answers if answer.status == 409)
    assert {answer.body["code"] for answer in answers if answer.status == 409} <= {"in_progress"}
    assert Grant.objects.count() == IdempotencyRecord.objects.count() == 1
    return Counter(answer.status for answer in answers)


def test_twenty_concurrent_requests_with_one_key_have_one_effect(
    platform: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert claim_twenty_times(platform, monkeypatch) == {201: 1, 409: 19}


def test_control_without_the_lock_the_constraint_fails(platform: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one effect all the same, but the other requests fail."""
    monkeypatch.setattr(idempotency, "LOCK", "SELECT true FROM unnest(%s::bigint[])")
    assert claim_twenty_times(platform, monkeypatch) == {201: 1, 500: 19}


def test_concurrent_clients_get_exactly_the_limit(platform: Program) -> None:
    publish(offer("o", quota="{limit: 10}"))
    answers = at_once([partial(platform.post, "claims/", claim_with_fact(order_no=f"F{n:02}")) for n in range(40)])
    assert Counter(answer.status for answer in answers) == {201: 10, 409: 30}
    assert {answer.body["code"] for answer in answers if answer.status == 409} == {"quota_exhausted"}
    assert Offer.objects.get().places_taken == Grant.objects.count() == 10


TWO_QUOTAS = offer("five", benefit="{fee: freight, percent: 5}", quota="{limit: 9, per_merchant: 1}") + offer(
    "ten", quota="{limit: 9, per_merchant: 1}"
)


def test_concurrent_claims_on_two_quotas_get_one_benefit(platform: Program) -> None:
    publish(TWO_QUOTAS)
    freight("A", paid_at="02")
    answers = at_once([partial(platform.post, "claims/", {"subject": "freight_order", "key": "A"})] * 20)
    assert {(answer.status, answer.body["outcome"]) for answer in answers} == {(201, "granted")}
    assert [grant.offer.code for grant in Grant.objects.all()] == ["ten"]
    assert list(Offer.objects.order_by("code").values_list("code", "places_taken")) == [("five", 0), ("ten", 1)]


def test_control_without_the_lock_the_database_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    publish(TWO_QUOTAS)
    merchant()
    freight("A", paid_at="02")
    send_about, race = published_offers.send_about, Race()
    monkeypatch.setattr(
        published_offers, "send_about", lambda subject, *, held, only: send_about(subject, held=False, only=only)
    )
    monkeypatch.setattr(claim_decisions, "_write", race.stop_before(claim_decisions._write))

    def claim() -> str:
        try:
            return f"{len(instant_claims.claim_all(['A'], of='freight_order', at=t('03')))} decisions"
        except IntegrityError:
            return "refused"

    assert Counter(race.run([claim] * 20)) == {"2 decisions": 1, "refused": 19}
    assert [grant.offer.code for grant in Grant.objects.all()] == ["ten"]


def test_two_programs_of_a_merchant_race_for_its_last_place(platform: Program) -> None:
    publish(offer("o", quota="{limit: 100, per_merchant: 1}"))
    freight("A", paid_at="02")
    freight("B", paid_at="02")
    own = [program("claim", "read", of="M1") for _ in range(2)]
    answers = at_once([partial(own[n].post, "claims/", {"subject": "freight_order", "key": "AB"[n]}) for n in range(2)])
    assert sorted((answer.status, answer.body["outcome"]) for answer in answers) == [
        (201, "granted"),
        (409, "merchant_cap"),
    ]
    assert Grant.objects.count() == 1
