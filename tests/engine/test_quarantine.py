"""One bad subject, merchant or offer stops no other: it is quarantined, named, and tried again."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import DatabaseError, OperationalError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from campaigns.engine import claim_decisions, quarantine_entries
from campaigns.models import Decision, Grant, Offer, QuarantineEntry, Tag
from campaigns.monitoring import health, prometheus
from core.clock import real
from logistics.models import FreightOrder
from tests.support.faults import beyond_arithmetic, refused, unreadable
from tests.support.scenarios import threshold_offer, wipe
from tests.support.world import (
    batch,
    correct,
    everything,
    freight,
    grants,
    merchant,
    offer,
    publish,
    receipt,
    states,
    t,
    tick,
    trade,
)

pytestmark = pytest.mark.django_db


def world(*, without: str = "", quota: str = "{limit: 4}") -> None:
    """Record two merchants with six freight orders and six trade orders; offer `o` has four places."""
    for code in ("M1", "M2"):
        merchant(code)
    publish(offer("o", quota=quota) + offer("p", benefit="{fee: freight, percent: 5}") + threshold_offer())
    add_orders([f"F{n}" for n in range(1, 7) if f"F{n}" != without])
    for n in range(1, 7):
        trade(f"T{n}", f"M{n % 2 + 1}", completed_at=f"1{n}")
        receipt(f"R{n}", f"T{n}", f"0{n} 10:30", amount=60)


def add_orders(orders: list[str]) -> None:
    for order in orders:
        n = int(order[1:])
        freight(order, f"M{n % 2 + 1}", paid_at=f"0{n} 11:00", cancelled_at="08" if n == 2 else None)


def held() -> dict[str, str]:
    """Return the stage of each entry, by its key."""
    return {entry.key: str(entry.stage) for entry in QuarantineEntry.objects.all()}


def without_queue(found: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    return {name: rows for name, rows in found.items() if name != "queue"}


def fault(kind: str) -> AbstractContextManager[None]:
    """Let the processing of F3 fail."""
    match kind:
        case "grant":
            return refused(Grant, "NEW.subject = 'F3'")
        case "decision":
            return refused(Decision, "NEW.subject = 'F3'")
        case _:
            unreadable(FreightOrder, "F3", kind)
            return nullcontext()


FAULTS = {"grant": "write", "decision": "write", "base_freight": "evaluate", "cancelled_at": "evaluate"}


@pytest.mark.parametrize("kind", FAULTS)
def test_the_others_are_decided_as_without_the_bad_subject(kind: str) -> None:
    world(without="F3")
    tick("09")
    expected = everything()
    wipe()
    add_orders(["F3"])
    with fault(kind):
        tick("09")
        assert everything() == expected
        assert held() == {"F3": FAULTS[kind]}
        tick("09 00:01")
        assert everything() == expected
        assert QuarantineEntry.objects.get().attempts == 1, "the next attempt is due after five minutes"


@pytest.mark.parametrize("kind", FAULTS)
def test_without_its_cause_it_is_decided_as_if_it_had_never_failed(kind: str) -> None:
    world(quota="")
    tick("09")
    expected = without_queue(everything())
    wipe()
    before = FreightOrder.objects.get(pk="F3")
    with fault(kind):
        tick("09")
        tick("09 00:05")
        assert QuarantineEntry.objects.get().attempts == 2
    FreightOrder.objects.filter(pk="F3").update(base_freight=before.base_freight, cancelled_at=None)
    tick("09 00:10")
    assert "F3" not in {subject for _, subject in grants()}, "the second interval is twice as long"
    tick("09 00:15")
    assert without_queue(everything()) == expected
    assert not QuarantineEntry.objects.exists()
    tick("09 00:16")
    assert not Offer.objects.filter(has_quarantined=True).exists()


def test_a_grant_that_cannot_be_followed_holds_back_no_other() -> None:
    world(without="F2", quota="")
    tick("07")
    add_orders(["F2"])
    tick("07 12:00")
    correct(FreightOrder, "F4", cancelled_at="08")
    with refused(Grant, "NEW.subject = 'F2' AND NEW.status = 'released'", on="UPDATE"):
        tick("09")
        assert (states("o")["F2"], states("o")["F4"]) == ("settled", "released")
        assert held() == {"F2": "follow"}
    tick("09 00:05")
    assert states("o")["F2"] == "released"
    assert held() == {}


def test_a_merchant_whose_receipts_cannot_be_added_up_holds_back_no_other() -> None:
    world()
    tick("09")
    expected = without_queue(everything())
    wipe()
    with refused(Tag, "NEW.merchant_id = 'M2'"):
        tick("04")
        tick("09")
        assert set(states("half")) == {"T6"}
        assert held() == {"M2": "tag"}
    quarantine_entries.try_again(QuarantineEntry.objects.all())
    tick("09")
    assert without_queue(everything()) == expected, "its receipts are not late: they were recorded in time"


def test_a_corrected_row_is_tried_at_once() -> None:
    world()
    unreadable(FreightOrder, "F3", "base_freight")
    tick("09")
    assert held() == {"F3": "evaluate"}
    correct(FreightOrder, "F3", base_freight=700)
    tick("09 00:01")
    assert grants()["o", "F3"] == "settled 70.00 CNY"


def test_an_operator_has_it_tried_at_once() -> None:
    world()
    with fault("grant"):
        tick("09")
    assert quarantine_entries.try_again(QuarantineEntry.objects.all()) == 1
    tick("09")
    assert held() == {}
    assert ("o", "F3") in grants()


def test_an_offer_that_always_fails_holds_back_no_other() -> None:
    world()
    tick("09")
    expected = everything()
    wipe()
    offer_p = Offer.objects.get(code="p").pk
    with refused(Decision, f"NEW.offer_id = {offer_p}"):
        tick("09")
        assert held() == {"p": "decide"}
        assert sorted(subject for code, subject in grants() if code == "o") == ["F1", "F2", "F3", "F4"]
        assert {code for code, _ in grants()} == {"o", "half"}
    tick("09 00:05")
    assert everything() == expected


def test_a_new_version_is_tried_at_once() -> None:
    world()
    offer_p = Offer.objects.get(code="p").pk
    with refused(Decision, f"NEW.offer_id = {offer_p}"):
        tick("09")
    publish(offer("p", benefit="{fee: freight, percent: 6}"), at="09 00:01")
    tick("09 00:02")
    assert held() == {}
    assert Decision.objects.filter(offer=offer_p).count() == 6


@pytest.mark.parametrize("error", [MemoryError(), OperationalError("the connection is lost"), TimeoutError()])
def test_errors_of_circumstances_quarantine_nobody(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    world()

    def fail(*_some: object) -> None:
        raise error

    monkeypatch.setattr(claim_decisions, "_write", fail)
    with pytest.raises(type(error)):
        tick("09")
    assert held() == {}


@pytest.mark.postgresql
def test_a_statement_that_is_cancelled_quarantines_nobody(settings: Settings) -> None:
    world()
    settings.TICK_STATEMENT_SECONDS = 1
    with (
        refused(Grant, "NEW.subject = 'F3'", body="PERFORM pg_sleep(10)"),
        pytest.raises(OperationalError),
        transaction.atomic(),
    ):
        tick("09")
    assert held() == {}


def test_a_step_that_fails_stops_no_other() -> None:
    world()
    with refused(Offer, "NEW.code = 'o'", on="UPDATE"), pytest.raises(DatabaseError):
        tick("09")
    assert {code for code, _ in grants()} == {"half"}


def test_it_is_named_with_the_reason() -> None:
    world()
    with fault("grant"):
        tick("09")
    check = next(check for check in health.checks(now=real()) if check.key == "quarantine")
    assert not check.ok
    assert str(check.text).startswith("subject F3 (claims: freight): ")
    assert "this row cannot be written" in check.text
    assert 'fairground_quarantined{stage="write"} 1.0' in prometheus.render(now=real()).decode()
    tick("09 00:05")
    check = next(check for check in health.checks(now=real()) if check.key == "quarantine")
    assert (check.ok, check.text) == (True, "empty")


@pytest.mark.parametrize(("role", "due"), [("operator", True), ("viewer", False)])
def test_operators_have_it_tried_again_in_the_workspace(role: str, due: bool, client: Client) -> None:
    world()
    with fault("grant"):
        tick("09")
    person = User.objects.create_user("p", is_staff=True)
    person.groups.add(Group.objects.get(name=role))
    client.force_login(person)
    entry = QuarantineEntry.objects.get()
    page = reverse("admin:campaigns_quarantineentry_changelist")
    chosen = {"action": "try_again", "_selected_action": [entry.pk]}
    shown = client.post(page, chosen, follow=True).content.decode()
    assert "this row cannot be written" in shown
    assert (QuarantineEntry.objects.get().retry_at is None) is due


def test_one_among_many_costs_a_logarithm_of_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    merchant("M1")
    publish(offer("o"))
    in_one_import = batch()
    FreightOrder.objects.bulk_create(
        FreightOrder(
            order_no=f"F{n:05}",
            merchant_id="M1",
            service="express",
            line="us-charter-select",
            base_freight=100,
            currency="CNY",
            paid_at=t("02"),
            batch=in_one_import,
        )
        for n in range(1_024)
    )
    attempts = 0
    refuse = claim_decisions._refuse

    def counted(*some: Any) -> int:
        nonlocal attempts
        attempts += 1
        return refuse(*some)

    monkeypatch.setattr(claim_decisions, "_refuse", counted)
    unreadable(FreightOrder, "F00300", "base_freight")
    tick("09")
    assert held() == {"F00300": "evaluate"}
    assert Grant.objects.count() == 1_023
    assert attempts <= 2 * 10 + 6, "two for each halving, the runs before and after, and the empty one"


def test_a_row_with_which_the_database_cannot_calculate_holds_back_no_other() -> None:
    """The row fails wherever it is read, so the statements must not touch it any more."""
    merchant("M1")
    publish(offer("o", claim="{at: {day_after: paid_at, zone: UTC}}"))
    for n in range(1, 7):
        freight(f"F{n}", paid_at=f"0{n} 11:00")
    beyond_arithmetic(FreightOrder, "F3", "paid_at")
    for at in ("09", "09 00:01", "09 00:05"):
        tick(at)
        assert held() == {"F3": "evaluate"}
        assert set(states("o")) == {"F1", "F2", "F4", "F5", "F6"}
    freight("F7", paid_at="09 01:00")
    tick("10 12:00")
    assert "F7" in states("o")
    correct(FreightOrder, "F3", paid_at="03 11:00")
    tick("10 12:01")
    assert held() == {}
    assert states("o")["F3"] == "settled"
