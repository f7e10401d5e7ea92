"""Receivers of webhooks: HTTP servers in threads, which record requests and answer as a test says."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest
from pytest_django import Settings

PATIENCE = 20


@dataclass
class Receiver:
    """A receiver: the requests it got, the connections they came over, and the statuses it will answer with.

    `by_subject` has answers to requests about one subject; those about the subject `slow` wait until `held` is set.
    """

    url: str = ""
    answers: list[int] = field(default_factory=list)
    by_subject: dict[str, list[int]] = field(default_factory=dict)
    retry_after: str = ""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    connections: set[tuple[str, int]] = field(default_factory=set)
    held: Event = field(default_factory=Event)
    slow: str = ""

    def answer(self, body: bytes) -> int:
        """Return the status for a request."""
        subject = json.loads(body)["data"].get("subject")
        if subject and subject == self.slow:
            self.held.wait(PATIENCE)
        if self.by_subject.get(subject or ""):
            return self.by_subject[subject].pop(0)
        return self.answers.pop(0) if self.answers else 200

    @property
    def kinds(self) -> list[str]:
        return [json.loads(body)["type"] for _headers, body in self.heard]

    @property
    def subjects(self) -> list[str]:
        return [json.loads(body)["data"].get("subject") for _headers, body in self.heard]


@pytest.fixture
def receivers(settings: Settings) -> Iterator[list[Receiver]]:
    settings.WEBHOOKS_PRIVATE = True
    servers, created = [], []
    for _ in range(2):
        receiver = Receiver()

        class Handler(BaseHTTPRequestHandler):
            own = receiver
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.own.connections.add(self.client_address)
                status = self.own.answer(body)
                self.own.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:1/")
                if self.own.retry_after:
                    self.send_header("Retry-After", self.own.retry_after)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # the library's name
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook?x=1"
        servers.append(server)
        created.append(receiver)
    yield created
    for server in servers:
        server.shutdown()
        server.server_close()
