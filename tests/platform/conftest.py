"""Fixtures of the platform's tests."""

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform.servers import PrivateRedis


@pytest.fixture
def private_redis(tmp_path: Path) -> Iterator[PrivateRedis]:
    if not shutil.which("redis-server"):
        text = "NOT TESTED: needs the program redis-server"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    server = PrivateRedis(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that accepts connections and never says anything."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield int(listener.getsockname()[1])
