"""`python -m tests.soak [--seed N] [--seconds N] [--clients N] [--gap N]`: races and faults by chance, from a seed.

Prints the seed and what was counted; exit status 1 where a row says otherwise than a client was told.
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

from fairground_client import Fairground, Problem, Refused, UnavailableError
from tests.benchmarks.databases import own
from tests.benchmarks.figures import say
from tests.soak.history import History
from tests.soak.town import Town

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
    """One program: tells orders, claims for them, asks again, cancels; notes what it was told."""

    def __init__(self, n: int, seed: int, town: Town, secret: str, history: History) -> None:
        self.n, self.history = n, history
        self.chance = random.Random(f"{seed}/{n}")
        self.fairground = Fairground(town.url, secret, tries=60, gap=0.05, timeout=10)
        self.paid_at = datetime.now(UTC) - timedelta(days=1)
        self.done: Counter[str] = Counter()

    def work(self, over: Event) -> None:
        """Until it is over."""
        number = 0
        while not over.is_set():
            number += 1
            try:
                self._one(f"C{self.n:02}-{number:05}")
            except UnavailableError:
                self.history.unanswered += 1

    def _one(self, order: str) -> None:
        fact = {
            "order_no": order, "merchant_code": f"M{self.chance.randrange(MERCHANTS):02}", "service": "express",
            "line": "us", "base_freight": self.chance.choice(["1000.00", "99.99"]), "currency": "CNY",
            "placed_at": self.paid_at, "paid_at": self.paid_at,
        }  # fmt: skip
        if self.chance.random() < 0.5:
            self.fairground.record_facts("freight_orders", [fact], once=f"fact-{order}")
            self.history.told.add(order)
            outcome = self._claim(order, key=order)
        else:
            outcome = self._claim(order, fact=fact)
        if self.chance.random() < 0.2:
            self._claim(order, **({"key": order} if order in self.history.told else {"fact": fact}))
        if outcome == "granted" and self.chance.random() < 0.3:
            self.fairground.follow_claim("freight_order", order, "cancel", once=f"cancel-{order}")
            self.history.cancelled.add(order)
            self.done["cancelled"] += 1

    def _claim(self, order: str, **what: Any) -> str:
        try:
            answer: Any = self.fairground.claim("freight_order", once=f"claim-{order}", **what)
        except Refused as refused:
            answer = refused.body
        self.history.claimed(order, answer["outcome"], answer)
        self.done[answer["outcome"]] += 1
        return str(answer["outcome"])


def prepare(limit: int) -> str:
    """Merchants, the offer and a key; returns its secret."""
    from django.utils import timezone

    from campaigns.offers import published_offers
    from definitions import parser
    from imports.models import ImportBatch
    from merchants import api_keys
    from merchants.models import Merchant

    at = timezone.now() - timedelta(days=2)
    batch = ImportBatch.objects.create(source="soak", rows=MERCHANTS, added=MERCHANTS, processed=True)
    Merchant.objects.bulk_create(Merchant(code=f"M{n:02}", country="CN", batch=batch) for n in range(MERCHANTS))
    text = OFFERS % limit
    published_offers.publish(parser.read(text), source=text, at=at, by="soak")
    _key, secret = api_keys.issue("soak", scopes=["read", "claim", "facts"], at=timezone.now(), by="soak")
    return secret


def main() -> None:
    """Exit status 0 where every row says what the clients were told."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--gap", type=float, default=0.7, help="seconds between faults, at the mean")
    parser.add_argument("--limit", type=int, default=300, help="places")
    told = parser.parse_args()
    say(f"seed {told.seed}")
    with own("soak"), TemporaryDirectory() as folder:
        from django.db import connection

        secret, history = prepare(told.limit), History()
        connection.close()  # which nobody's fault is to hit
        town = Town(os.environ["DATABASE_URL"], Path(folder))
        try:
            clients = [Client(n, told.seed, town, secret, history) for n in range(told.clients)]
            _run(town, clients, told)
        finally:
            town.stop()
        differences = _settled(history)
        _tell(town, clients, history, differences)
        sys.exit(1 if differences else 0)


def _run(town: Town, clients: list[Client], told: Any) -> None:
    over, chance = Event(), random.Random(told.seed)
    workers = [Thread(target=client.work, args=[over]) for client in clients]
    for worker in workers:
        worker.start()
    end = monotonic() + told.seconds
    while monotonic() < end:
        sleep(chance.expovariate(1 / told.gap))
        town.strike(chance)
    over.set()
    for worker in workers:
        worker.join()


def _settled(history: History) -> list[str]:
    from campaigns.engine import ticker

    ticker.tick(at=datetime.now(UTC) + timedelta(minutes=1))
    return history.differences()


def _tell(town: Town, clients: list[Client], history: History, differences: list[str]) -> None:
    done = sum((client.done for client in clients), Counter[str]())
    say("answers: " + ", ".join(f"{name} {n}" for name, n in sorted(done.items())))
    say(f"orders claimed {len(history.claims)}, calls never answered {history.unanswered}")
    say("faults: " + ", ".join(f"{name} {n}" for name, n in town.faults.items()))
    say(f"differences: {len(differences)}")
    for difference in differences[:20]:
        say(f"  {difference}")


if __name__ == "__main__":
    try:
        main()
    except Problem as problem:
        sys.exit(f"a client was told {problem}")
