"""Allowances in the engine: collecting, uses, cancellations, late facts, and the guard of the database."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from campaigns.models import Allowance, AllowanceEntry, UseProgress
from imports.models import ImportBatch
from merchants.models import Block, Membership
from services.models import ClaimRequest, Usage
from tests.support.allowances import MEMBER, allowance, balances, journal, publish, results, use
from tests.support.importing import import_text
from tests.support.marketplace import account, buyer, request
from tests.support.world import correct, merchant, tell, tick

pytestmark = pytest.mark.django_db
MONTHLY = {"in_": "{calendar: month, from_day: 5}", "collected": "yes"}


@pytest.fixture
def world() -> None:
    merchant()
    account()


def test_uses_of_a_day(world: None) -> None:
    publish(allowance("mails", "mail"))
    use("U1", "05 10:00", quantity=3)
    use("U2", "05 11:00", quantity=3)  # two are left
    use("U3", "05 12:00", quantity=2)
    use("U4", "06 00:00", quantity=5)  # another day
    use("U5", "06 00:01")
    use("U6", "06 10:00", name="fax")  # no allowance is about it
    use("U7", "07 10:00")  # not yet
    tick("07 00:00")
    assert results() == {
        "U1": "accepted",
        "U2": "nothing_left",
        "U3": "accepted",
        "U4": "accepted",
        "U5": "nothing_left",
        "U6": "no_allowance",
    }
    assert balances() == {("mails", "M1", "2022-09-05"): "5 / 5", ("mails", "M1", "2022-09-06"): "5 / 5"}
    assert journal() == ["U1 used 3", "U3 used 2", "U4 used 5"]
    tick("07 00:00")
    assert len(journal()) == 3


def test_membership_is_asked_at_each_use(world: None) -> None:
    publish(allowance("mails", "mail"))
    merchant("M2", member=False)
    tell(Membership, merchant_id="M2", plan="export_pass", starts_at="05 10:00", ends_at="05 12:00")
    for number, at in (("A", "05 09:59"), ("B", "05 10:00"), ("C", "05 11:59"), ("D", "05 12:00")):
        use(number, at, of="M2")
    tick("06")
    assert results() == {"A": "no_allowance", "B": "accepted", "C": "accepted", "D": "no_allowance"}


def test_cancellations_give_back_within_the_period(world: None) -> None:
    publish(allowance("mails", "mail"))
    use("U1", "05 10:00", quantity=5, cancelled_at="05 12:00")
    use("U2", "05 11:00")
    use("U3", "05 12:00", quantity=4)
    use("U4", "06 10:00", quantity=5, cancelled_at="07 00:00")  # after the day
    tick("05 11:30")
    assert results() == {"U1": "accepted", "U2": "nothing_left"}
    tick("08")
    assert results() == {"U1": "accepted", "U2": "nothing_left", "U3": "accepted", "U4": "accepted"}
    assert balances() == {("mails", "M1", "2022-09-05"): "4 / 5", ("mails", "M1", "2022-09-06"): "5 / 5"}
    assert journal() == ["U1 used 5", "U1 returned 5", "U3 used 4", "U4 used 5"]
    correct(Usage, "U3", cancelled_at="05 13:00")
    tick("09")
    assert balances()["mails", "M1", "2022-09-05"] == "0 / 5"  # something was used


def test_different_buyers(world: None) -> None:
    publish(allowance("buyers", "mail", units="2", cost_per="buyer"))
    for code in "ABC":
        buyer(code)
    use("U1", "05 01:00", buyer_id="A")
    use("U2", "05 02:00", buyer_id="A")
    use("U3", "05 03:00", buyer_id="B", cancelled_at="05 05:00")
    use("U4", "05 04:00", buyer_id="C")
    use("U5", "05 05:00", buyer_id="C")
    tick("06")
    assert {number for number, result in results().items() if result != "accepted"} == {"U4"}
    assert balances() == {("buyers", "M1", "2022-09-05"): "2 / 2"}
    assert journal() == ["U1 used 1", "U3 used 1", "U3 returned 1", "U5 used 1"]


def test_collected_allowances(world: None) -> None:
    """The first request in the period that meets the conditions gets them; the days before the fifth are no period."""
    cases = "{cases: [{when: [{fact: account.role, is: main}], is: 3}], otherwise: 1}"
    publish(allowance("quotes", "quote", units=cases, **MONTHLY))
    account("A2", role="sub")
    merchant("M2", member=False)
    account("B1", of="M2")
    request("R1", "quotes", "04 23:59")
    request("R2", "quotes", "05 00:00", account="A2")
    request("R3", "quotes", "05 00:01")
    request("R4", "quotes", "06 00:00", of="M2", account="B1")
    request("R5", "quotes", "10-07 00:00")
    for number, at in (("U1", "04 23:59"), ("U2", "05 00:00"), ("U3", "05 12:00"), ("U4", "10-01 00:00")):
        use(number, at, name="quote")
    use("U5", "10-07 10:00", name="quote", quantity=3)
    use("U6", "06 10:00", name="quote", of="M2")
    tick("10-08")
    assert results() == {
        "U1": "no_allowance",
        "U2": "accepted",
        "U3": "nothing_left",
        "U4": "no_allowance",
        "U5": "accepted",
        "U6": "no_allowance",
    }
    assert balances() == {("quotes", "M1", "2022-09"): "1 / 1", ("quotes", "M1", "2022-10"): "3 / 3"}
    assert dict(Allowance.objects.values_list("period", "request_no")) == {"2022-09": "R2", "2022-10": "R5"}
    assert journal() == ["R2 collected 1", "R5 collected 3", "U2 used 1", "U5 used 3"]


def test_what_was_collected_is_spent_by_former_members(world: None) -> None:
    publish(allowance("quotes", "quote", **MONTHLY))
    correct(Membership, Membership.objects.get().pk, ends_at="10 00:00")
    request("R1", "quotes", "09 23:59")
    use("U1", "20 00:00", name="quote", quantity=5)
    tick("21")
    assert results() == {"U1": "accepted"}


def test_late_facts_are_decided_in_their_order(world: None) -> None:
    """Late uses, requests and corrections lead to the same as if they had been known at once."""
    publish(allowance("mails", "mail") + allowance("quotes", "quote", **MONTHLY))
    use("U2", "05 11:00", quantity=3)
    use("Q1", "06 11:00", name="quote", quantity=2)
    tick("07")
    assert results() == {"U2": "accepted", "Q1": "no_allowance"}
    use("U1", "05 10:00", quantity=3)
    request("R1", "quotes", "05 10:00")
    tick("08")
    assert results() == {"U1": "accepted", "U2": "nothing_left", "Q1": "accepted"}
    assert journal() == ["U2 used 3", "U1 used 3", "U2 used -3 *", "R1 collected 5", "Q1 used 2"]
    correct(ClaimRequest, "R1", requested_at="06 11:00:01")
    correct(Usage, "U1", use="quote", used_at="06 12:00", quantity=5)
    tick("09")
    assert results() == {"U1": "accepted", "U2": "accepted", "Q1": "no_allowance"}
    assert balances() == {("mails", "M1", "2022-09-05"): "3 / 5", ("quotes", "M1", "2022-09"): "5 / 5"}
    correct(Membership, Membership.objects.get().pk, starts_at="20 00:00")
    tick("10")
    assert set(results().values()) == {"no_allowance"}
    assert balances() == {}
    by_kind = dict.fromkeys(("collected", "used"), 0)
    for kind, units in AllowanceEntry.objects.values_list("kind", "units"):
        by_kind[kind] += units
    assert by_kind == {"collected": 0, "used": 0}


def test_a_new_version_leaves_what_was_collected_and_used(world: None) -> None:
    publish(allowance("mails", "mail") + allowance("quotes", "quote", **MONTHLY))
    request("R1", "quotes", "05 10:00")
    use("U1", "05 10:00", quantity=5)
    tick("05 12:00")
    publish(allowance("mails", "mail", units="1") + allowance("quotes", "quote", **{**MONTHLY, "units": "1"}))
    use("U2", "05 13:00", name="quote", quantity=5)
    use("U3", "05 09:00")  # late
    use("U4", "06 10:00", quantity=2)
    tick("07")
    assert results() == {"U1": "nothing_left", "U2": "accepted", "U3": "accepted", "U4": "nothing_left"}
    assert balances() == {("mails", "M1", "2022-09-05"): "1 / 5", ("quotes", "M1", "2022-09"): "5 / 5"}


STEPS: dict[str, list[str]] = {
    "at once": [],
    "every six hours": [f"{day:02} {hour:02}:00" for day in range(5, 9) for hour in (0, 6, 12, 18)],
    "some": ["05 10:00", "05 10:30", "06 03:00", "07 13:37"],
}


def test_steps_do_not_matter(world: None) -> None:
    found: dict[str, Any] = {}
    text = allowance("mails", "mail") + allowance("month", "mail", units="7", in_="month", conditions="everyone")
    text += allowance("quotes", "quote", **MONTHLY)
    publish(text)
    for n in range(60):
        at = f"{5 + n % 4:02} {n * 7 % 24:02}:00"
        cancelled = f"{5 + n % 4:02} {(n * 7 + 3) % 24:02}:30" if n % 3 == 0 else None
        use(f"U{n:02}", at, name="quote" if n % 5 == 0 else "mail", quantity=n % 3 + 1, cancelled_at=cancelled)
    for n, at in enumerate(("04 01:00", "06 02:00", "06 01:00")):
        request(f"R{n}", "quotes", at)
    for name, instants in STEPS.items():
        with transaction.atomic():
            for at in (*instants, "09"):
                tick(at)
            found[name] = results(), balances()
            transaction.set_rollback(True)
    assert found["at once"] == found["every six hours"] == found["some"]
    assert len(set(found["at once"][0].values())) == 3


def test_the_database_refuses_to_overspend(world: None) -> None:
    publish(allowance("mails", "mail"))
    use("U1", "05 10:00", quantity=5)
    tick("06")
    for wrong in ({"used": 6}, {"used": -1}, {"units": 4}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Allowance.objects.update(**wrong)
    entry = "UPDATE campaigns_allowanceentry SET units = 1"
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(entry)


def test_ticks_never_run_back(world: None) -> None:
    publish(allowance("mails", "mail", conditions="everyone"))
    use("U1", "05 10:00")
    tick("06")
    tick("05 11:00")
    assert UseProgress.objects.get(use="mail").decided_until == datetime(2022, 9, 6, tzinfo=UTC)
    assert results() == {"U1": "accepted"}
    tick("06 00:01")
    assert not ImportBatch.objects.filter(processed=False).exists()


def test_a_blocked_merchant_has_nothing_at_hand(world: None) -> None:
    publish(allowance("mails", "mail", conditions=f"[{MEMBER}]"))
    tell(
        Block,
        merchant_id="M1",
        kind=Block.Kind.FRAUD,
        status=Block.Status.APPROVED,
        proposed_at="05 09:30",
        proposed_by="one",
        ended_by="other",
        ended_at="05 09:45",
        starts_at="05 10:00",
    )
    use("U1", "05 09:00")
    use("U2", "05 10:00")
    tick("06")
    assert results() == {"U1": "accepted", "U2": "no_allowance"}


def test_rows_of_uses_that_take_units_by_buyer(world: None, tmp_path: Path) -> None:

    def errors(name: str, text: str) -> list[tuple[str, str, str]]:
        return [error[1:] for error in import_text(name, text, tmp_path).errors]

    publish(allowance("buyers", "mail", cost_per="buyer"))
    buyer("B1")
    columns = "usage_no,merchant_code,account_code,use,quantity,buyer_code,used_at\n"
    assert errors("usages", columns + "U1,M1,A1,mail,,,2022-09-05T00:00:00Z") == [
        ("buyer_code", "", "is empty, but mail takes units by buyer")
    ]
    assert errors("usages", columns + "U1,M1,A1,mail,2,B1,2022-09-05T00:00:00Z") == [
        ("quantity", "2", "mail takes units by buyer: write 1, or leave it empty")
    ]
    rows = "U1,M1,A1,mail,1,B1,2022-09-05T00:00:00Z\nU2,M1,A1,fax,2,,2022-09-05T00:00:00Z"
    assert errors("usages", columns + rows) == []
    requests = "request_no,offer,merchant_code,account_code,requested_at\n"
    assert errors("claim_requests", requests + "R1,buyers,M1,A1,2022-09-05T00:00:00Z") == []
    assert len(errors("claim_requests", requests + "R2,nothing,M1,A1,2022-09-05T00:00:00Z")) == 1
