"""A reservation that nobody locks in time gives its place back, where the offer says so."""

from datetime import timedelta

import pytest

from campaigns.engine import instant_claims
from campaigns.grants import reviews
from campaigns.models import Decision, Grant, JournalEntry
from definitions.errors import DefinitionError
from logistics.models import FreightOrder
from tests.support.world import correct, everything, freight, merchant, offer, publish, states, t, tick, used

pytestmark = pytest.mark.django_db

SETTLEMENT = "{locked_at: paid_at, lock_within_hours: 24, at: shipped_at, released_by: cancelled_at}"


def season(quota: str = "{limit: 1}") -> None:
    merchant()
    publish(offer("o", claim="{at: placed_at}", quota=quota, settlement=SETTLEMENT))


@pytest.mark.parametrize(
    ("at", "status"), [("03 09:59:59.999999", "reserved"), ("03 10:00", "released"), ("09", "released")]
)
def test_both_sides_of_its_end(at: str, status: str) -> None:
    season()
    freight("A", placed_at="02 10:00")
    tick("02 12:00")
    assert states("o") == {"A": "reserved"}
    tick(at)
    assert states("o") == {"A": status}
    assert used("o") == (status == "reserved")


@pytest.mark.parametrize(("paid_at", "status"), [("03 10:00", "locked"), ("03 10:00:00.000001", "released")])
def test_locked_just_in_time_and_just_too_late(paid_at: str, status: str) -> None:
    season()
    freight("A", placed_at="02 10:00", paid_at=paid_at)
    tick("02 12:00")
    tick("05")
    assert states("o") == {"A": status}


def test_the_place_is_the_next_ones_from_that_instant_on() -> None:
    season()
    freight("A", placed_at="02 10:00")
    freight("B", placed_at="03 09:59")
    freight("C", placed_at="03 10:00")
    tick("04")
    assert states("o") == {"A": "released", "C": "reserved"}
    assert Decision.objects.get(subject="B").outcome == Decision.Outcome.QUOTA_EXHAUSTED
    assert list(JournalEntry.objects.filter(target="released").values_list("at", "reason")) == [
        (t("03 10:00"), "not locked in time")
    ]


def test_in_one_tick_or_in_many_it_is_the_same() -> None:
    season("{limit: 2}")
    for n, at in enumerate(("02 10:00", "02 11:00", "03 10:00", "03 10:30", "05 12:00")):
        freight(f"F{n}", placed_at=at, paid_at="03 09:00" if n == 1 else None)
    tick("06")
    at_once = states("o"), used("o")
    assert at_once == ({"F0": "released", "F1": "locked", "F2": "released", "F4": "reserved"}, 2)


ONCE = pytest.mark.once(reason="steps of six and twelve hours are made on PostgreSQL too")


@pytest.mark.parametrize("steps", [pytest.param(1, marks=ONCE), 6, 12])
def test_hour_by_hour_too(steps: int) -> None:
    season("{limit: 2}")
    for n, at in enumerate(("02 10:00", "02 11:00", "03 10:00", "03 10:30", "05 12:00")):
        freight(f"F{n}", placed_at=at, paid_at="03 09:00" if n == 1 else None)
    for day in range(2, 6):
        for hour in range(0, 24, steps):
            tick(f"0{day} {hour:02}:00")
    assert states("o") == {"F0": "released", "F1": "locked", "F2": "released", "F4": "reserved"}


def test_a_late_payment_after_the_release_changes_nothing() -> None:
    season()
    freight("A", placed_at="02 10:00")
    tick("02 12:00")
    tick("04")
    before = everything()
    correct(FreightOrder, "A", paid_at="03 09:00")
    tick("05")
    assert everything() == before


@pytest.mark.parametrize(("corrected", "ends"), [("02 20:00", "03 20:00"), ("02 06:00", "03 06:00")])
@pytest.mark.parametrize("decided_at", ["", "2022-09-02 11:00:00"])
@pytest.mark.parametrize("accepted", [False, True])
def test_a_corrected_claim_moves_the_end(corrected: str, ends: str, decided_at: str, accepted: bool) -> None:
    merchant()
    publish(offer("o", claim="{at: placed_at}", quota="{limit: 1}", settlement=SETTLEMENT, decided_at=decided_at))
    freight("A", placed_at="02 10:00")
    tick("02 12:00")
    correct(FreightOrder, "A", placed_at=corrected)
    tick("02 21:00")
    if accepted:
        reviews.accept(Grant.objects.get(), at=t("02 22:00"), by="ana", reason="")
        tick("02 22:00")
    tick(t(ends) - timedelta(seconds=1))
    assert states("o") == {"A": "reserved"}
    tick(ends)
    assert states("o") == {"A": "released"}
    assert JournalEntry.objects.get(target="released").at == t(ends)


def test_a_claim_at_once_finds_the_place_that_went_back() -> None:
    season()
    freight("A", placed_at="02 10:00")
    tick("02 12:00")
    tick("03 10:00")
    freight("B", placed_at="03 11:00")
    [decision] = instant_claims.claim("B", of="freight_order", at=t("03 11:00"))
    assert decision.outcome == Decision.Outcome.GRANTED


def test_it_needs_the_fact_that_locks() -> None:
    with pytest.raises(DefinitionError, match="lock_within_hours needs locked_at"):
        publish(offer("o", settlement="{lock_within_hours: 24, at: shipped_at}"))
