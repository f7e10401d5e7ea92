"""Servers for tests: gunicorn, a private Redis that a test may freeze and kill, free ports, waiting."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path
from urllib.request import urlopen

import pytest
import redis

from tests.runner import ROOT

_PORTS = cycle(range(10_000 + os.getpid() % 1_000 * 20, 10_020 + os.getpid() % 1_000 * 20))


def free_port() -> int:
    """Return a TCP port that is free now.

    It is below the ports that the system gives out, and each process has its own: nothing takes it before its server.
    """
    while True:
        port = next(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port


PATIENCE = 120
"""Seconds after which a test that waits has failed: far more than it ever takes, on a machine with much other work."""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Poll until `condition` holds; fail with `what` when it does not within `PATIENCE`."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {PATIENCE} s: {what}")
        time.sleep(0.02)


def resolve_names_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name resolve to these addresses."""
    resolved = [(0, 0, 0, "", (address, 443)) for address in addresses]
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: resolved)


def takes_at_most(seconds: float, call: Callable[[], object]) -> bool:
    """Return True if one of three calls ends in time: other work on the machine makes single calls late."""

    def is_in_time() -> bool:
        began = time.monotonic()
        call()
        return time.monotonic() - began <= seconds

    return any(is_in_time() for _ in range(3))


PRODUCTION = {
    "SECRET_KEY": "x9" + "kq7-" * 15,
    "ALLOWED_HOSTS": "fairground.example",
    "FAIRGROUND_HTTPS": "1",
    "FAIRGROUND_PROXIES": "1",
    "EMAIL_URL": "smtp+tls://fairground:secret@mail.example:587",
}
"""Environment of a production installation, as docs/operations.md describes it."""
SECRET_KEY = "a key for one test run, which nothing else uses 0123456789 0123456789"


@contextmanager
def web(options: str, **variables: str) -> Iterator[int]:
    """Run gunicorn as in production and yield its port. `variables` are added to its environment."""
    port = free_port()
    own = {"SECRET_KEY": SECRET_KEY, "FAIRGROUND_API_RATE": "1000000000"}
    command = f"gunicorn config.wsgi --config python:config.gunicorn --bind 127.0.0.1:{port} {options}"
    arguments = [sys.executable, "-m", *command.split(), "--log-level", "error"]
    server = subprocess.Popen(arguments, cwd=ROOT, env={**os.environ, **own, **variables})

    def answers() -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{port}/health/live", timeout=10) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    try:
        wait_until(lambda: server.poll() is not None or answers(), "gunicorn answers")
        assert server.poll() is None, "gunicorn has ended"
        yield port
    finally:
        server.terminate()
        server.wait()


class PrivateRedis:
    """Redis server of one test."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until(self._answers, "redis-server answers")

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url, retry=None) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def freeze(self) -> None:
        """Stop answering, but keep and accept connections."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Answer again."""
        os.kill(self.process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End the server at once."""
        self.process.kill()
        self.process.wait()
