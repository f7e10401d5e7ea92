"""Uses that are decided at once: the results are those of a tick over the same facts."""

import random

import pytest
from django.db import transaction

from campaigns.allowances import instant_uses
from campaigns.allowances.instant_uses import NewUse
from campaigns.models import Allowance, UsageDecision
from services.models import Usage
from tests.support.allowances import allowance, balances, publish, results, use
from tests.support.marketplace import account, buyer, request
from tests.support.world import correct, merchant, t, tick

pytestmark = pytest.mark.django_db
MONTHLY = {"in_": "{calendar: month, from_day: 5}", "collected": "yes"}


def spend(number: str, at: str, name: str = "mail", quantity: int = 1, buyer: str | None = None) -> str:
    """Use something at once and return the result."""
    with transaction.atomic():
        locked = instant_uses.lock(name)
        made = instant_uses.spend(locked, [NewUse(number, "M1", "A1", name, quantity, buyer)], at=t(at))
    return made[number].result


def test_uses_are_accepted_or_refused_at_once() -> None:
    merchant()
    account()
    publish(allowance("mails", "mail") + allowance("quotes", "quote", **MONTHLY))
    request("R1", "quotes", "05 08:00")
    assert spend("U1", "05 10:00", quantity=3) == "accepted"
    assert spend("U2", "05 10:01", quantity=3) == "nothing_left"
    assert spend("U3", "05 10:02", quantity=2) == "accepted"
    assert spend("U4", "05 10:03", name="fax") == "no_allowance"
    assert spend("Q1", "05 10:04", name="quote", quantity=5) == "accepted"  # collected, though no tick has run
    assert spend("Q2", "05 10:05", name="quote") == "nothing_left"
    expected = {("mails", "M1", "2022-09-05"): "5 / 5", ("quotes", "M1", "2022-09"): "5 / 5"}
    assert balances() == expected
    before = results()
    tick("06")
    assert (results(), balances()) == (before, expected)


def test_what_is_not_decided_yet_comes_first() -> None:
    merchant()
    account()
    publish(allowance("mails", "mail"))
    use("U1", "05 09:00", quantity=4)
    assert spend("U2", "05 10:00", quantity=2) == "nothing_left"
    correct(Usage, "U1", cancelled_at="05 11:00")
    assert spend("U3", "05 11:00", quantity=5) == "accepted"
    use("U4", "05 13:00", quantity=1)
    assert spend("U5", "05 12:00") == "nothing_left"
    tick("05 12:30")
    assert spend("U6", "05 12:10") == "nothing_left"
    assert UsageDecision.objects.get(pk="U6").used_at > t("05 12:30")  # behind what is decided


def test_a_tick_as_of_an_instant_before_a_use_takes_nothing_back() -> None:
    """The use is recorded when the instant of the tick is chosen already, and before the tick reads the imports."""
    merchant()
    account()
    publish(allowance("mails", "mail"))
    assert spend("U1", "05 10:00:01", quantity=4) == "accepted"
    used = {("mails", "M1", "2022-09-05"): "4 / 5"}
    tick("05 10:00")
    assert balances() == used
    assert spend("U2", "05 10:00:02", quantity=2) == "nothing_left"
    tick("06")
    assert (balances(), results()) == (used, {"U1": "accepted", "U2": "nothing_left"})


def test_a_tick_as_of_an_instant_before_a_request_takes_nothing_back() -> None:
    merchant()
    account()
    publish(allowance("quotes", "quote", **MONTHLY))
    with transaction.atomic():
        locked, of = instant_uses.lock("quote"), {"code": "quotes", "merchant": "M1", "account": "A1"}
        assert instant_uses.collect(locked, "R1", at=t("05 10:00:01"), **of)
    tick("05 10:00")
    assert balances() == {("quotes", "M1", "2022-09"): "0 / 5"}


def test_a_server_whose_clock_is_behind_changes_no_answer() -> None:
    merchant()
    account()
    publish(allowance("mails", "mail"))
    assert spend("U1", "05 10:00:05", quantity=4) == "accepted"
    assert spend("U2", "05 10:00:01", quantity=2) == "nothing_left"
    assert results() == {"U1": "accepted", "U2": "nothing_left"}
    assert UsageDecision.objects.get(pk="U2").used_at > t("05 10:00:05")


@pytest.mark.plants_violation  # the journal stays, what it tells of is decided again
def test_agreement_with_the_tick_on_generated_uses() -> None:
    merchant()
    account()
    for code in "ABCDE":
        buyer(code)
    publish(allowance("mails", "mail") + allowance("buyers", "contact", units="3", cost_per="buyer"))
    chance = random.Random(1)
    for n in range(60):
        at = f"05 {8 + n // 6:02}:{n % 6 * 10:02}"
        if n % 2:
            spend(f"U{n:02}", at, name="contact", buyer=chance.choice("ABCDE"))
        else:
            spend(f"U{n:02}", at, quantity=chance.randint(1, 2))
        if n % 5 == 4:
            correct(Usage, f"U{chance.randint(0, n):02}", cancelled_at=at)
        if n % 12 == 7:  # what is told after a tick is undecided too
            tick(at)
            use(f"L{n:02}", at)
    at_once, left = results(), balances()
    UsageDecision.objects.all().delete()
    Allowance.objects.all().delete()
    tick("06")
    assert set(at_once.values()) == {"accepted", "nothing_left"}
    assert results() == at_once
    # Cancellations after the last use of a name come back with the tick.
    assert balances().keys() == left.keys()
