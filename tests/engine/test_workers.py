"""Real workers on a real broker: killed children, repeated and lost messages (F2, F3, F4, F8 of reliability.md)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from campaigns.engine import quarantine
from campaigns.models import Decision, TickRun, TickStep
from tests.support.processes import Child, children
from tests.support.scenarios import small_world, wipe
from tests.support.servers import PrivateRedis, wait_until
from tests.support.world import everything, grants, tick

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

AT = "2022-09-09T00:00:00+00:00"
# Starts are counted by lines in a file that all children of the pool append to.
WORKER = """
from config.celery import app
from config.celery_settings import REDIS_OPTIONS
app.conf.broker_transport_options = {**REDIS_OPTIONS, "visibility_timeout": %d}
from campaigns import tasks

def started():
    with open(%r, "a") as file:
        file.write("started\\n")
    with open(%r) as file:
        return len(file.readlines())

%s
app.worker_main(["worker", "--concurrency", "2", "--without-gossip", "--without-mingle", "--loglevel", "ERROR"])
"""
DIES_ONCE = """
tick_of_old = ticker.tick
def dying(*, at):
    if started() == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return tick_of_old(at=at)
ticker.tick = dying
"""
DIES_ALWAYS = """
bring_up_of_old = ticker._process
def dying(group, *rest):
    if group[0].terms.fee == "freight":
        started()
        os.kill(os.getpid(), signal.SIGKILL)
    return bring_up_of_old(group, *rest)
ticker._process = dying
"""
LONG = """
import time
write_of_old = claim_decisions._write
def long(*args):
    # Until the same message has come again, or somebody else has done the work.
    while started_now() < 2:
        time.sleep(0.05)
    return write_of_old(*args)
claim_decisions._write = long
tick_of_old = ticker.tick
def counted(*, at):
    started()
    return tick_of_old(at=at)
ticker.tick = counted
def started_now():
    with open(PATH) as file:
        return len(file.readlines())
"""
PLAIN = """
from core import clock
clock.now = lambda: datetime.fromisoformat("2022-09-09T00:00:00+00:00")
tick_of_old = ticker.tick
def counted(*, at):
    started()
    return tick_of_old(at=at)
ticker.tick = counted
"""


@pytest.fixture
def starts(tmp_path: Path) -> Callable[[], int]:
    """Return a function that counts the ticks started by workers."""
    path = tmp_path / "starts"
    path.touch()
    return lambda: len(path.read_text().splitlines())


@contextmanager
def worker(broker: PrivateRedis, folder: Path, behaviour: str, *, visible: int = 600) -> Iterator[Child]:
    path = str(folder / "starts")
    code = WORKER % (visible, path, path, f"PATH = {path!r}\n{behaviour}")
    with children(code, REDIS_URL=broker.url) as (child,):
        yield child


@contextmanager
def bells(broker: PrivateRedis) -> Iterator[Callable[..., object]]:
    """Rings a task of ours on the test's broker, as beat would."""
    from celery import Celery

    app = Celery("bells", broker=broker.url, set_as_current=False)
    with app.connection_for_write() as connection:
        yield lambda name, *args: app.send_task(name, args=args, connection=connection)


def alone() -> dict[str, list[tuple[object, ...]]]:
    small_world()
    tick("09")
    found = everything()
    wipe()
    return found


def idle(broker: PrivateRedis) -> bool:
    """Return whether no message waits and none is unacknowledged."""
    with redis.Redis.from_url(broker.url) as client:
        return not client.llen("celery") and not client.zcard("unacked_index")


def test_a_child_killed_in_the_middle_of_a_tick(
    private_redis: PrivateRedis, tmp_path: Path, starts: Callable[[], int]
) -> None:
    expected = alone()
    with worker(private_redis, tmp_path, DIES_ONCE), bells(private_redis) as ring:
        ring("campaigns.tasks.tick", AT)
        wait_until(
            lambda: TickRun.objects.exclude(finished_at=None).exists() and idle(private_redis), "the tick is done"
        )
    assert starts() == 2
    assert everything() == expected


def test_a_step_that_always_kills_its_worker_is_quarantined(
    private_redis: PrivateRedis, tmp_path: Path, starts: Callable[[], int]
) -> None:
    """One message: the broker gives it out again until the tick ends without the part that kills."""
    expected = alone()
    with worker(private_redis, tmp_path, DIES_ALWAYS), bells(private_redis) as ring:
        ring("campaigns.tasks.tick", AT)
        wait_until(lambda: TickRun.objects.exclude(finished_at=None).exists() and idle(private_redis), "the tick ends")
    assert starts() == quarantine.TRIES
    assert TickRun.objects.latest().skipped_steps == "claims: freight"
    assert {code for code, _ in grants()} == {"c", "half"}
    quarantine.try_again(TickStep.objects.all())
    tick("09")
    assert everything() == expected


def test_a_tick_longer_than_the_visibility_timeout(
    private_redis: PrivateRedis, tmp_path: Path, starts: Callable[[], int]
) -> None:
    """The broker gives the message out again while the first is at work: the second finds nothing to do."""
    expected = alone()
    with worker(private_redis, tmp_path, LONG, visible=2), bells(private_redis) as ring:
        ring("campaigns.tasks.tick", AT)
        wait_until(lambda: TickRun.objects.exclude(finished_at=None).count() >= 2, "both have ended")
    assert starts() >= 2
    assert everything() == expected
    assert sum(run.decided for run in TickRun.objects.all()) == Decision.objects.count(), "each decided once"


def test_a_broker_emptied_loses_nothing(private_redis: PrivateRedis, tmp_path: Path, starts: Callable[[], int]) -> None:
    """The tick's message is lost; the next sweep finds what was imported and not looked at."""
    expected = alone()
    with bells(private_redis) as ring:
        ring("campaigns.tasks.tick", AT)
        with redis.Redis.from_url(private_redis.url) as client:
            assert client.llen("celery") == 1
            client.flushall()
        with worker(private_redis, tmp_path, PLAIN):
            ring("campaigns.tasks.sweep")
            wait_until(lambda: TickRun.objects.exclude(finished_at=None).exists(), "the sweep has done it")
    assert starts() == 1
    assert everything() == expected
