"""Pause, resume, stop: what was promised is kept, claims wait or are refused, to the instant."""

import pytest

from campaigns.eligibility import explanations
from campaigns.engine import instant_claims
from campaigns.models import AuditEvent, Decision, Offer
from campaigns.offers import pausing, published_offers
from logistics.models import FreightOrder
from tests.support.guards import unguarded
from tests.support.scenarios import coupon_offer, threshold_offer, wipe
from tests.support.world import (
    correct,
    everything,
    freight,
    grants,
    merchant,
    offer,
    outcomes,
    publish,
    receipt,
    states,
    t,
    tick,
    trade,
    used,
)

pytestmark = pytest.mark.django_db

OURS = {"by": "ana", "reason": "a wrong price list"}


def row(code: str = "o") -> Offer:
    return Offer.objects.get(code=code)


def world() -> None:
    """Three places; paid on the 1st, 2nd and 3rd, and once more on the 4th."""
    merchant()
    publish(offer("o", quota="{limit: 3}"))
    for day in "1234":
        freight(f"F{day}", paid_at=f"0{day} 10:00")


def test_claims_wait_while_paused_and_are_decided_in_order_when_resumed() -> None:
    world()
    tick("01 12:00")
    pausing.pause(row(), at=t("01 13:00"), **OURS)
    tick("05")
    assert outcomes("o") == {"F1": "granted"}
    pausing.resume(row(), at=t("06"), **OURS)
    tick("07")
    assert outcomes("o") == {"F1": "granted", "F2": "granted", "F3": "granted", "F4": "quota_exhausted"}


def test_a_pause_does_not_change_decisions() -> None:
    world()
    tick("07")
    alone = everything()
    with unguarded():
        AuditEvent.objects.all().delete()
    wipe()
    tick("01 12:00")
    pausing.pause(row(), at=t("01 13:00"), **OURS)
    tick("05")
    pausing.resume(row(), at=t("06"), **OURS)
    tick("07")
    assert everything() == alone


def test_grants_are_followed_during_a_pause() -> None:
    world()
    tick("01 12:00")
    pausing.pause(row(), at=t("01 13:00"), **OURS)
    correct(FreightOrder, "F1", cancelled_at="02")
    tick("03")
    assert grants() == {("o", "F1"): "released 100.00 CNY"}
    assert used("o") == 0


def test_others_on_the_same_fee_go_on() -> None:
    merchant()
    publish(offer("o", benefit="{fee: freight, percent: 20}") + offer("p"))
    freight("F1", paid_at="02")
    pausing.pause(row("o"), at=t("01"), **OURS)
    tick("03")
    assert (outcomes("o"), outcomes("p")) == ({}, {"F1": "granted"})
    pausing.resume(row("o"), at=t("04"), **OURS)
    tick("05")
    assert outcomes("o") == {"F1": "superseded"}, "the fee has its benefit"


def test_the_grant_of_a_paused_offer_keeps_the_fee() -> None:
    merchant()
    publish(offer("o", claim="{at: placed_at}") + offer("p"))
    freight("F1", placed_at="01 10:00", paid_at="02")
    freight("F2", placed_at="01 10:00", paid_at="04")
    tick("01 12:00")
    pausing.pause(row("o"), at=t("01 13:00"), **OURS)
    tick("03")
    instant_claims.claim("F2", of="freight_order", at=t("04"))
    assert (states("o"), outcomes("p")) == (
        {"F1": "settled", "F2": "settled"},
        {"F1": "superseded", "F2": "superseded"},
    )


def test_a_stop_includes_its_instant() -> None:
    merchant()
    publish(offer("o"))
    freight("AT", paid_at="02 10:00")
    freight("AFTER", paid_at="02 10:00:00.000001")
    pausing.stop(row(), at=t("02 10:00"), **OURS)
    tick("05")
    assert outcomes("o") == {"AT": "granted", "AFTER": "stopped"}
    explanation = explanations.explain(published_offers.find("o"), "AFTER", at=t("05"))
    assert (explanation.outcome, [reason.passed for reason in explanation.conditions]) == ("stopped", [True])


def test_a_stop_of_a_paused_offer_counts_from_the_pause() -> None:
    world()
    tick("01 12:00")
    pausing.pause(row(), at=t("02 10:00"), **OURS)
    tick("03 12:00")
    pausing.stop(row(), at=t("05"), **OURS)
    tick("06")
    assert outcomes("o") == {"F1": "granted", "F2": "granted", "F3": "stopped", "F4": "stopped"}
    assert row().paused_at is None


def test_a_refusal_by_condition_comes_before_a_stop() -> None:
    merchant("ABROAD", country="US")
    publish(offer("o"))
    freight("F1", of="ABROAD", paid_at="02")
    pausing.stop(row(), at=t("01"), **OURS)
    tick("05")
    assert outcomes("o") == {"F1": "refused"}


def test_claims_that_wait_for_a_decision_day_are_refused_after_a_stop() -> None:
    merchant()
    publish(coupon_offer(decided_at="2022-09-10 00:00:00"))
    freight("F1", shipped_at="01")
    pausing.stop(row("c"), at=t("05"), **OURS)
    tick("11")
    assert outcomes("c") == {"M1": "stopped"}


@pytest.mark.parametrize(
    ("first", "then"),
    [("pause", "pause"), ("stop", "pause"), ("stop", "stop"), ("", "resume"), ("stop", "resume")],
)
def test_an_action_that_is_not_possible_changes_nothing(first: str, then: str) -> None:
    world()
    if first:
        getattr(pausing, first)(row(), at=t("01"), **OURS)
    before, acts = Offer.objects.values().get(code="o"), AuditEvent.objects.count()
    with pytest.raises(pausing.NotNowError):
        getattr(pausing, then)(row(), at=t("02"), **OURS)
    assert Offer.objects.values().get(code="o") == before
    assert AuditEvent.objects.count() == acts


def test_every_action_is_recorded_with_actor_and_reason() -> None:
    world()
    pausing.pause(row(), at=t("01"), **OURS)
    pausing.resume(row(), at=t("02"), by="ben", reason="it was right")
    pausing.stop(row(), at=t("03"), **OURS)
    recorded = [(act.verb, act.at, act.by, act.reason) for act in AuditEvent.objects.order_by("pk")]
    assert recorded[1:] == [
        ("paused", t("01"), "ana", "a wrong price list"),
        ("resumed", t("02"), "ben", "it was right"),
        ("stopped", t("03"), "ana", "a wrong price list"),
    ]
    assert AuditEvent.objects.latest("pk").after == {"stopped_at": "2022-09-03T00:00:00+00:00", "paused_at": None}


def test_a_paused_threshold_goes_on_tagging() -> None:
    """Which orders are candidates is decided by their bookings, not by when an operator looked."""
    merchant()
    publish(threshold_offer())
    pausing.pause(row("half"), at=t("01"), **OURS)
    trade("T1")
    receipt("R1", "T1", "02", amount=40_000)
    tick("03")
    trade("T2")
    receipt("R2", "T2", "04")
    tick("05")
    assert Decision.objects.count() == 0
    pausing.resume(row("half"), at=t("06"), **OURS)
    tick("07")
    assert outcomes("half") == {"T2": "granted"}
