"""Instants from 1970 to 2200 are accepted; a tick far ahead of the clock must be meant."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from pytest_django import Settings

from campaigns.engine import ticker
from campaigns.models import Grant, Offer, TickRun
from core import clock
from core.clock import ClockError
from tests.support.world import freight, merchant, offer, publish, tick

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def run(as_of: str, *options: str) -> None:
    with time_machine.travel(NOW, tick=False):
        call_command("tick", "--as-of", as_of, *options)


def marks() -> list[object]:
    return [TickRun.objects.count(), list(Offer.objects.values_list("claims_decided_until", "grants_followed_until"))]


@pytest.mark.parametrize("command", ["tick", "explain"])
@pytest.mark.parametrize(
    "as_of", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+08:00", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-08:00"]
)
def test_instants_far_away_are_refused_and_nothing_moves(command: str, as_of: str) -> None:
    merchant()
    publish(offer("o"))
    freight("F", paid_at="02")
    before = marks()
    with pytest.raises(CommandError, match="not between the years 1970 and 2200"):
        call_command(*([command] if command == "tick" else [command, "o", "F"]), "--as-of", as_of)
    assert marks() == before
    tick("05")
    assert Grant.objects.count() == 1


def test_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(CommandError, match="has no offset"):
        call_command("tick", "--as-of", "2022-09-01T00:00:00")


def test_a_tick_of_the_engine_refuses_them_too() -> None:
    for at in (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)):
        with pytest.raises(ValueError, match="1970"):
            ticker.tick(at=at)
    assert not TickRun.objects.exists()


def test_a_tick_more_than_a_day_ahead_must_be_meant() -> None:
    merchant()
    publish(offer("o"))
    before = marks()
    with pytest.raises(CommandError, match="--future"):
        run("2026-03-03T12:00:01Z")
    with pytest.raises(CommandError, match="--future"):
        run("2062-03-01T00:00:00Z")
    assert marks() == before
    run("2026-03-03T12:00:00Z")
    run("2062-03-01T00:00:00Z", "--future")
    assert TickRun.objects.count() == 2


def test_the_past_needs_no_option_in_production_or_in_a_demonstration(settings: Settings) -> None:
    run("2022-09-05T00:00:00Z")
    settings.DEMO = True
    run("2022-12-31T00:00:00Z")
    assert TickRun.objects.count() == 2


def test_the_clock_of_a_demonstration_stays_within_them(settings: Settings) -> None:
    settings.DEMO = True
    with pytest.raises(ClockError, match="1970"):
        clock.move(to=datetime(2201, 1, 1, tzinfo=UTC))
    with pytest.raises(ClockError, match="1970"):
        clock.advance(by=timedelta(days=365 * 500))
