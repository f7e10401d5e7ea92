"""The database refuses one place too many, whatever the engine has computed: after every change of a quota."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from campaigns.grants import reviews, revocations, transitions
from campaigns.grants.steps import StateChange
from campaigns.models import Grant, Offer
from campaigns.offers import published_offers
from logistics.models import FreightOrder
from tests.support.world import correct, freight, grants, merchant, offer, outcomes, publish, t, tick, used

pytestmark = pytest.mark.django_db

LIMITS = ("{limit: %d}", "{per_merchant: %d}")
REFUSALS = dict(zip(LIMITS, ("quota_exhausted", "merchant_cap"), strict=True))


def three_of_five(quota: str) -> None:
    """Three grants of an offer with five places, whose limit `quota` says."""
    merchant()
    publish(offer("o", quota=quota % 5))
    for n in range(3):
        freight(f"F{n}", paid_at="02")
    tick("03")


def released(quota: str) -> int:
    three_of_five(quota)
    correct(FreightOrder, "F0", cancelled_at="04")
    tick("05")
    return 3


def released_and_given_again(quota: str) -> int:
    left = released(quota)
    freight("F3", paid_at="06")
    tick("07")
    return left - 1


def reopened(quota: str) -> int:
    three_of_five(quota)
    correct(FreightOrder, "F0", base_freight=Decimal(500))
    tick("04")
    reviews.reopen(Grant.objects.get(subject="F0"), at=t("05"), by="ann", reason="wrong weight")
    return 3


def accepted_in_review(quota: str) -> int:
    three_of_five(quota)
    correct(FreightOrder, "F0", base_freight=Decimal(500))
    tick("04")
    reviews.accept(Grant.objects.get(subject="F0"), at=t("05"), by="ann", reason="as agreed")
    return 2


def revoked(quota: str) -> int:
    three_of_five(quota)
    revocations.revoke(Grant.objects.get(subject="F0"), at=t("04"), by="ann", reason="fraud")
    return 2


def limit_raised(quota: str) -> int:
    three_of_five(quota)
    publish(offer("o", quota=quota % 7))
    return 4


def limit_lowered(quota: str) -> int:
    three_of_five(quota)
    publish(offer("o", quota=quota % 4))
    return 1


def limit_added_later(quota: str) -> int:
    three_of_five(quota)
    publish(offer("o", quota="{}"))
    freight("F3", paid_at="04")
    tick("05")
    publish(offer("o", quota=quota % 5))
    return 1


def write_grants(count: int) -> None:
    """Write grants as an engine would that has miscounted the places."""
    row = published_offers.find("o").row
    steps = [StateChange("settled", t("08"), "settled at the claim")]
    transitions.award(
        [
            transitions.NewGrant(
                offer=row, subject=f"X{n}", merchant="M1", amount=Decimal(1), currency="CNY", fee="", steps=steps
            )
            for n in range(count)
        ]
    )


@pytest.mark.parametrize("quota", LIMITS)
@pytest.mark.parametrize(
    "prepare",
    [
        released,
        released_and_given_again,
        reopened,
        accepted_in_review,
        revoked,
        limit_raised,
        limit_lowered,
        limit_added_later,
    ],
)
def test_the_database_refuses_one_place_too_many(prepare: Callable[[str], int], quota: str) -> None:
    left = prepare(quota)
    before = (used("o"), grants())
    with pytest.raises(IntegrityError, match="within_limit"), transaction.atomic():
        write_grants(left + 1)
    assert (used("o"), grants()) == before
    with transaction.atomic():  # the control: as many as are left
        write_grants(left)
        assert used("o") == before[0] + left
        transaction.set_rollback(True)


def test_a_merchant_above_a_lowered_limit_gets_no_place_until_enough_have_come_back() -> None:
    three_of_five("{per_merchant: %d}")
    publish(offer("o", quota="{per_merchant: 2}"))
    for cancelled, left in (("F0", 0), ("F1", 1)):
        correct(FreightOrder, cancelled, cancelled_at="04")
        tick("05")
        with pytest.raises(IntegrityError, match="merchant_places_within_limit"), transaction.atomic():
            write_grants(left + 1)
    freight("F3", paid_at="06")
    tick("07")
    assert outcomes("o")["F3"] == "granted"
    with pytest.raises(IntegrityError, match="merchant_places_within_limit"), transaction.atomic():
        write_grants(1)


@pytest.mark.parametrize("quota", LIMITS)
def test_the_largest_discount_takes_a_place_of_its_own_offer_alone(quota: str) -> None:
    merchant()
    publish(offer("o", quota=quota % 1) + offer("p", benefit="{fee: freight, percent: 20}", quota=quota % 1))
    for n in range(3):
        freight(f"F{n}", paid_at=f"02 1{n}:00")
    tick("03")
    assert outcomes("p") == {"F0": "granted", "F1": REFUSALS[quota], "F2": REFUSALS[quota]}
    assert outcomes("o") == {"F0": "superseded", "F1": "granted", "F2": REFUSALS[quota]}
    assert list(Offer.objects.order_by("code").values_list("places_taken", flat=True)) == [1, 1]
