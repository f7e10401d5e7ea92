"""Claims decided at once, ahead of the tick: the same engine, for one subject."""

from itertools import pairwise

import pytest

from campaigns.coupons import issuing
from campaigns.eligibility import claims
from campaigns.engine import instant_claims
from campaigns.models import Decision, Offer
from campaigns.offers import pausing
from logistics.models import FreightOrder
from tests.support.scenarios import coupon_offer, small_world, threshold_offer, wipe
from tests.support.world import (
    correct,
    coupons,
    everything,
    freight,
    grants,
    journal,
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


def claim(subject: str, at: str, of: str = "freight_order") -> list[str]:
    """The outcomes of one subject's claims, by offer."""
    return [
        Decision.Outcome(decision.outcome).name.lower() for decision in instant_claims.claim(subject, of=of, at=t(at))
    ]


def test_it_is_decided_at_once_and_not_again() -> None:
    merchant()
    publish(offer("o", quota="{limit: 2}"))
    freight("A", paid_at="02 10:00")
    assert claim("A", "02 10:00") == ["granted"]
    once = everything()
    assert claim("A", "02 10:00") == ["granted"]
    assert everything() == once
    tick("03")
    assert grants() == {("o", "A"): "settled 100.00 CNY"}
    assert used("o") == 1


def test_before_its_claim_there_is_nothing_to_decide() -> None:
    merchant()
    publish(offer("o"))
    freight("A", paid_at="02 10:00")
    assert claim("A", "02 09:59:59.999999") == []
    assert claim("A", "02 10:00") == ["granted"]


def test_only_the_one_asked_about_is_decided() -> None:
    merchant()
    publish(offer("o"))
    for name in "AB":
        freight(name, paid_at="02")
    claim("B", "03")
    assert outcomes("o") == {"B": "granted"}


def test_the_last_place_goes_to_the_first_request() -> None:
    merchant()
    publish(offer("o", quota="{limit: 1}"))
    freight("EARLY", paid_at="02 10:00")
    freight("LATE", paid_at="02 11:00")
    assert claim("LATE", "02 11:00") == ["granted"]
    assert claim("EARLY", "02 11:00") == ["quota_exhausted"]
    tick("03")
    assert outcomes("o") == {"EARLY": "quota_exhausted", "LATE": "granted"}


def test_cap_and_conditions_are_the_engines() -> None:
    merchant()
    merchant("ABROAD", country="US")
    publish(offer("o", quota="{per_merchant: 1}"))
    for name, of in (("A", "M1"), ("B", "M1"), ("C", "ABROAD")):
        freight(name, of, paid_at="02")
    assert [claim(name, "03") for name in "ABC"] == [["granted"], ["merchant_cap"], ["refused"]]


def test_the_larger_discount_wins_at_once() -> None:
    merchant()
    publish(offer("o") + offer("p", benefit="{fee: freight, percent: 20}"))
    freight("A", paid_at="02")
    assert claim("A", "03") == ["superseded", "granted"]


def test_a_grant_follows_its_subject_at_once() -> None:
    merchant()
    publish(offer("o", quota="{limit: 1}"))
    freight("A", paid_at="02")
    claim("A", "02")
    correct(FreightOrder, "A", cancelled_at="02 12:00")
    claim("A", "02 12:00")
    assert states("o") == {"A": "released"}
    freight("B", paid_at="02 13:00")
    assert claim("B", "02 13:00") == ["granted"]


def test_an_order_takes_its_coupon_at_once() -> None:
    merchant()
    publish(coupon_offer() + offer("o"))
    freight("SHIPPED", shipped_at="02")
    tick("03")
    freight("A", placed_at="04", paid_at="05", use_coupon=True)
    assert claim("A", "04") == []
    assert coupons() == {"locked": 1}
    assert claim("A", "05") == ["superseded"]
    assert coupons() == {"redeemed": 1}


def test_after_a_threshold() -> None:
    merchant()
    publish(threshold_offer())
    trade("T1")
    receipt("R1", "T1", "02", amount=100)
    tick("02 12:00")
    trade("T2")
    receipt("R2", "T2", "03")
    assert claim("T2", "03", of="trade_order") == ["granted"]
    assert claim("T1", "03", of="trade_order") == []


def test_while_paused_it_waits() -> None:
    merchant()
    publish(offer("o"))
    freight("A", paid_at="02")
    pausing.pause(Offer.objects.get(), at=t("01"), by="ana", reason="")
    assert claim("A", "03") == []
    assert Decision.objects.count() == 0


def test_a_settling_delay_is_waited_for() -> None:
    merchant()
    publish(offer("o", settling_hours="2"))
    freight("A", paid_at="02 10:00")
    assert claim("A", "02 11:59:59") == []
    assert claim("A", "02 12:00") == ["granted"]


def test_a_host_whose_clock_is_behind_decides_as_of_the_last_tick() -> None:
    merchant()
    publish(offer("o"))
    freight("A", paid_at="02 10:00")
    tick("02 09:00")
    assert claim("A", "02 08:00") == []
    tick("03")
    freight("B", paid_at="02 23:00")
    assert claim("B", "02 22:00") == ["granted"]


def test_nobody_of_that_key() -> None:
    publish(offer("o"))
    with pytest.raises(claims.UnknownSubjectError, match="X"):
        claim("X", "02")


def test_claims_one_by_one_in_order_equal_a_tick() -> None:
    """Each order claimed at its own instants, between hourly ticks: the same grants, coupons and journal."""
    small_world()
    tick("09")
    alone = everything()
    wipe()
    for day in range(1, 9):
        for hour in (10, 11, 12):
            at = f"0{day} {hour}:00"
            for n in range(1, 9):
                claim(f"F{n}", at)
            tick(at)
        for n in range(1, 9):
            claim(f"T{n}", f"0{day} 12:00", of="trade_order")
    tick("09")
    assert everything() == alone
    assert journal()


def test_coupon_codes_cannot_be_guessed() -> None:
    """Sixteen letters of thirty-two: 80 random bits, no two alike, none like the one before."""
    codes = list(issuing._codes(2_000))
    assert len(set(codes)) == 2_000
    assert {len(code) for code in codes} == {16}
    assert {letter for code in codes for letter in code} == set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    alike = max(sum(a == b for a, b in zip(code, other, strict=True)) for code, other in pairwise(codes))
    assert alike < 8


@pytest.mark.parametrize("limit", [1, 2])
@pytest.mark.parametrize(
    ("quota", "full"), [("{limit: %d}", "quota_exhausted"), ("{per_merchant: %d}", "merchant_cap")]
)
def test_a_place_that_came_back_and_was_given_since_the_last_tick_is_taken(limit: int, quota: str, full: str) -> None:
    """Its release is still to come for the tick, but the claim that got it already has it."""
    merchant()
    publish(offer("o", quota=quota % limit))
    tick("01")
    freight("A", paid_at="02")
    assert claim("A", "02") == ["granted"]
    correct(FreightOrder, "A", cancelled_at="03")
    freight("B", paid_at="04")
    claim("A", "04")
    assert claim("B", "04") == ["granted"]
    freight("C", paid_at="05")
    assert claim("C", "05") == ["granted" if limit == 2 else full]
    decided = everything()
    tick("06")
    assert everything() == decided
    assert used("o") == limit


def test_places_that_came_back_are_given_again() -> None:
    """Five of eight come back, some before the last tick and some since; exactly five more are granted."""
    merchant()
    publish(offer("o", quota="{limit: 8}"))
    for n in range(8):
        freight(f"A{n}", paid_at="02")
    tick("03")
    for n in (1, 2, 5):
        correct(FreightOrder, f"A{n}", cancelled_at="03 10:00")
    tick("04")
    for n in (0, 7):
        correct(FreightOrder, f"A{n}", cancelled_at="04 10:00")
        claim(f"A{n}", "04 10:00")
    for n in range(7):
        freight(f"B{n}", paid_at="04 11:00")
    results = [claim(f"B{n}", "04 11:00") for n in range(7)]
    assert results == [["granted"]] * 5 + [["quota_exhausted"]] * 2
    assert used("o") == 8
    decided = everything()
    tick("05")
    assert everything() == decided


def test_as_many_at_once_as_there_are() -> None:
    merchant()
    publish(offer("o", quota="{limit: 205}"))
    keys = [f"F{n:03}" for n in range(210)]
    for n, key in enumerate(keys):
        freight(key, paid_at=f"02 10:{n // 60:02}:{n % 60:02}", cancelled_at="02 20" if n < 3 else None)
    decisions = instant_claims.claim_all(keys, of="freight_order", at=t("03"))
    given = [Decision.Outcome.GRANTED] * 205 + [Decision.Outcome.QUOTA_EXHAUSTED] * 5
    assert [decision.outcome for decision in decisions] == given
    once = everything()
    assert (used("o"), len(grants()), len(journal())) == (202, 205, 208)
    wipe()
    tick("03")
    assert everything() == once
