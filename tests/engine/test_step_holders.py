"""A step of the tick whose process was killed in a long statement (F16 in docs/reliability.md)."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from campaigns.engine import claim_decisions, quarantine
from campaigns.models import TickRun, TickStep
from campaigns.monitoring import health, step_holders
from campaigns.monitoring.step_holders import Holder
from tests.support.processes import Child, children, url, wait_for_a_lock
from tests.support.servers import wait_until
from tests.support.world import freight, grants, merchant, offer, publish, tick

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

CHECK_SECONDS = 1
LONG_STATEMENT = """
decide = claim_decisions.decide
def long(*args, **kwargs):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(600)")
    return decide(*args, **kwargs)
claim_decisions.decide = long
"""
TICK = "tick('2022-09-09T00:00:00+00:00')\n"


@contextmanager
def ticking_for_long(check_seconds: int) -> Iterator[tuple[Child, Holder]]:
    """Start a process whose tick is in a long statement of a step. End its session with the block."""
    merchant()
    publish(offer("o"))
    freight("F", paid_at="02")
    with children(LONG_STATEMENT + TICK, FAIRGROUND_CLIENT_CHECK_SECONDS=str(check_seconds)) as (child,):
        wait_until(lambda: any(is_sleeping(holder.pid) for holder in step_holders.holders()), "the step sleeps")
        [holder] = step_holders.holders()
        try:
            yield child, holder
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s", [holder.pid])


def is_sleeping(session: int) -> bool:
    with psycopg.connect(url(), autocommit=True) as observer:
        sleeping = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND query LIKE '%%pg_sleep%%' AND state = 'active'"
        return observer.execute(sleeping, [session]).fetchone() is not None


def kill(child: Child) -> None:
    child.process.kill()
    assert child.ends()[0] == -signal.SIGKILL


def test_a_killed_tick_leaves_its_step_to_the_next() -> None:
    with ticking_for_long(CHECK_SECONDS) as (child, holder):
        kill(child)
        wait_until(lambda: not is_sleeping(holder.pid), "PostgreSQL has ended the statement")
        tick("09")
    assert grants() == {("o", "F"): "settled 100.00 CNY"}
    assert step_holders.holders() == []


def test_control_without_the_check_the_session_keeps_the_step() -> None:
    with ticking_for_long(0) as (child, holder):
        kill(child)
        end = time.monotonic() + 3 * CHECK_SECONDS
        wait_until(lambda: time.monotonic() > end, "three times the interval has passed")
        assert is_sleeping(holder.pid)
        assert [held.pid for held in step_holders.holders()] == [holder.pid]
    assert grants() == {}


def test_the_overview_names_who_holds_a_step_for_too_long() -> None:
    with ticking_for_long(CHECK_SECONDS) as (child, holder), children(TICK):
        wait_for_a_lock()
        assert held(holder, health.LONGEST_STEP).ok
        late = held(holder, health.LONGEST_STEP + timedelta(microseconds=1))
        host = socket.gethostname()
        expected = f"claims: freight for 10 min by -c on {host}, session {holder.pid}, 1 waiting"
        assert (late.ok, late.text) == (False, expected)
        assert f"sessions: {holder.pid}." in str(late.remedy)
        kill(child)
    # The server ends the sessions of killed processes when it notices that nobody listens.
    wait_until(lambda: held(holder, 2 * health.LONGEST_STEP).text == "none", "the step is free")


def held(holder: Holder, passed: timedelta) -> health.Check:
    """Return the check of steps at work, so long after the holder's attempt began."""
    assert holder.since is not None
    checks = health.checks(now=holder.since + passed)
    return next(check for check in checks if check.key == "held")


def test_a_statement_that_takes_too_long_is_a_failed_attempt(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    merchant()
    publish(offer("o"))
    freight("F", paid_at="02")
    settings.TICK_STATEMENT_SECONDS = 1
    with monkeypatch.context() as patched:
        patched.setattr(claim_decisions, "decide", sleep)
        for _ in range(quarantine.TRIES):
            with pytest.raises(OperationalError, match="statement timeout"):
                tick("09")
        assert "PostgreSQL ended a statement, the next tick tries again: claims: freight" in caplog.text
        tick("09")
    assert TickRun.objects.latest().skipped_steps == "claims: freight"
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
    assert quarantine.try_again(TickStep.objects.all()) == 1
    tick("09")
    assert grants() == {("o", "F"): "settled 100.00 CNY"}


def sleep(*_: object, **__: object) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(600)")
    return 0
