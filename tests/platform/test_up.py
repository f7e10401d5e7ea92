"""`manage.py up` as users start it: in a process and on a database of its own."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from standalone import terminal
from tests.support.servers import PATIENCE, free_port, wait_until

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


def environment(folder: Path) -> dict[str, str]:
    """Environment with a private database, the embedded broker and an English terminal."""
    own = {
        name: value
        for name, value in os.environ.items()
        if name not in ("REDIS_URL", "SECRET_KEY", "SITE_URL", *terminal.VARIABLES)
    }
    own["DJANGO_SETTINGS_MODULE"] = "config.settings"
    return own | {"DATABASE_URL": f"sqlite:///{folder}/up.sqlite3", "FAIRGROUND_DEMO": "1", "PYTHONUNBUFFERED": "1"}


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
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("up")
    done = manage(folder, "migrate", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    return folder


def start(folder: Path, *arguments: str) -> Server:
    port, log = free_port(), folder / f"up-{len(list(folder.iterdir()))}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *(arguments or ("manage.py", "up")), "--port", str(port)],
            cwd=ROOT,
            env=environment(folder),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            # A script's `&` makes the process ignore SIGINT; `up` must handle it all the same.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # noqa: PLW1509
        )
    return Server(process, port, log)


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    server = start(folder)
    wait_until(server.serves, "the login page")
    yield server
    if server.process.poll() is None:
        server.process.kill()
        server.process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serves_and_stops_cleanly_on_a_signal(server: Server, number: int) -> None:
    assert server.status("/static/admin/css/base.css") in (200, 404)  # 404 where static files were not collected
    children = psutil.Process(server.process.pid).children(recursive=True)
    assert server.end(number) == 0, server.log.read_text()
    assert not psutil.pid_exists(server.process.pid)
    assert not [child for child in children if child.is_running()]
    text = server.log.read_text()
    assert f"http://127.0.0.1:{server.port}/\n" in text
    assert "operator / fairground" in text
    assert text.rstrip().endswith("Stopped.")
    assert "Traceback" not in text


def test_a_clean_stop_stops_the_clock(server: Server, folder: Path) -> None:
    server.end(signal.SIGTERM)
    script = "from core.models import DemoClock; print('running:', DemoClock.objects.get().running_since)"
    assert "running: None" in manage(folder, "shell", "-c", script).stdout


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
up._create_worker = Broken
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "up", *sys.argv[1:]])
"""


def test_a_dead_worker_ends_the_process(folder: Path) -> None:
    server = start(folder, "-c", "import django; django.setup()\n" + BROKEN)
    assert server.process.wait(PATIENCE) == 1
    text = server.log.read_text()
    assert "fault point" in text
    assert "Stopped because the worker died." in text


SENDING = """
import sys, threading, time
from campaigns import tasks
from campaigns.engine import ticker
from django.core.management import execute_from_command_line
ticker.tick = lambda *, at: print("ticked", at.isoformat(), flush=True)
def send():
    # Repeated, as beat does: a message sent while the worker binds its queue may be lost.
    while True:
        tasks.tick.delay("2022-09-21T00:00:00+00:00")
        time.sleep(1)
threading.Thread(target=send, daemon=True).start()
execute_from_command_line(["manage.py", "up", *sys.argv[1:]])
"""


def test_a_tick_sent_by_the_web_process_is_run_by_the_worker(folder: Path) -> None:
    server = start(folder, "-c", "import django; django.setup()\n" + SENDING)
    try:
        wait_until(lambda: "ticked 2022-09-21T00:00:00+00:00" in server.log.read_text(), "the tick")
    finally:
        assert server.end(signal.SIGINT) == 0


LINK = """
import sys
from django.conf import settings
from django.core.management import execute_from_command_line
from standalone.management.commands import up
up.Command._greet = lambda *_: print("mail links to", settings.SITE_URL, flush=True)
execute_from_command_line(["manage.py", "up", *sys.argv[1:]])
"""


def test_links_in_mail_lead_to_the_port_that_is_served(folder: Path) -> None:
    server = start(folder, "-c", "import django; django.setup()\n" + LINK)
    try:
        wait_until(lambda: "mail links to" in server.log.read_text(), "the greeting")
        assert f"mail links to http://127.0.0.1:{server.port}\n" in server.log.read_text()
    finally:
        assert server.end(signal.SIGINT) == 0


def test_commands_print_chinese_on_a_chinese_terminal(folder: Path, tmp_path: Path) -> None:
    chinese = environment(folder) | {"LANG": "zh_CN.UTF-8"}
    command = [sys.executable, "manage.py", "demo_world", str(tmp_path), "--merchants", "0"]
    done = subprocess.run(command, cwd=ROOT, env=chinese, capture_output=True, text=True, check=False)
    assert "--merchants 须介于" in done.stderr
