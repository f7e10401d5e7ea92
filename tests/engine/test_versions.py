"""Refusals that stay, both sides of cap and limit, and new versions in the middle of a season."""

from decimal import Decimal

import pytest

from campaigns.eligibility import explanations
from campaigns.models import Coupon, Decision, Grant, Offer, Version
from campaigns.offers import published_offers
from logistics.models import FreightOrder
from tests.support.world import (
    correct,
    everything,
    freight,
    grants,
    merchant,
    offer,
    outcomes,
    publish,
    states,
    t,
    tick,
    used,
)

pytestmark = pytest.mark.django_db

FOLLOWED = "{{at: departed_at, deadline: {{at: 2022-09-{day} 23:59:59}}, released_by: cancelled_at}}"


def test_refused_for_good_when_a_place_comes_back() -> None:
    merchant()
    publish(offer("o", quota="{limit: 1}"))
    freight("A", paid_at="01", cancelled_at="03")
    freight("B", paid_at="02")
    for at in ("02 12:00", "03", "04"):
        tick(at)
    assert outcomes("o") == {"A": "granted", "B": "quota_exhausted"}
    assert states("o") == {"A": "released"}
    freight("C", paid_at="05")
    tick("06")
    assert outcomes("o")["C"] == "granted"


def test_a_release_comes_before_a_claim_of_the_same_instant() -> None:
    merchant()
    publish(offer("o", quota="{limit: 1}"))
    freight("A", paid_at="01", cancelled_at="03")
    freight("B", paid_at="03")
    tick("04")
    assert outcomes("o") == {"A": "granted", "B": "granted"}


def test_both_sides_of_cap_and_limit() -> None:
    for code in ("M1", "M2", "M3"):
        merchant(code)
    publish(offer("o", quota="{limit: 5, per_merchant: 2}"))
    for n, code in enumerate(["M1", "M1", "M1", "M2", "M2", "M3", "M3", "M2"]):
        freight(f"F{n}", code, paid_at=f"01 1{n}:00")
    tick("02")
    assert list(outcomes("o").values()) == [
        "granted", "granted", "merchant_cap", "granted", "granted", "granted", "quota_exhausted", "merchant_cap",
    ]  # fmt: skip
    assert used("o") == 5


def test_nothing_moves_on_a_refusal() -> None:
    merchant()
    publish(offer("o", quota="{limit: 1}"))
    freight("A", paid_at="01")
    tick("02")
    before = everything()
    freight("B", paid_at="03")
    freight("C", paid_at="03", currency="CNY", base_freight=Decimal(1))
    tick("04")
    after = everything()
    same = {"grants", "moves", "coupons", "ended"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert used("o") == 1


def test_the_same_text_again_creates_nothing() -> None:
    text = offer("o", quota="{limit: 1}")
    assert [version.number for version in publish(text)] == [1]
    assert publish(text) == []
    assert Version.objects.count() == 1


def test_only_changed_offers_get_a_version() -> None:
    publish(offer("o") + offer("p"))
    new = publish(offer("o") + offer("p", quota="{limit: 7}"))
    assert [(version.offer.code, version.number) for version in new] == [("p", 2)]


def test_a_new_version_decides_new_claims_and_old_grants_keep_theirs() -> None:
    merchant()
    publish(offer("o", claim="{at: placed_at}", settlement=FOLLOWED.format(day=10)))
    freight("A", placed_at="01")
    freight("X", placed_at="01")
    tick("02")
    publish(
        offer("o", claim="{at: placed_at}", benefit="{fee: freight, percent: 20}", settlement=FOLLOWED.format(day=20))
    )
    freight("B", placed_at="03")
    freight("Y", placed_at="03")
    tick("04")
    correct(FreightOrder, "A", departed_at="12")  # after the old deadline, before the new one
    correct(FreightOrder, "B", departed_at="12")
    tick("21")
    assert grants() == {
        ("o", "A"): "forfeited 100.00 CNY",
        ("o", "X"): "forfeited 100.00 CNY",
        ("o", "B"): "settled 200.00 CNY",
        ("o", "Y"): "forfeited 200.00 CNY",
    }
    ended = {subject: at.day for subject, at in Grant.objects.values_list("subject", "ended_at") if at}
    assert ended == {"A": 11, "X": 11, "Y": 21}
    numbers = dict(Grant.objects.values_list("subject", "version__number"))
    assert numbers == {"A": 1, "X": 1, "B": 2, "Y": 2}


def test_a_refusal_of_the_old_version_stays() -> None:
    merchant()
    publish(offer("o", conditions="[{fact: base_freight, at_least: 2000}]"))
    freight("A", paid_at="01")
    tick("02")
    publish(offer("o", conditions="[{fact: base_freight, at_least: 500}]"))
    freight("B", paid_at="03")
    tick("04")
    assert outcomes("o") == {"A": "refused", "B": "granted"}
    assert dict(Decision.objects.values_list("subject", "version__number")) == {"A": 1, "B": 2}


LINE, FREIGHT = "{fact: line, is: us-charter-select}", "{fact: base_freight, at_least: %d}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"[{LINE}, {FREIGHT % 2000}]", f"[{FREIGHT % 500}]"),
        (f"[{FREIGHT % 2000}]", f"[{LINE}, {FREIGHT % 500}]"),
        (f"[{FREIGHT % 2000}]", f"[{FREIGHT % 500}]"),
    ],
)
def test_each_decision_is_explained_by_the_version_that_decided(old: str, new: str) -> None:
    merchant()
    publish(offer("o", conditions=old))
    freight("A", paid_at="02")
    tick("03")
    publish(offer("o", conditions=new), at="03")
    freight("B", paid_at="04")
    tick("05")
    answers = {one.subject: one for one in explanations.explain_all(published_offers.find("o"), ["A", "B"], at=t("05"))}
    assert [(answers[key].outcome, answers[key].version) for key in "AB"] == [("refused", 1), ("granted", 2)]
    first, second = answers["A"].conditions[-1], answers["B"].conditions[-1]
    assert (first.required, first.passed, first.holds_now) == ("base freight is at least 2,000.00", False, None)
    assert (second.required, second.passed, second.holds_now) == ("base freight is at least 500.00", True, None)
    assert [len(answers[key].conditions) for key in "AB"] == [old.count("fact"), new.count("fact")]


def test_a_wider_scope_lets_those_claim_that_had_none() -> None:
    merchant()
    publish(offer("o", where="[{fact: service, is: sea_fcl}]"))
    freight("A", paid_at="01")
    tick("02")
    assert outcomes("o") == {}
    publish(offer("o", where="[{fact: service, is: express}]"))
    tick("03")
    assert outcomes("o") == {"A": "granted"}


def test_lowering_below_used_is_refused_and_nothing_moved() -> None:
    merchant()
    publish(offer("o", quota="{limit: 3}"))
    for order_no in "AB":
        freight(order_no, paid_at="01")
    tick("02")
    before = (everything(), Version.objects.count(), Offer.objects.get().limit)
    with pytest.raises(ValueError, match="2 of the quota are used, the limit cannot be 1"):
        publish(offer("o", quota="{limit: 1}"))
    assert (everything(), Version.objects.count(), Offer.objects.get().limit) == before
    publish(offer("o", quota="{limit: 2}"))
    freight("C", paid_at="03")
    tick("04")
    assert outcomes("o")["C"] == "quota_exhausted"


def test_raising_the_limit_lets_later_claims_in() -> None:
    merchant()
    publish(offer("o", quota="{limit: 1}"))
    freight("A", paid_at="01")
    freight("B", paid_at="02")
    tick("03")
    publish(offer("o", quota="{limit: 2}"))
    freight("C", paid_at="04")
    tick("05")
    assert outcomes("o") == {"A": "granted", "B": "quota_exhausted", "C": "granted"}


def test_publishing_between_ticks_does_not_change_the_order() -> None:
    merchant()
    publish(offer("o", quota="{limit: 1}"))
    freight("A", paid_at="01 10:00", cancelled_at="03 10:00")
    freight("B", paid_at="02 12:00")
    freight("C", paid_at="04 12:00")
    tick("02")
    publish(offer("o", quota="{limit: 1}", benefit="{fee: freight, percent: 20}"))
    tick("05")
    assert outcomes("o") == {"A": "granted", "B": "quota_exhausted", "C": "granted"}


def test_a_lowered_limit_is_not_oversold() -> None:
    merchant()
    publish(offer("o", quota="{limit: 3}"))
    for order_no, cancelled in (("A", "02"), ("B", None), ("C", None)):
        freight(order_no, paid_at="01", cancelled_at=cancelled)
    tick("03")
    publish(offer("o", quota="{limit: 2}"))
    freight("D", paid_at="04")
    tick("05")
    assert outcomes("o")["D"] == "quota_exhausted"


def test_a_lowered_cap_does_not_stop_the_tick() -> None:
    merchant()
    publish(offer("o", quota="{per_merchant: 3}"))
    for order_no in "ABC":
        freight(order_no, paid_at="01")
    tick("03")
    publish(offer("o", quota="{per_merchant: 2}"))
    tick("03 12:00")
    freight("D", paid_at="04")
    correct(FreightOrder, "C", cancelled_at="05")
    freight("E", paid_at="06")
    tick("07")
    assert (outcomes("o")["D"], outcomes("o")["E"]) == ("merchant_cap", "merchant_cap")


@pytest.mark.parametrize(
    ("quota", "refusal"), [("{limit: 3}", "quota_exhausted"), ("{per_merchant: 3}", "merchant_cap")]
)
def test_a_later_quota_counts_earlier_grants(quota: str, refusal: str) -> None:
    merchant()
    publish(offer("o"))
    for order_no in "ABC":
        freight(order_no, paid_at="01")
    tick("03")
    publish(offer("o", quota=quota))
    freight("D", paid_at="04")
    tick("05")
    assert outcomes("o")["D"] == refusal


def coupon_offer(value: str) -> str:
    return offer(
        "c",
        subject="merchant",
        claim="{nth: {number: 1, of: freight_orders, at: shipped_at, where: [{fact: shipped_at, happened: yes}]}}",
        benefit=f"{{coupons: {{count: 1, value: {value}, currency: CNY,"
        " valid: {from: 2022-09-01 00:00:00, to: 2022-09-30 00:00:00}, where: [{fact: service, is: express}]}}",
        settlement="",
    )


def test_coupons_keep_the_terms_they_were_issued_under() -> None:
    merchant()
    publish(coupon_offer("25.00"))
    freight("A", shipped_at="01")
    tick("02")
    publish(coupon_offer("50.00"))
    freight("B", placed_at="03", use_coupon=True)
    tick("04")
    assert Coupon.objects.get().value == Decimal(25)
