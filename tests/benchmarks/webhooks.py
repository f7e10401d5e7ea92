"""Rate of webhook deliveries in one worker, against a bare loop of urllib3 on the same receiver.

    python -m tests.benchmarks.webhooks [--deliveries 5000] [--rounds 3]

The receiver is a process of its own that reads the body and answers 200. Each round sends the same deliveries twice:
by one connection of urllib3 that posts the signed bodies one after the other, and by the worker, which reads them
from the database, signs them, sends them and records their results.
"""

import multiprocessing
import os
from argparse import ArgumentParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

from tests.benchmarks import databases
from tests.benchmarks.figures import ratio, say, timings, verdict


class Handler(BaseHTTPRequestHandler):
    """Answers 200 and keeps the connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:  # the library's name
        """Write no log."""


def _serve(told: Connection) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.send(server.server_port)
        server.serve_forever()


def _prepare(url: str, count: int) -> Any:
    """Create an endpoint with `count` deliveries, each about an object of its own."""
    from datetime import UTC, datetime

    from campaigns.models import Delivery, Endpoint, Offer, OutboxEvent
    from campaigns.notifications import webhook_delivery
    from tests.support.world import merchant, offer, publish

    if not Offer.objects.exists():
        merchant()
        publish(offer("o"))
    at, owner = datetime.now(UTC), Offer.objects.get()
    endpoint = Endpoint.objects.create(name="b", url=url, secret="whsec_c2VjcmV0", created_by="b", created_at=at)
    events = OutboxEvent.objects.bulk_create(
        OutboxEvent(kind="granted", offer=owner, merchant_id="M1", subject=f"F{n:06}", at=at, amount=80, currency="CNY")
        for n in range(count)
    )
    Delivery.objects.bulk_create((webhook_delivery.new(endpoint, event, at) for event in events), batch_size=1_000)
    return endpoint


def _bare(endpoint: Any, url: str) -> float:
    """Return the seconds of a loop that posts the same signed bodies over one connection."""
    import urllib3
    from django.utils import timezone

    from campaigns.models import Delivery
    from campaigns.notifications import webhook_delivery, webhook_events

    rows = list(Delivery.objects.filter(endpoint=endpoint).select_related("event__offer"))
    bodies = webhook_events.bodies(rows)
    signed = [webhook_delivery.signed(endpoint, row, bodies[row.pk], timezone.now()) for row in rows]
    pool = urllib3.PoolManager(retries=False)
    began = perf_counter()
    for body, headers in signed:
        assert pool.request("POST", url, body=body, headers=headers).status == 200
    return perf_counter() - began


def _worker(endpoint: Any, count: int) -> float:
    from django.utils import timezone

    from campaigns.notifications import webhook_sender

    began = perf_counter()
    assert webhook_sender.deliver(endpoint, clock=timezone.now) == count
    return perf_counter() - began


def main() -> None:
    """Measure and print the rates."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    receiver = multiprocessing.get_context("fork").Process(target=_serve, args=(theirs,), daemon=True)
    receiver.start()
    os.environ["FAIRGROUND_WEBHOOKS_PRIVATE"] = "1"
    url, count = f"http://127.0.0.1:{ours.recv()}/hook", options.deliveries
    bare: list[float] = []
    worker: list[float] = []
    with databases.own("webhooks"):
        for _ in range(options.rounds):
            endpoint = _prepare(url, count)
            bare.append(_bare(endpoint, url))
            worker.append(_worker(endpoint, count))
    receiver.terminate()
    say(f"{count:,} deliveries to one endpoint, one worker")
    timings("bare loop of urllib3", count, bare, "deliveries")
    timings("worker: read, sign, send, record", count, worker, "deliveries")
    verdict("worker as a part of the loop", ratio(worker, bare), "above 0.3", held=ratio(worker, bare) > 0.3)


if __name__ == "__main__":
    main()
