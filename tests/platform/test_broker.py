"""A broker that is down or hangs delays its caller by two seconds at most and raises nothing (F5)."""

from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from django.db import transaction

from config.celery import BestEffortTask
from config.celery_settings import REDIS_OPTIONS
from tests.support.servers import PrivateRedis, free_port, takes_at_most


@pytest.fixture(autouse=True)
def no_pause() -> Iterator[None]:
    BestEffortTask._suspended_until = 0.0
    yield
    BestEffortTask._suspended_until = 0.0


def work() -> None:
    """Body of the task; no worker runs it here."""


def create_task(url: str) -> Any:
    """Return a best-effort task with the project's options on the broker at `url`."""
    app = Celery("trial", task_cls=BestEffortTask, broker=url, set_as_current=False)
    app.conf.update(broker_transport_options=REDIS_OPTIONS, task_publish_retry=False, task_ignore_result=True)
    return app.task(name="trial.work")(work)


def is_quick(task: Any) -> bool:
    """Return True if a call of the task takes two seconds at most, though the broker was not known to fail."""

    def call() -> None:
        BestEffortTask._suspended_until = 0.0
        task.delay()

    return takes_at_most(2, call)


def test_redis_down(caplog: pytest.LogCaptureFixture) -> None:
    assert is_quick(create_task(f"redis://127.0.0.1:{free_port()}/0"))
    assert "The broker did not accept trial.work" in caplog.text


def test_redis_accepts_and_never_answers(deaf_port: int, caplog: pytest.LogCaptureFixture) -> None:
    assert is_quick(create_task(f"redis://127.0.0.1:{deaf_port}/0"))
    assert "The broker did not accept trial.work" in caplog.text


def test_redis_freezes_and_dies_under_open_connections(
    private_redis: PrivateRedis, caplog: pytest.LogCaptureFixture
) -> None:
    task = create_task(private_redis.url)
    task.delay()
    assert not caplog.records
    private_redis.freeze()
    assert is_quick(task)
    assert "The broker did not accept trial.work" in caplog.text
    private_redis.kill()
    assert is_quick(task)


def test_only_the_first_caller_waits_for_a_hanging_broker(
    deaf_port: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BestEffortTask, "retry_after", 600.0)
    task = create_task(f"redis://127.0.0.1:{deaf_port}/0")
    for _ in range(3):
        task.delay()
    assert len(caplog.records) == 1  # the others did not ask the broker


def test_messages_are_sent_again_after_the_pause(private_redis: PrivateRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BestEffortTask, "retry_after", 0.0)
    create_task(f"redis://127.0.0.1:{free_port()}/0").delay()
    task = create_task(private_redis.url)
    task.delay()
    with task.app.connection_for_read() as connection:
        assert connection.default_channel.client.llen("celery") == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_before_the_commit_or_after_a_rollback(private_redis: PrivateRedis) -> None:
    task = create_task(private_redis.url)
    with task.app.connection_for_read() as connection:
        queued = connection.default_channel.client.llen
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            task.delay_on_commit()
            _ = 1 / 0
        assert queued("celery") == 0
        with transaction.atomic():
            task.delay_on_commit()
            assert queued("celery") == 0
        assert queued("celery") == 1
