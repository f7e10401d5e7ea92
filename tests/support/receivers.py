"""Receivers of webhooks: HTTP servers in threads, which record requests and answer as a test says."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from pytest_django import Settings


@dataclass
class Receiver:
    """A receiver: the requests it got, and the statuses it will answer with."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def kinds(self) -> list[str]:
        return [json.loads(body)["type"] for _headers, body in self.heard]


@pytest.fixture
def receivers(settings: Settings) -> Iterator[list[Receiver]]:
    settings.WEBHOOKS_PRIVATE = True
    servers, created = [], []
    for _ in range(2):
        receiver = Receiver()

        class Handler(BaseHTTPRequestHandler):
            own = receiver

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.own.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(self.own.answers.pop(0) if self.own.answers else 200)
                self.send_header("Location", "http://127.0.0.1:1/")
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
