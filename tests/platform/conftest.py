"""Fixtures of the platform tests."""

import socket
from collections.abc import Iterator

import pytest


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """Port that accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield int(listener.getsockname()[1])
