"""Claims decided at once on one hot quota, by several clients, against one statement a transaction in pgbench.

pgbench updates a hot row under a guard and inserts a row; the verb decides, grants, seats and journals. In turns. The
clients are threads of one process, as in a web server, or of PROCESSES.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.benchmarks import facts
from tests.benchmarks.databases import execute, options, own, server, settle, value
from tests.benchmarks.figures import say, verdict
from tests.runner import ROOT

SECONDS = 8
ONE_STATEMENT = """\
WITH place AS (UPDATE hot SET used = used + 1 WHERE id = 1 AND used < 100000000 RETURNING used)
INSERT INTO hot_grant (subject) SELECT used FROM place;
"""
ORDERS = """
INSERT INTO logistics_freightorder (order_no, merchant_id, account_code, service, line, base_freight, currency,
    promo_flag, use_coupon, placed_at, paid_at, batch_id)
SELECT 'H' || n, 'M' || lpad((1 + mod(n, 20))::text, 7, '0'), '', 'multimodal', 'x', 100, 'CNY', false, false,
    %s, %s, (SELECT max(id) FROM imports_importbatch)
FROM generate_series(0, %s) n
"""
OFFER = """
campaign: benchmark-hot
names: {en: Hot, zh: 热门}
zone: UTC
offers:
  - code: hot
    names: {en: Hot, zh: 热门}
    subject: freight_order
    where: all
    claim: {at: paid_at}
    conditions: [{fact: service, is: multimodal}, {fact: base_freight, at_least: 1.00}]
    benefit: {fee: freight, percent: 10}
    quota: {limit: 10000000}
"""


def prepare(orders: int) -> None:
    """Create paid orders that meet the offer's conditions, each to be claimed once."""
    from campaigns.offers import publishing
    from definitions import parser

    facts.generate(1_000)
    execute(ORDERS, [facts.DECIDED, facts.DECIDED, orders])
    execute("UPDATE imports_importbatch SET processed = true")
    publishing.publish(parser.read(OFFER), source=OFFER, at=facts.DECIDED, by="benchmark")
    execute("CREATE TABLE hot (id int primary key, used int)")
    execute("INSERT INTO hot VALUES (1, 0)")
    execute("CREATE TABLE hot_grant (id bigserial primary key, subject int)")
    execute("VACUUM ANALYZE")
    settle()


def by_pgbench(clients: int, folder: str) -> float:
    """Return the transactions per second of pgbench."""
    script = Path(folder) / "hot.sql"
    script.write_text(ONE_STATEMENT)
    url = f"{server()}/{value('SELECT current_database()')}"
    done = subprocess.run(
        ["pgbench", "-n", "-f", script, "-c", str(clients), "-j", "2", "-T", str(SECONDS), url],
        capture_output=True,
        text=True,
        check=True,
    )
    return next(float(line.split()[2]) for line in done.stdout.splitlines() if line.startswith("tps"))


PROCESSES = int(os.environ.get("PROCESSES", "1"))
"""In how many processes the clients are: those of one decide together, those of several take turns."""


def by_verb(clients: int, start: int) -> tuple[float, list[float]]:
    """Return claims per second, and the seconds of each, for subjects from number `start` on."""
    each = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.claiming", "client", str(clients // PROCESSES), str(start + n)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(PROCESSES)
    ]
    took: list[float] = []
    for process in each:
        output, _ = process.communicate()
        took += json.loads(output)
    return len(took) / SECONDS, took


def client(threads: int, start: int) -> None:
    """Claim with so many threads for some seconds; tells how long each claim took.

    Each has connected and claimed once before: pgbench does not count its connecting either.
    """
    from itertools import count
    from threading import Barrier, Thread

    import django

    django.setup()
    from django.db import transaction

    from campaigns.engine import instant_claims
    from core.batching import Batch, Batcher, BatchItem
    from core.db.pipeline import pipeline

    numbers = count(start, PROCESSES)

    def decide(batch: Batch[BatchItem]) -> None:
        with transaction.atomic(), pipeline():
            locked = instant_claims.lock_offers("freight_order")
            subjects = [f"H{next(numbers)}" for _ in batch.close()]
            decisions = instant_claims.decide(locked, subjects, at=facts.DECIDED)
            assert [decision.outcome for decision in decisions] == [1] * len(subjects)

    batcher = Batcher(decide)
    sys.setswitchinterval(0.0005)  # as in config/wsgi.py
    took: list[float] = []
    ready = Barrier(threads)

    def ask() -> None:
        batcher.submit(BatchItem(group="freight_order"))

    def claim() -> None:
        ask()
        ready.wait()
        begin = perf_counter()
        while (began := perf_counter()) - begin < SECONDS:
            ask()
            took.append(perf_counter() - began)

    workers = [Thread(target=claim) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sys.stdout.write(json.dumps(took))


def main() -> None:
    """Measure with 8 and 32 clients, in turns with pgbench."""
    chosen = options(__doc__, orders=200_000)
    start = 0
    with own("claiming"), TemporaryDirectory() as folder:
        prepare(chosen.orders)
        for clients in (8, 32):
            ours, theirs, took = [], [], []
            for _ in range(chosen.rounds):
                rate, each = by_verb(clients, start)
                start += PROCESSES * (len(each) + 64)
                ours.append(rate)
                took += each
                theirs.append(by_pgbench(clients, folder))
            took.sort()
            p50, p99 = (took[len(took) * part // 100] * 1_000 for part in (50, 99))
            say(f"{clients} clients, {SECONDS} s, {chosen.rounds} rounds; p50 {p50:.1f} ms, p99 {p99:.1f} ms")
            say(f"  claims a second    {[round(figure) for figure in ours]}")
            say(f"  pgbench            {[round(figure) for figure in theirs]}")
            found = median(our / their for our, their in zip(ours, theirs, strict=True))
            verdict("rate against pgbench", found, "at least 0.5", held=found >= 0.5)


if __name__ == "__main__":
    if sys.argv[1:2] == ["client"]:
        client(*map(int, sys.argv[2:]))
    else:
        main()
