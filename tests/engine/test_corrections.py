"""A fact corrected under a live grant: the grant stays, is marked for review, and an operator decides."""

from decimal import Decimal
from typing import Any

import pytest

from campaigns.grants import reviews
from campaigns.grants import transitions as verbs
from campaigns.models import Decision, Grant, JournalEntry
from logistics.models import FreightOrder
from merchants.models import Membership, Merchant, Penalty
from tests.support.world import (
    correct,
    coupons,
    freight,
    grants,
    journal,
    merchant,
    offer,
    outcomes,
    publish,
    receipt,
    review,
    states,
    t,
    tell,
    tick,
    trade,
    used,
)
from trade.models import Receipt, TradeOrder

pytestmark = pytest.mark.django_db

FULL = (
    "[{fact: line, is: us-charter-select}, {fact: merchant.country, is: CN},"
    " {in_force: membership, of: [global_pass]}, {not_in_force: penalty, of: [embargo]},"
    " {count: freight_orders, where: [{fact: service, is: multimodal}, {fact: shipped_at, happened: yes}], at_most: 0},"
    " {code: not_cancelled, fact: cancelled_at, happened: no}]"
)
FOLLOWED = "{locked_at: paid_at, at: departed_at, released_by: cancelled_at, deadline: {at: 2022-09-20 23:59:59}}"


def given_one() -> None:
    merchant()
    publish(offer("o", conditions=FULL, quota="{limit: 5, per_merchant: 2}"))
    freight("A", paid_at="05")
    tick("06")
    assert states("o") == {"A": "settled"}


def test_a_corrected_fact_of_the_benefit_marks_the_grant() -> None:
    merchant()
    benefit = "{fee: service_fee, percent: {fact: easy_return_premium_usd}, at_most: 20.00}"
    parts = {"subject": "trade_order", "claim": "{at: shipped_at}", "settlement": "", "conditions": "everyone"}
    publish(offer("o", benefit=benefit, quota="{limit: 5}", **parts))
    trade("A", shipped_at="05", easy_return_premium_usd=Decimal(15))
    trade("B", shipped_at="05")  # an empty percentage counts as 0
    trade("C", shipped_at="05", easy_return_premium_usd=Decimal(30))
    tick("06")
    before = {("o", "A"): "settled 15.00 USD", ("o", "B"): "settled 0.00 USD", ("o", "C"): "settled 20.00 USD"}
    assert grants() == before
    correct(TradeOrder, "A", easy_return_premium_usd=Decimal(16))
    correct(TradeOrder, "C", easy_return_premium_usd=Decimal(31))  # the cap still decides
    tick("07")
    assert [bool(review(subject)) for subject in "ABC"] == [True, False, False]
    assert (grants(), used("o")) == (before, 3)
    reviews.reopen(Grant.objects.get(subject="A"), at=t("08"), by="ana", reason="")
    tick("08")
    assert grants()["o", "A"] == "settled 16.00 USD"


def change_order(**fields: Any) -> None:
    correct(FreightOrder, "A", **fields)


CORRECTIONS: dict[str, Any] = {
    "base_freight": lambda: change_order(base_freight=Decimal(500)),
    "paid_at": lambda: change_order(paid_at="04"),
    "not paid at all": lambda: change_order(paid_at=None),
    "line": lambda: change_order(line="other"),
    "cancelled before the claim": lambda: change_order(cancelled_at="04"),
    "country": lambda: correct(Merchant, "M1", country="US"),
    "membership": lambda: correct(Membership, Membership.objects.get().pk, ends_at="04"),
    "penalty": lambda: tell(Penalty, merchant_id="M1", kind="embargo", starts_at="04"),
    "another order": lambda: freight("B", service="multimodal", shipped_at="04"),
    "currency": lambda: change_order(currency="USD"),
}


@pytest.mark.parametrize("what", CORRECTIONS)
def test_the_grant_stays_and_is_marked(what: str) -> None:
    given_one()
    before = (grants(), journal(), used("o"), list(Decision.objects.values_list("subject", "outcome")))
    CORRECTIONS[what]()
    tick("07")
    assert review("A")
    assert (grants(), journal(), used("o"), list(Decision.objects.values_list("subject", "outcome"))) == before


PROGRESS: dict[str, Any] = {
    "shipped": lambda: change_order(shipped_at="06 12:00"),
    "departed": lambda: change_order(departed_at="06 12:00"),
    "membership ended later": lambda: correct(Membership, Membership.objects.get().pk, ends_at="06"),
    "penalty later": lambda: tell(Penalty, merchant_id="M1", kind="embargo", starts_at="06"),
    "another order later": lambda: freight("B", service="multimodal", shipped_at="06"),
    "name": lambda: correct(Merchant, "M1", name="other"),
}


@pytest.mark.parametrize("what", PROGRESS)
def test_normal_progress_is_no_correction(what: str) -> None:
    given_one()
    PROGRESS[what]()
    tick("07")
    assert not review("A")
    assert states("o") == {"A": "settled"}


def test_cancelled_later_is_released_without_review() -> None:
    given_one()
    change_order(cancelled_at="06 12:00")
    tick("07")
    assert states("o") == {"A": "released"}
    assert not review("A")
    assert used("o") == 0


def test_paid_departed_and_so_on_one_after_the_other() -> None:
    merchant()
    publish(offer("o", claim="{at: placed_at}", settlement=FOLLOWED))
    freight("A", placed_at="01")
    for at, fields in (("02", {}), ("04", {"paid_at": "03"}), ("06", {"departed_at": "05"}), ("08", {})):
        if fields:
            change_order(**fields)
        tick(at)
        assert not review("A")
    assert journal() == ["A: · → reserved", "A: reserved → locked", "A: locked → settled"]


def test_keep_leaves_the_grant_and_the_reason_stays() -> None:
    given_one()
    change_order(base_freight=Decimal(500))
    tick("07")
    reviews.accept(Grant.objects.get(), at=t("07 12:00"), by="ann", reason="a typing error of theirs")
    assert not review("A")
    assert grants() == {("o", "A"): "settled 100.00 CNY"}
    entry = JournalEntry.objects.latest("pk")
    assert (entry.by, entry.reason, entry.source, entry.target) == (
        "ann",
        "a typing error of theirs",
        "settled",
        "settled",
    )
    tick("08")
    assert not review("A")


def test_only_marked_grants_can_be_accepted() -> None:
    given_one()
    with pytest.raises(verbs.NotLiveError):
        reviews.accept(Grant.objects.get(), at=t("07"), by="ann", reason="")
    assert JournalEntry.objects.count() == 1


def test_redecide_grants_anew_by_the_facts_as_they_are() -> None:
    given_one()
    change_order(base_freight=Decimal(500))
    tick("07")
    reviews.reopen(Grant.objects.get(), at=t("07 12:00"), by="ann", reason="wrong weight")
    assert used("o") == 0
    tick("08")
    assert list(Grant.objects.order_by("pk").values_list("status", "amount")) == [
        ("released", Decimal("100.00")),
        ("settled", Decimal("50.00")),
    ]
    assert used("o") == 1


def test_redecide_refuses_where_the_facts_no_longer_allow() -> None:
    given_one()
    change_order(line="other")
    tick("07")
    reviews.reopen(Grant.objects.get(), at=t("07 12:00"), by="ann", reason="wrong line")
    tick("08")
    assert outcomes("o") == {"A": "refused"}
    assert states("o") == {"A": "released"}
    assert used("o") == 0


def test_redecide_gets_its_own_place_back() -> None:
    merchant()
    publish(offer("o", quota="{limit: 1}"))
    freight("A", paid_at="01")
    tick("02")
    change_order(base_freight=Decimal(500))
    tick("03")
    reviews.reopen(Grant.objects.get(), at=t("03 12:00"), by="ann", reason="wrong weight")
    tick("04")
    assert grants() == {("o", "A"): "settled 50.00 CNY"}


@pytest.mark.parametrize("verb", [verbs.release, verbs.revoke])
def test_twice_is_refused_and_nothing_moved(verb: Any) -> None:
    given_one()
    first, second = Grant.objects.get(), Grant.objects.get()
    verb(first, at=t("07"), by="ann", reason="x")
    entries, places = JournalEntry.objects.count(), used("o")
    for again in (verbs.release, verbs.revoke):
        with pytest.raises(verbs.NotLiveError):
            again(second, at=t("08"), by="ann", reason="y")
        with pytest.raises(verbs.NotLiveError):
            again(first, at=t("08"), by="ann", reason="y")
    assert (JournalEntry.objects.count(), used("o")) == (entries, places)


def test_a_revoked_place_does_not_come_back_and_a_released_one_does() -> None:
    merchant()
    publish(offer("o", quota="{limit: 2}"))
    freight("A", paid_at="01")
    freight("B", paid_at="01 12:00")
    tick("02")
    verbs.revoke(Grant.objects.get(subject="A"), at=t("02 12:00"), by="ann", reason="x")
    verbs.release(Grant.objects.get(subject="B"), at=t("04"), by="ann", reason="x")
    for order_no, paid in (("C", "03"), ("D", "05"), ("E", "06")):
        freight(order_no, paid_at=paid)
    tick("07")
    assert outcomes("o") == {
        "A": "granted",
        "B": "granted",
        "C": "quota_exhausted",
        "D": "granted",
        "E": "quota_exhausted",
    }


def test_redecide_where_offers_compete() -> None:
    merchant()
    publish(offer("o") + offer("p", where="[{fact: line, is: other}]"))
    freight("A", paid_at="01")
    tick("02")
    change_order(base_freight=Decimal(500))
    tick("03")
    reviews.reopen(Grant.objects.get(), at=t("03"), by="ann", reason="x")
    tick("04")
    assert grants()["o", "A"] == "settled 50.00 CNY"


def test_redecide_of_coupons_does_not_double_them() -> None:
    merchant()
    publish(
        offer(
            "c",
            subject="merchant",
            claim="{nth: {number: 1, of: freight_orders, at: shipped_at, where: [{fact: shipped_at, happened: yes}]}}",
            benefit="{coupons: {count: 2, value: 25.00, currency: CNY,"
            " valid: {from: 2022-09-01 00:00:00, to: 2022-09-30 00:00:00}, where: [{fact: service, is: express}]}}",
            settlement="",
        )
    )
    freight("A", shipped_at="01")
    tick("02")
    reviews.reopen(Grant.objects.get(), at=t("03"), by="ann", reason="x")
    tick("04")
    assert coupons() == {"issued": 2, "void": 2}


def under_review() -> None:
    merchant()
    publish(offer("o", claim="{at: placed_at}", settlement=FOLLOWED))
    freight("A", placed_at="01", paid_at="02")
    tick("03")
    change_order(base_freight=Decimal(500))
    tick("04")
    assert review("A")


@pytest.mark.parametrize(
    ("fields", "state"), [({"departed_at": "05"}, "settled"), ({"cancelled_at": "05"}, "released")]
)
def test_an_accepted_grant_continues(fields: dict[str, str], state: str) -> None:
    under_review()
    reviews.accept(Grant.objects.get(), at=t("04"), by="ann", reason="x")
    change_order(**fields)
    tick("06")
    assert states("o") == {"A": state}
    assert not review("A")


def test_events_during_a_review_are_followed_after_acceptance() -> None:
    under_review()
    change_order(departed_at="05")
    tick("06")
    assert states("o") == {"A": "locked"}
    reviews.accept(Grant.objects.get(), at=t("06"), by="ann", reason="x")
    tick("07")
    assert states("o") == {"A": "settled"}


def test_a_late_cancellation_before_the_settlement() -> None:
    merchant()
    publish(offer("o", claim="{at: placed_at}", settlement=FOLLOWED))
    freight("A", placed_at="01", paid_at="02", departed_at="05")
    tick("06")
    change_order(cancelled_at="04")
    tick("07")
    assert states("o") == {"A": "settled"}
    assert review("A")


def test_a_correction_of_the_settlement_facts() -> None:
    merchant()
    requires = "{at: departed_at, requires: [{in_force: membership, of: [global_pass]}]}"
    publish(offer("o", claim="{at: placed_at}", settlement=requires))
    freight("A", placed_at="01", departed_at="05")
    tick("06")
    assert states("o") == {"A": "settled"}
    correct(Membership, Membership.objects.get().pk, ends_at="03")
    tick("07")
    assert review("A")


def test_corrected_below_the_lowest_tier() -> None:
    merchant()
    publish(offer("o", benefit="{fee: freight, currency: CNY, tiers: [{from: 500.00, amount: 50.00}]}"))
    freight("A", paid_at="01")
    tick("02")
    change_order(base_freight=Decimal(400))
    tick("03")
    assert review("A")
    assert grants() == {("o", "A"): "settled 50.00 CNY"}


def test_an_offer_for_everyone() -> None:
    merchant()
    publish(offer("o", conditions="everyone"))
    freight("A", paid_at="01")
    tick("02")
    change_order(cancelled_at="03")
    tick("04")
    assert states("o") == {"A": "released"}


def test_a_longer_settling_delay_does_not_stop_live_grants() -> None:
    merchant()
    publish(offer("o"))
    freight("A", paid_at="01")
    tick("02")
    publish(offer("o", settling_hours="48"))
    change_order(cancelled_at="02 12:00")
    tick("03")
    assert states("o") == {"A": "released"}


def accept(subject: str) -> None:
    reviews.accept(Grant.objects.get(subject=subject), at=t("08"), by="ann", reason="agreed")


def test_an_accepted_claim_that_no_longer_exists_stays_accepted_until_the_facts_change() -> None:
    given_one()
    change_order(paid_at=None)
    tick("07")
    accept("A")
    tick("09")
    change_order(shipped_at="09 06:00")
    tick("10")
    assert not review("A")
    change_order(paid_at="04")
    tick("11")
    assert review("A")


def test_an_accepted_state_stays_accepted_until_the_facts_change() -> None:
    merchant()
    publish(offer("o", claim="{at: placed_at}", settlement=FOLLOWED))
    freight("A", placed_at="01", paid_at="02", departed_at="05")
    tick("06")
    change_order(departed_at=None)
    tick("07")
    assert review("A")
    accept("A")
    tick("09")
    change_order(shipped_at="09 06:00")
    tick("10")
    assert not review("A")
    change_order(cancelled_at="03")
    tick("11")
    assert review("A")


@pytest.mark.parametrize(
    ("accepted", "again"),
    [({"base_freight": Decimal(500)}, {"base_freight": Decimal(300)}), ({"paid_at": "04"}, {"paid_at": "03"})],
)
def test_an_accepted_fact_that_changes_again_marks_the_grant_again(
    accepted: dict[str, Any], again: dict[str, Any]
) -> None:
    given_one()
    change_order(**accepted)
    tick("07")
    accept("A")
    tick("09")
    assert not review("A")
    change_order(**again)
    tick("10")
    assert review("A")


def test_another_condition_that_fails_marks_an_accepted_grant_again() -> None:
    given_one()
    change_order(line="other")
    tick("07")
    accept("A")
    tick("09")
    assert not review("A")
    correct(Merchant, "M1", country="US")
    tick("10")
    assert review("A")


@pytest.mark.parametrize("in_steps", [True, False])
@pytest.mark.parametrize(
    "correction", [{"base_freight": Decimal(500)}, {"line": "other"}, {"paid_at": "04"}, {"paid_at": None}]
)
def test_a_grant_under_review_follows_a_cancellation(correction: dict[str, Any], in_steps: bool) -> None:
    merchant()
    publish(offer("o", conditions=FULL, quota="{limit: 1}"))
    freight("A", paid_at="05")
    tick("06")
    change_order(**correction)
    if in_steps:
        tick("07")
        assert review("A")
    change_order(cancelled_at="08")
    freight("B", paid_at="09")
    tick("10")
    assert states("o") == {"A": "released", "B": "settled"}
    assert not review("A")
    assert used("o") == 1


def test_a_grant_outside_the_scope_of_its_offer_follows_a_cancellation() -> None:
    merchant()
    publish(offer("o", where="[{fact: service, is: express}]", quota="{limit: 1}"))
    freight("A", paid_at="05")
    tick("06")
    change_order(service="multimodal")
    tick("07")
    assert review("A")
    change_order(cancelled_at="08")
    tick("09")
    assert (states("o"), used("o")) == ({"A": "released"}, 0)


def test_a_grant_under_review_follows_a_revocation() -> None:
    merchant()
    revoked = "{at: completed_at, revoked_by: abnormal_at}"
    publish(
        offer(
            "o",
            subject="trade_order",
            claim="{at: drafted_at}",
            benefit="{fee: service_fee, percent: 50}",
            settlement=revoked,
        )
    )
    trade("T", drafted_at="02")
    tick("03")
    correct(TradeOrder, "T", service_fee_usd=Decimal(10))
    tick("04")
    assert review("T")
    correct(TradeOrder, "T", abnormal_at="05")
    tick("06")
    assert (states("o"), used("o")) == ({"T": "revoked"}, 1)


def test_a_corrected_receipt_of_a_counted_order_marks_the_grant() -> None:
    """The order that the condition counts has not changed itself; the first payment is a fact of its receipts."""
    merchant()
    paid_first = "{count: trade_orders, where: [{fact: first_payment_at, happened: yes}], at_least: 1}"
    publish(offer("o", conditions=f"[{paid_first}]"))
    trade("T")
    receipt("R", "T", "04")
    freight("A", paid_at="05")
    tick("06")
    assert states("o") == {"A": "settled"}
    correct(Receipt, "R", booked_at="07")
    tick("08")
    assert review("A")
