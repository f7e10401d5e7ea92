"""Races of uses: the lock decides in one order, and without it the database still refuses to overspend."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from unittest.mock import patch

import pytest
from django.db import IntegrityError, connection, transaction

from campaigns.allowances import instant_uses, published, writing
from campaigns.allowances.instant_uses import NewUse
from campaigns.models import Allowance, UseProgress
from tests.support.allowances import allowance, publish
from tests.support.concurrency import Race
from tests.support.marketplace import account
from tests.support.world import merchant, t

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]
THREADS = 4
TABLE = "campaigns_allowance"
CHECK = "allowance_not_overspent"


def spend(number: str, quantity: int = 2) -> str:
    """Use something at once and return the result, or `forbidden` if the database refused it."""
    try:
        with transaction.atomic():
            locked = instant_uses.lock("mail")
            made = instant_uses.spend(locked, [NewUse(number, "M1", "A1", "mail", quantity)], at=t("06 10:00"))
        return made[number].result
    except IntegrityError as error:
        assert CHECK in str(error)
        return "forbidden"


def run() -> list[str]:
    """Use two of five units in each of four threads, which meet before they write, after one unit was used."""
    merchant()
    account()
    publish(allowance("mails", "mail"))
    assert spend("U0", 1) == "accepted"
    race = Race()
    with patch.object(writing, "store", race.stop_before(writing.store)):
        return sorted(race.run([lambda n=n: spend(f"U{n}") for n in range(1, THREADS + 1)]))  # type: ignore[misc]


def unlocked(uses: list[str]) -> dict[str, datetime | None]:
    found = UseProgress.objects.filter(use__in=uses).values_list("use", "decided_until")
    return {**dict.fromkeys(uses), **dict(found)}


@contextmanager
def without_check() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT {CHECK}")
    try:
        yield
    finally:
        Allowance.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {TABLE} ADD CONSTRAINT {CHECK} CHECK (used >= 0 AND used <= units)")


def test_concurrent_uses_are_decided_one_after_the_other() -> None:
    assert run() == ["accepted", "accepted", "nothing_left", "nothing_left"]
    assert Allowance.objects.get().used == 5


@pytest.mark.plants_violation
def test_without_the_lock_the_database_refuses_to_overspend() -> None:
    with patch.object(published, "hold", unlocked):
        assert run() == ["accepted", "accepted", "forbidden", "forbidden"]
    assert Allowance.objects.get().used == 5


@pytest.mark.plants_violation
def test_without_lock_and_check_an_allowance_is_overspent() -> None:
    """Control: the race is real, and the constraint is what stops it."""
    with without_check(), patch.object(published, "hold", unlocked):
        assert run() == ["accepted"] * THREADS
        assert Allowance.objects.get().used == 9
