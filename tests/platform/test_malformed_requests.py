"""Malformed requests, sent as bytes to the production web server (ASVS 4.2)."""

import socket
from collections.abc import Iterator

import pytest

from tests.support.servers import web

HIDDEN = b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"


def sent(port: int, text: bytes) -> list[bytes]:
    """Send bytes over one connection. Return the first line of each response."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
        wire.sendall(text)
        wire.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: wire.recv(65_536), b""))
    return [line for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


@pytest.mark.parametrize("vague", [b"Content-Length: 0\r\nTransfer-Encoding: chunked", b"Content-Length: 4, 0"])
def test_ambiguous_request_lengths_are_refused(vague: bytes, port: int) -> None:
    """With two lengths a proxy may see one request where the server sees two: refuse it and what follows."""
    body = b"0\r\n\r\n" + HIDDEN if b"chunked" in vague else HIDDEN
    answers = sent(port, b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\n" + vague + b"\r\n\r\n" + body)
    assert [line.split()[1] for line in answers] == [b"400"]


def test_a_truncated_header_is_refused(port: int) -> None:
    answers = sent(port, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-One: a\rX-Two: b\r\n\r\n")
    assert [line.split()[1] for line in answers] == [b"400"]


def test_a_clear_request_is_answered(port: int) -> None:
    answers = sent(port, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert [line.split()[1] for line in answers] == [b"200"]


@pytest.mark.parametrize("name", [b"SCRIPT_NAME", b"PATH_INFO", b"Script-Name", b"script_name"])
def test_a_header_does_not_change_the_path_or_the_links(name: bytes, port: int) -> None:
    """The server trusts a proxy on this host, and proxies pass on what clients send."""
    start = b"GET /admin/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + name + b": /admin\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
        wire.sendall(start)
        answer = b"".join(iter(lambda: wire.recv(65_536), b""))
    assert b"302" in answer.splitlines()[0]
    assert b"\r\nLocation: /admin/login/?next=/admin/\r\n" in answer


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with web("--workers 1 --threads 2") as found:
        yield found
