"""A step of the tick that keeps failing is quarantined, and the others go on (F3 in docs/reliability.md)."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth.models import Group, User
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from campaigns.engine import claim_decisions, quarantine, ticker
from campaigns.models import TickRun, TickStep
from campaigns.monitoring import health
from core.clock import real
from tests.support.concurrency import Race
from tests.support.scenarios import small_world, wipe
from tests.support.world import everything, freight, grants, merchant, offer, publish, t, tick

pytestmark = pytest.mark.django_db


class BrokenError(Exception):
    """Error of a fault in the code of a step."""


@contextmanager
def broken(what: str, error: Exception | None = None) -> Iterator[None]:
    """Let the claims on one fee, or of one coupon offer, fail."""
    bring_up = ticker._process

    def break_down(group: Any, *rest: Any) -> bool:
        if what in (group[0].terms.fee, group[0].code):
            raise error or BrokenError
        return bring_up(group, *rest)

    with patch.object(ticker, "_process", break_down):
        yield


def in_vain(what: str, times: int, error: Exception | None = None) -> None:
    with broken(what, error):
        for _ in range(times):
            with pytest.raises(type(error) if error else BrokenError):
                tick("09")


def board() -> tuple[bool, str]:
    check = next(check for check in health.checks(now=real()) if check.key == "steps")
    return check.ok, str(check.text)


def test_after_three_tries_the_others_go_on_and_later_it_comes_to_the_same() -> None:
    small_world()
    tick("09")
    expected = everything()
    wipe()
    in_vain("freight", quarantine.TRIES)
    assert not TickRun.objects.filter(skipped_steps__gt="").exists()
    tick("09")
    assert TickRun.objects.latest().skipped_steps == "claims: freight"
    assert {code for code, _ in grants()} == {"c", "half"}
    assert board() == (False, "claims: freight")
    before = everything()
    tick("09")
    assert everything() == before, "nobody said that it is to be tried again"
    assert quarantine.try_again(TickStep.objects.all()) == 1
    tick("09")
    assert everything() == expected
    assert (TickRun.objects.latest().skipped_steps, board()) == ("", (True, "none"))


def test_a_try_that_ends_is_not_counted() -> None:
    small_world()
    in_vain("freight", quarantine.TRIES - 1)
    tick("08")
    in_vain("freight", quarantine.TRIES)
    tick("09")
    assert TickRun.objects.latest().skipped_steps == "claims: freight"


def test_a_database_that_is_away_is_not_counted() -> None:
    small_world()
    in_vain("freight", quarantine.TRIES + 2, OperationalError("gone"))
    assert board() == (True, "none")


def test_freight_waits_for_coupons_that_may_take_the_fee() -> None:
    small_world()
    tick("09")
    expected = everything()
    wipe()
    in_vain("c", quarantine.TRIES)
    tick("09")
    assert TickRun.objects.latest().skipped_steps == "claims: c, claims: freight"
    assert {code for code, _ in grants()} == {"half"}
    quarantine.try_again(TickStep.objects.all())
    tick("09")
    assert everything() == expected


def test_a_new_version_is_tried_anew() -> None:
    merchant()
    publish(offer("o", quota="{limit: 1}"))
    in_vain("freight", quarantine.TRIES)
    publish(offer("o", quota="{limit: 2}"))
    tick("09")
    assert TickRun.objects.latest().skipped_steps == ""


def skipped_behind_a_long_tick(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the steps that ticks skip while another tick is about to write its decisions."""
    merchant()
    publish(offer("o"))
    freight("F", paid_at="02")
    race = Race()
    monkeypatch.setattr(claim_decisions, "_write", race.stop_before(claim_decisions._write))

    def skipped() -> str:
        return ticker.tick(at=t("09")).skipped_steps

    return set(race.run([skipped, *[race.after_first(skipped)] * (quarantine.TRIES + 1)]))


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_requests_that_wait_for_a_long_tick_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert skipped_behind_a_long_tick(monkeypatch) == {""}
    assert TickStep.objects.get(name="claims: freight").tries == 0


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_a_long_tick_is_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "alone", nullcontext)
    assert skipped_behind_a_long_tick(monkeypatch) == {"", "claims: freight"}


@pytest.mark.parametrize(("role", "left"), [("operator", 0), ("viewer", 3)])
def test_an_operator_has_it_tried_again(role: str, left: int, client: Client) -> None:
    TickStep.objects.create(name="claims: freight", tries=quarantine.TRIES, tried_at=t("09"))
    person = User.objects.create_user("p", is_staff=True)
    person.groups.add(Group.objects.get(name=role))
    client.force_login(person)
    chosen = {"action": "try_again", "_selected_action": ["claims: freight"]}
    page = client.post(reverse("admin:campaigns_tickstep_changelist"), chosen, follow=True)
    assert page.status_code == 200
    assert TickStep.objects.get(name="claims: freight").tries == left
