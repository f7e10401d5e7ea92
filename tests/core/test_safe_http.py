"""Requests to addresses that others choose: public addresses only, over TLS that a known authority vouches for."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread

import pytest
from pytest_django import Settings

from core import safe_http
from core.safe_http import AddressError
from tests.support.servers import resolve_names_to

PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2001::1", "::127.0.0.1", "::ffff:0:127.0.0.1",
    "::ffff:0:7f00:1", "fec0::1", "192.0.0.8", "192.0.0.170", "192.88.99.1", "::ffff:192.0.0.8", "2001:db8::1",
    "3fff::1", "5f00::1", "100::1", "240.0.0.1", "198.18.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str) -> None:
    assert not safe_http.is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_accepted(address: str) -> None:
    assert safe_http.is_public(ip_address(address))


BAD = [
    "http://example.com/", "ftp://example.com/", "https://u:p@example.com/", "https:///x", "https://a:99999/",
    "https://example.com:25/", "https://example.com:80/", "https://example.com:1023/",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD)
def test_only_https_without_credentials_is_accepted(url: str) -> None:
    with pytest.raises(AddressError):
        safe_http.check(url)


@pytest.mark.parametrize("port", [443, 1024, 8443])
def test_ports_of_https_and_of_no_other_service_are_accepted(port: int) -> None:
    assert safe_http.check(f"https://example.com:{port}/") == ("https", "example.com", port)


def test_a_name_server_that_does_not_answer_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_name, **_options: answers.wait(30) and [])
    monkeypatch.setattr(safe_http, "LOOKUP_SECONDS", 0.01)
    try:
        for _n in range(20):  # more than there are threads
            safe_http.check_public("https://slow.example/")
    finally:
        answers.set()


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_names_to(monkeypatch, "8.8.8.8", "10.0.0.1")
    with pytest.raises(AddressError, match="not public"):
        safe_http.resolve("mixed.example", 443)


def test_an_untrusted_certificate_receives_nothing(settings: Settings) -> None:
    settings.WEBHOOKS_PRIVATE = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("vouched-for-by-nobody.pem"))
    heard: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["Content-Length"])))

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Ignore that the client hung up: it should."""

    with Server(("localhost", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
            safe_http.post(f"https://localhost:{server.server_port}/", b"secret", {})
        server.shutdown()
    assert heard == []


@pytest.fixture(
    params=[("http", b"HTTP/1.1 200 OK\r\n"), ("https", b"HTTP/1.1 200 OK\r\n"), ("http", b"HTTP/1.1 100 \r\n")]
)
def drip(request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a receiver that sends its answer byte by byte, without end, each before a time limit for one read. Yield its
    address."""
    settings.WEBHOOKS_PRIVATE = True
    scheme, start = request.param
    certificate = Path(__file__).with_name("vouched-for-by-nobody.pem")
    monkeypatch.setattr("certifi.where", lambda: str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            with suppress(OSError):
                self.wfile.write(start)
                while True:
                    self.wfile.write(b"x")
                    time.sleep(0.02)

    with ThreadingHTTPServer(("localhost", 0), Handler) as server:
        if scheme == "https":
            server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield f"{scheme}://localhost:{server.server_port}/"
        server.shutdown()


def test_a_dripping_receiver_is_left_at_the_deadline(drip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_http, "DEADLINE", 0.5)
    begun = time.monotonic()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.5 s"):
        safe_http.post(drip, b"{}", {})
    assert time.monotonic() - begun >= 0.5
