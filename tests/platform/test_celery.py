"""Celery settings: schedule, expiry and redelivery of messages."""

from datetime import UTC, datetime

import pytest
from celery.schedules import crontab

from campaigns import tasks
from campaigns.engine import ticker
from config.celery import app
from config.celery_settings import REDIS_OPTIONS
from core import clock


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, datetime]]:
    calls: list[tuple[str, datetime]] = []
    monkeypatch.setattr(ticker, "tick", lambda *, at: calls.append(("tick", at)))
    monkeypatch.setattr(ticker, "sweep", lambda *, at: calls.append(("sweep", at)))
    return calls


def test_beat_ticks_every_minute_and_sweeps_every_30_seconds() -> None:
    schedule = app.conf.beat_schedule
    assert schedule["tick"]["schedule"] == crontab()
    assert schedule["sweep"]["schedule"] == 30.0
    app.loader.import_default_modules()
    assert {entry["task"] for entry in schedule.values()} <= set(app.tasks)
    assert str(app.conf.timezone) == "UTC"


def test_beats_messages_expire_before_the_next() -> None:
    assert all(entry["options"]["expires"] <= 60 for entry in app.conf.beat_schedule.values())


def test_a_task_of_a_killed_worker_is_redelivered() -> None:
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert REDIS_OPTIONS["unacked_restore_interval"] == 1


def test_results_are_not_stored() -> None:
    assert app.conf.task_ignore_result
    assert app.conf.result_backend is None


@pytest.mark.django_db
def test_tick_uses_the_given_instant_or_now(ticks: list[tuple[str, datetime]], monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2022, 10, 1, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: now)
    tasks.tick("2022-09-30T00:00:00-07:00")
    tasks.tick()
    tasks.sweep()
    assert ticks == [("tick", datetime(2022, 9, 30, 7, tzinfo=UTC)), ("tick", now), ("sweep", now)]
