"""A web server, a private Redis that a test may freeze and kill, free ports, and waiting with a deadline."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
import redis

from tests.runner import ROOT


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll until `condition` holds; fail with `what` when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(0.05)


KEY = "a key for one trial, which nobody else will ever use again 0123456789"


@contextmanager
def web(options: str, **variables: str) -> Iterator[int]:
    """gunicorn as in production, ended with the block; gives its port. `variables` are for its environment."""
    port = free_port()
    own = {"SECRET_KEY": KEY, "FAIRGROUND_API_RATE": "1000000000"}
    command = f"gunicorn config.wsgi --bind 127.0.0.1:{port} --worker-class gthread --no-control-socket {options}"
    server = subprocess.Popen(
        [sys.executable, "-m", *command.split(), "--log-level", "error"], cwd=ROOT,
        env={**os.environ, **own, **variables},
    )  # fmt: skip

    def answers() -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{port}/health/live", timeout=10) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    try:
        wait_until(lambda: server.poll() is not None or answers(), 60, "gunicorn answers")
        assert server.poll() is None, "gunicorn has ended"
        yield port
    finally:
        server.terminate()
        server.wait()


class PrivateRedis:
    """One server process of our own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until(self._answers, 10, "redis-server answers")

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url, retry=None) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def freeze(self) -> None:
        """It keeps its connections and takes new ones, but answers nothing."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
