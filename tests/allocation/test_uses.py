"""Uses of allowances: the pure decision, and its agreement with a naive twin on generated histories."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from campaigns.allocation.uses import Balance, Key, Outcome, Use, decide

DAY = datetime(2022, 9, 1, tzinfo=UTC)
END = DAY + timedelta(days=1)
HOUR = timedelta(hours=1)
ONE: Key = (1, "2022-09-01")


def balance(units: int, *, by_buyer: bool = False) -> Balance:
    return Balance(units, DAY, END, by_buyer)


def use(number: str, hour: float, quantity: int = 1, *, buyer: str = "", cancelled: float | None = None) -> Use:
    at = DAY + hour * HOUR
    cancelled_at = None if cancelled is None else DAY + cancelled * HOUR
    return Use(number, at, quantity, buyer, cancelled_at, ((ONE, balance(0)),))


def results(uses: list[Use], held: Balance, until: float = 24) -> dict[str, tuple[str, int, int]]:
    decided = decide(uses, {ONE: held}, until=DAY + until * HOUR)
    return {one.number: (str(outcome.result), outcome.taken, outcome.returned) for one, outcome in decided}


def test_a_use_is_accepted_whole_or_refused_without_taking_anything() -> None:
    held = balance(5)
    assert results([use("A", 1, 3), use("B", 2, 3), use("C", 3, 2), use("D", 4, 1)], held) == {
        "A": ("accepted", 3, 0),
        "B": ("nothing_left", 0, 0),
        "C": ("accepted", 2, 0),
        "D": ("nothing_left", 0, 0),
    }
    assert held.used == 5


def test_a_cancelled_use_gives_back_to_later_ones_and_keeps_its_result() -> None:
    uses = [use("A", 1, 5, cancelled=3), use("B", 2.9), use("C", 3, 5), use("D", 4)]
    assert results(uses, balance(5)) == {
        "A": ("accepted", 5, 5),
        "B": ("nothing_left", 0, 0),
        "C": ("accepted", 5, 0),
        "D": ("nothing_left", 0, 0),
    }


@pytest.mark.parametrize(("hour", "returned"), [(23.99, 1), (24, 0), (30, 0)])
def test_only_a_cancellation_in_the_period_gives_back(hour: float, returned: int) -> None:
    held = balance(1)
    assert results([use("A", 1, cancelled=hour)], held, until=48) == {"A": ("accepted", 1, returned)}
    assert held.used == 1 - returned


def test_each_buyer_takes_one_unit_until_all_uses_for_it_are_cancelled() -> None:
    uses = [
        use("A1", 1, buyer="A", cancelled=5),
        use("B1", 2, buyer="B"),
        use("A2", 3, buyer="A", cancelled=7),  # the unit of A is taken already
        use("C1", 4, buyer="C"),
        use("C2", 6, buyer="C"),  # A2 still holds the unit of A
        use("B2", 6.5, buyer="B"),  # nothing is left, and B takes nothing
        use("C3", 7, buyer="C"),
    ]
    held = balance(2, by_buyer=True)
    assert results(uses, held) == {
        "A1": ("accepted", 1, 0),
        "B1": ("accepted", 1, 0),
        "A2": ("accepted", 0, 1),
        "C1": ("nothing_left", 0, 0),
        "C2": ("nothing_left", 0, 0),
        "B2": ("accepted", 0, 0),
        "C3": ("accepted", 1, 0),
    }
    assert held.used == 2


def test_of_several_allowances_the_first_with_enough_units_is_used() -> None:
    other: Key = (2, "2022-09")
    had = ((ONE, balance(1)), (other, balance(3)))
    uses = [Use(str(n), DAY + n * HOUR, quantity, "", None, had) for n, quantity in enumerate((2, 1, 1, 1))]
    keys = [outcome.key for _use, outcome in decide(uses, {}, until=END)]
    assert keys == [other, ONE, other, None]


def test_what_is_kept_is_not_decided_again_but_counts() -> None:
    kept = Use("K", DAY, 4, "", None, (), Outcome("accepted", ONE, 4))
    refused = Use("R", DAY + HOUR, 1, "", None, ((ONE, balance(5)),), Outcome("nothing_left"))
    assert results([kept, refused, use("A", 2), use("B", 3)], balance(5)) == {
        "K": ("accepted", 4, 0),
        "R": ("nothing_left", 0, 0),
        "A": ("accepted", 1, 0),
        "B": ("nothing_left", 0, 0),
    }


def naive(uses: list[Use], units: int, *, by_buyer: bool, until: datetime) -> dict[str, str]:
    """Decide each use by counting everything that was accepted before it, from nothing."""
    accepted: list[Use] = []
    found: dict[str, str] = {}

    def live(one: Use, at: datetime) -> bool:
        gone = one.cancelled_at is not None and one.cancelled_at <= at and DAY <= one.cancelled_at < END
        return not gone

    for one in uses:
        holding = [other for other in accepted if live(other, one.at)]
        if by_buyer:
            fits = len({other.buyer for other in holding} | {one.buyer}) <= units or any(
                other.buyer == one.buyer for other in holding
            )
        else:
            fits = sum(other.quantity for other in holding) + one.quantity <= units
        found[one.number] = "accepted" if fits else "nothing_left"
        if fits:
            accepted.append(one)
    rest = [one for one in accepted if live(one, until)]
    used = len({one.buyer for one in rest}) if by_buyer else sum(one.quantity for one in rest)
    return {**found, "used": str(used)}


def history(chance: random.Random) -> list[Use]:
    uses = []
    for n in range(chance.randint(1, 40)):
        at = chance.randint(0, 23)
        cancelled = chance.choice([None, None, at + chance.randint(0, 10)])
        quantity, buyer = chance.randint(1, 4), chance.choice("ABCDEF")
        uses.append(use(f"{n:02}", at, quantity, buyer=buyer, cancelled=cancelled))
    return sorted(uses, key=lambda one: (one.at, one.number))


@pytest.mark.parametrize("by_buyer", [False, True])
def test_agreement_with_the_naive_twin(by_buyer: bool) -> None:
    """For generated histories, decided at once, and in two steps of which the first knows less."""
    for seed in range(300):
        chance = random.Random(seed)
        uses, units = history(chance), chance.randint(1, 8)
        until = DAY + chance.randint(20, 36) * HOUR
        known = [
            one
            if one.cancelled_at is None or one.cancelled_at <= until
            else Use(one.number, one.at, one.quantity, one.buyer, None, one.had)
            for one in uses
        ]
        held = balance(units, by_buyer=by_buyer)
        got = {one.number: str(outcome.result) for one, outcome in decide(known, {ONE: held}, until=until)}
        assert {**got, "used": str(held.used)} == naive(uses, units, by_buyer=by_buyer, until=until), seed
        assert 0 <= held.used <= units
