"""`python -m tests.soak [--seed N] [--seconds N] [--clients N] [--gap N]`: random races and faults from a seed.

Prints the seed, answers and faults. Exit status 1 if a row contradicts the answer that a client got.
"""

import os
import random
import sys
from argparse import ArgumentParser
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "clients/python/src"))
from fairground_client import Fairground, Problem, Refused, UnavailableError

from tests.benchmarks.databases import own
from tests.benchmarks.figures import say
from tests.soak.history import History
from tests.soak.installation import Installation

OFFERS = """campaign: soak
names: {en: Soak, zh: 浸泡}
zone: UTC
offers:
  - code: capped
    names: {en: Capped, zh: 限额}
    subject: freight_order
    where: [{fact: service, is: express}]
    claim: {at: paid_at}
    conditions: [{fact: base_freight, at_least: 100.00}]
    benefit: {fee: freight, percent: 10}
    quota: {limit: %d, per_merchant: 40}
    settlement: {released_by: cancelled_at, released_after_settlement: yes}
"""
MERCHANTS = 12


class Client:
    """API client that records orders, claims, repeats and cancels, and notes each answer."""

    def __init__(self, n: int, seed: int, installation: Installation, secret: str, history: History) -> None:
        self.n, self.history = n, history
        self.random = random.Random(f"{seed}/{n}")
        self.fairground = Fairground(installation.url, secret, attempts=60, first_wait=0.05, timeout=10)
        self.paid_at = datetime.now(UTC) - timedelta(days=1)
        self.counts: Counter[str] = Counter()

    def work(self, over: Event) -> None:
        """Send requests until `over` is set."""
        number = 0
        while not over.is_set():
            number += 1
            try:
                self._process(f"C{self.n:02}-{number:05}")
            except UnavailableError:
                self.history.unanswered += 1

    def _process(self, order: str) -> None:
        fact = {
            "order_no": order,
            "merchant_code": f"M{self.random.randrange(MERCHANTS):02}",
            "service": "express",
            "line": "us",
            "base_freight": self.random.choice(["1000.00", "99.99"]),
            "currency": "CNY",
            "placed_at": self.paid_at,
            "paid_at": self.paid_at,
        }
        if self.random.random() < 0.5:
            self.fairground.record_facts("freight_orders", [fact], idempotency_key=f"fact-{order}")
            self.history.recorded.add(order)
            outcome = self._claim(order, key=order)
        else:
            outcome = self._claim(order, fact=fact)
        if self.random.random() < 0.2:
            self._claim(order, **({"key": order} if order in self.history.recorded else {"fact": fact}))
        if outcome == "granted" and self.random.random() < 0.3:
            self.fairground.follow_claim("freight_order", order, "cancel", idempotency_key=f"cancel-{order}")
            self.history.cancelled.add(order)
            self.counts["cancelled"] += 1

    def _claim(self, order: str, **what: Any) -> str:
        try:
            answer: Any = self.fairground.claim("freight_order", idempotency_key=f"claim-{order}", **what)
        except Refused as refused:
            answer = refused.body
        self.history.claimed(order, answer["outcome"], answer)
        self.counts[answer["outcome"]] += 1
        return str(answer["outcome"])


def prepare(limit: int) -> str:
    """Create merchants, an offer and an API key. Return the key's secret."""
    from django.utils import timezone

    from campaigns.offers import publishing
    from definitions import parser
    from imports.models import ImportBatch
    from merchants import api_keys
    from merchants.models import Merchant

    at = timezone.now() - timedelta(days=2)
    batch = ImportBatch.objects.create(source="soak", rows=MERCHANTS, added=MERCHANTS, processed=True)
    Merchant.objects.bulk_create(Merchant(code=f"M{n:02}", country="CN", batch=batch) for n in range(MERCHANTS))
    text = OFFERS % limit
    publishing.publish(parser.read(text), source=text, at=at, by="soak")
    _key, secret = api_keys.issue("soak", scopes=["read", "claim", "facts"], at=timezone.now(), by="soak")
    return secret


def main() -> None:
    """Run the soak test and exit with 0 if every row agrees with the answers."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--gap", type=float, default=0.7, help="mean seconds between faults")
    parser.add_argument("--limit", type=int, default=300, help="quota of the offer")
    options = parser.parse_args()
    say(f"seed {options.seed}")
    with own("soak"), TemporaryDirectory() as folder:
        from django.db import connection

        secret, history = prepare(options.limit), History()
        connection.close()  # so that no fault ends it
        installation = Installation(os.environ["DATABASE_URL"], Path(folder))
        try:
            clients = [Client(n, options.seed, installation, secret, history) for n in range(options.clients)]
            _run(installation, clients, options)
        finally:
            installation.stop()
        differences = _compare(history)
        _report(installation, clients, history, differences)
        sys.exit(1 if differences else 0)


def _run(installation: Installation, clients: list[Client], options: Any) -> None:
    over, chance = Event(), random.Random(options.seed)
    workers = [Thread(target=client.work, args=[over]) for client in clients]
    for worker in workers:
        worker.start()
    end = monotonic() + options.seconds
    while monotonic() < end:
        sleep(chance.expovariate(1 / options.gap))
        installation.inject_fault(chance)
    over.set()
    for worker in workers:
        worker.join()


def _compare(history: History) -> list[str]:
    from campaigns.engine import ticker

    ticker.tick(at=datetime.now(UTC) + timedelta(minutes=1))
    return history.differences()


def _report(installation: Installation, clients: list[Client], history: History, differences: list[str]) -> None:
    counts = sum((client.counts for client in clients), Counter[str]())
    say("answers: " + ", ".join(f"{name} {n}" for name, n in sorted(counts.items())))
    say(f"orders claimed {len(history.claims)}, calls never answered {history.unanswered}")
    say("faults: " + ", ".join(f"{name} {n}" for name, n in installation.faults.items()))
    say(f"differences: {len(differences)}")
    for difference in differences[:20]:
        say(f"  {difference}")


if __name__ == "__main__":
    try:
        main()
    except Problem as problem:
        sys.exit(f"a client got {problem}")
