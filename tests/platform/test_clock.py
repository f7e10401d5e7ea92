"""Business clock: real time, or in a demonstration a clock that only moves forward."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries, Settings

from core import clock
from core.models import DEMO_START, DemoClock

REAL = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(settings: Settings) -> None:
    settings.DEMO = True


def test_production_uses_the_real_time_without_a_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with time_machine.travel(REAL, tick=False), django_assert_num_queries(0):
        assert clock.now() == REAL


def test_the_clock_of_production_cannot_be_moved() -> None:
    for move in (
        lambda: clock.move(to=REAL + HOUR),
        lambda: clock.advance(by=HOUR),
        clock.run,
        clock.stop,
    ):
        with pytest.raises(clock.ClockError, match="demonstration"):
            move()
    assert not DemoClock.objects.exists()


@pytest.mark.usefixtures("demo")
class TestDemonstration:
    def test_starts_in_september_2022(self) -> None:
        assert clock.now() == DEMO_START == datetime(2022, 9, 20, 16, tzinfo=UTC)

    def test_stands_still_until_started(self) -> None:
        with time_machine.travel(REAL, tick=False) as real:
            real.shift(HOUR)
            assert clock.now() == DEMO_START
            clock.run()
            real.shift(HOUR)
            assert clock.now() == DEMO_START + HOUR

    def test_continues_where_it_was_stopped(self) -> None:
        with time_machine.travel(REAL, tick=False) as real:
            clock.run()
            real.shift(HOUR)
            clock.stop()
            real.shift(timedelta(days=7))
            clock.run()
            real.shift(HOUR)
            assert clock.now() == DEMO_START + 2 * HOUR

    def test_moves_forward_and_keeps_running(self) -> None:
        with time_machine.travel(REAL, tick=False) as real:
            clock.run()
            clock.advance(by=timedelta(days=1))
            real.shift(HOUR)
            assert clock.now() == DEMO_START + timedelta(days=1) + HOUR

    @pytest.mark.parametrize("back", [timedelta(microseconds=1), HOUR])
    def test_never_moves_backwards(self, back: timedelta) -> None:
        clock.advance(by=HOUR)
        with pytest.raises(clock.ClockError, match="backwards"):
            clock.move(to=DEMO_START + HOUR - back)
        with pytest.raises(clock.ClockError, match="backwards"):
            clock.advance(by=-back)
        assert clock.now() == DEMO_START + HOUR

    def test_a_host_clock_that_jumps_back_does_not_move_it_back(self) -> None:
        with time_machine.travel(REAL, tick=False) as real:
            clock.run()
            clock.advance(by=HOUR)
            real.shift(-HOUR)
            assert clock.now() == DEMO_START + HOUR

    def test_starting_twice_changes_nothing(self) -> None:
        with time_machine.travel(REAL, tick=False) as real:
            clock.run()
            real.shift(HOUR)
            clock.run()
            assert clock.now() == DEMO_START + HOUR
