"""Rate of webhook deliveries in one worker, against a bare loop of urllib3, and beside a receiver that fails.

    python -m tests.benchmarks.webhooks [--deliveries 5000] [--rounds 3]

The receiver is a process of its own that reads the body and answers 200. Each round sends the same deliveries twice:
by one connection of urllib3 that posts the signed bodies one after the other, and by the worker, which reads them
from the database, signs them, sends them and records their results.

Then the worker sends them again, while another of its threads sends to a receiver that keeps each request for a while
and fails.
"""

import multiprocessing
import os
from argparse import ArgumentParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from threading import Thread
from time import perf_counter, process_time, sleep
from typing import Any

from tests.benchmarks import databases
from tests.benchmarks.figures import ratio, say, timings, verdict

SLOW = "/slow"
FAILING = 64
HELD_FOR = 0.5
"""Seconds that the failing receiver keeps a request."""


class Handler(BaseHTTPRequestHandler):
    """Answers 200 and keeps the connection; 500 after a while at the address of the failing receiver."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == SLOW:
            sleep(HELD_FOR)
            self.wfile.write(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
        else:
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


def _beside_failing(endpoint: Any, failing: Any, count: int) -> float:
    """Return the seconds of the worker while another thread sends to a receiver that fails."""
    from django.db import connection
    from django.utils import timezone

    from campaigns.notifications import webhook_sender

    def fail() -> None:
        webhook_sender.deliver(failing, clock=timezone.now)
        connection.close()

    other = Thread(target=fail)
    other.start()
    seconds = _worker(endpoint, count)
    other.join()
    return seconds


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
    beside: list[float] = []
    used: list[float] = []
    used_beside: list[float] = []
    with databases.own("webhooks"):
        for _ in range(options.rounds):
            endpoint = _prepare(url, count)
            bare.append(_bare(endpoint, url))
            used.append(-process_time())
            worker.append(_worker(endpoint, count))
            used[-1] += process_time()
            again, failing = _prepare(url, count), _prepare(url.replace("/hook", SLOW), FAILING)
            used_beside.append(-process_time())
            beside.append(_beside_failing(again, failing, count))
            used_beside[-1] += process_time()
    receiver.terminate()
    say(f"{count:,} deliveries to one endpoint, one worker")
    timings("bare loop of urllib3", count, bare, "deliveries")
    timings("worker: read, sign, send, record", count, worker, "deliveries")
    timings("the same beside a failing receiver", count, beside, "deliveries")
    verdict("worker as a part of the loop", ratio(worker, bare), "above 0.5", held=ratio(worker, bare) > 0.5)
    timings("worker: processor seconds", count, used, "deliveries")
    timings("beside the other: processor seconds", count + FAILING, used_beside, "deliveries")
    verdict("beside a failing receiver", ratio(beside, worker), "above 0.9", held=ratio(beside, worker) > 0.9)


if __name__ == "__main__":
    main()
