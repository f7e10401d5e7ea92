"""`manage.py up` as users start it: in a process and on a database of its own."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import redis
from pytest_django import DjangoDbBlocker

from standalone import terminal
from tests.support.processes import migrated_sqlite
from tests.support.servers import PATIENCE, PrivateRedis, free_port, wait_until

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Server:
    process: subprocess.Popen[str]
    port: int
    log: Path

    def status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def serves(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return self.status("/admin/login/") == 200

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Environment with a private database, the embedded broker unless `more` names one, and an English terminal."""
    own = {
        name: value
        for name, value in os.environ.items()
        if name not in ("REDIS_URL", "SECRET_KEY", "SITE_URL", *terminal.VARIABLES)
    }
    own["DJANGO_SETTINGS_MODULE"] = "config.settings"
    return (
        own | {"DATABASE_URL": f"sqlite:///{folder}/up.sqlite3", "FAIRGROUND_DEMO": "1", "PYTHONUNBUFFERED": "1"} | more
    )


def manage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Path:
    folder = tmp_path_factory.mktemp("up")
    path = Path(migrated_sqlite(folder, django_db_blocker).removeprefix("sqlite:///"))
    return path.rename(folder / "up.sqlite3").parent


def start(folder: Path, *arguments: str, **more: str) -> Server:
    port, log = free_port(), folder / f"up-{len(list(folder.iterdir()))}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *(arguments or ("manage.py", "up")), "--port", str(port)],
            cwd=ROOT,
            env=environment(folder, **more),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            # A script's `&` makes the process ignore SIGINT; `up` must handle it all the same.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # noqa: PLW1509
        )
    return Server(process, port, log)


WATCHED = """
import django; django.setup()
import sys, threading, time
from django.conf import settings
from django.core.management import execute_from_command_line
from campaigns import tasks
from campaigns.engine import ticker
from standalone.management.commands import up

greet = up.Command._greet
def greet_and_say(*arguments):
    greet(*arguments)
    print("mail links to", settings.SITE_URL, flush=True)
up.Command._greet = greet_and_say
ticker.tick = lambda *, at: print("ticked", at.isoformat(), flush=True)
def send():
    # Repeated, as beat does: a message sent while the worker binds its queue may be lost.
    while True:
        tasks.tick.delay("2022-09-21T00:00:00+00:00")
        time.sleep(1)
threading.Thread(target=send, daemon=True).start()
execute_from_command_line(["manage.py", "up", *sys.argv[1:]])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serves_works_and_stops_cleanly_on_a_signal(folder: Path, number: int) -> None:
    """Pages are served, mail leads to them, the worker runs what the web process sends; a stop leaves nothing."""
    server = start(folder, "-c", WATCHED)
    try:
        wait_until(server.serves, "the login page")
        wait_until(lambda: "ticked 2022-09-21T00:00:00+00:00" in server.log.read_text(), "the tick")
        assert server.status("/static/admin/css/base.css") in (200, 404)  # 404 where static files were not collected
        children = psutil.Process(server.process.pid).children(recursive=True)
        assert server.end(number) == 0, server.log.read_text()
    finally:
        server.process.kill()
        server.process.wait()
    assert not [child for child in children if child.is_running()]
    text = server.log.read_text()
    assert f"http://127.0.0.1:{server.port}/\n" in text
    assert f"mail links to http://127.0.0.1:{server.port}\n" in text
    assert "operator / fairground" in text
    assert text.rstrip().endswith("Stopped.")
    assert "Traceback" not in text
    with closing(sqlite3.connect(folder / "up.sqlite3")) as database:
        assert database.execute("SELECT running_since FROM core_democlock").fetchall() == [(None,)]


@pytest.mark.once(reason="a Redis of its own")
def test_both_workers_survive_a_redis_that_hangs(folder: Path, private_redis: PrivateRedis) -> None:
    """With one event loop for both, the first that connects again ended the other."""
    server = start(folder, REDIS_URL=private_redis.url)
    try:
        with redis.Redis.from_url(private_redis.url) as broker:
            wait_until(lambda: server.serves() and _waiting(broker) == 2, "both workers wait for messages")
            private_redis.freeze()
            wait_until(lambda: _lost(server) >= 2, "both workers lose the broker")
            private_redis.thaw()
            wait_until(lambda: server.serves() and _waiting(broker) == 2, "both workers wait again")
        assert server.end(signal.SIGTERM) == 0, server.log.read_text()
    finally:
        server.process.kill()
        server.process.wait()


def _waiting(broker: redis.Redis) -> int:
    """Return the number of workers that wait for a message."""
    return int(broker.info("clients")["blocked_clients"])


def _lost(server: Server) -> int:
    return server.log.read_text().count("Connection to broker lost")


def test_a_busy_port_is_reported_before_anything_starts(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = manage(folder, "up", "--port", str(port))
        script = subprocess.run([ROOT / "run", "--port", str(port)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"Port {port} cannot be used" in done.stderr
    assert "Traceback" not in done.stderr
    assert script.returncode == 1
    assert f"Port {port} cannot be used" in script.stderr
    assert not script.stdout


@pytest.mark.parametrize("port", ["0", "65536", "eighty", ""])
def test_the_script_refuses_an_invalid_port(port: str) -> None:
    done = subprocess.run([ROOT / "run", "--port", port], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "--port takes a number" in done.stderr


BROKEN = """
import sys
from standalone.management.commands import up
class Broken:
    def start(self):
        raise RuntimeError("fault point")
create = up._create_worker
up._create_worker = lambda app, queue: Broken() if queue == "celery" else create(app, queue)
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "up", *sys.argv[1:]])
"""


def test_a_dead_worker_ends_the_process(folder: Path) -> None:
    server = start(folder, "-c", "import django; django.setup()\n" + BROKEN)
    assert server.process.wait(PATIENCE) == 1
    text = server.log.read_text()
    assert "fault point" in text
    assert "Stopped because the worker died." in text


SLOW = """
import sys, threading, time
from django.utils import timezone
from campaigns import tasks
from campaigns.engine import ticker
from campaigns.models import Endpoint
from campaigns.notifications import webhook_sender
from django.core.management import execute_from_command_line
slow = Endpoint.objects.create(name="slow", url="https://slow.example", secret="x", created_at=timezone.now()).pk
delivering, ticked = threading.Event(), threading.Event()
def deliver(*_, **__):
    delivering.set()
    assert ticked.wait(100)
    print("delivered after the tick", flush=True)
def tick(*, at):
    if delivering.is_set():
        ticked.set()
webhook_sender.deliver, ticker.tick = deliver, tick
def send():
    while not ticked.is_set():
        tasks.deliver.delay(slow)
        tasks.tick.delay("2022-09-21T00:00:00+00:00")
        time.sleep(1)
threading.Thread(target=send, daemon=True).start()
execute_from_command_line(["manage.py", "up", *sys.argv[1:]])
"""


def test_a_slow_receiver_of_webhooks_does_not_hold_ticks(folder: Path) -> None:
    server = start(folder, "-c", "import django; django.setup()\n" + SLOW)
    try:
        wait_until(lambda: "delivered after the tick" in server.log.read_text(), "the tick during a delivery")
    finally:
        assert server.end(signal.SIGINT) == 0


def test_commands_print_chinese_on_a_chinese_terminal(folder: Path, tmp_path: Path) -> None:
    chinese = environment(folder) | {"LANG": "zh_CN.UTF-8"}
    command = [sys.executable, "manage.py", "demo_world", str(tmp_path), "--merchants", "0"]
    done = subprocess.run(command, cwd=ROOT, env=chinese, capture_output=True, text=True, check=False)
    assert "--merchants 须介于" in done.stderr
