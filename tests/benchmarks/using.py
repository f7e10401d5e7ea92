"""Uses of an allowance decided at once, by several clients, against one guarded statement a transaction in pgbench.

pgbench updates a hot row under a guard and inserts a row; the verb records the use, decides it, and writes the balance,
the decision and the journal. In turns. The clients are threads of one process, and merchants take turns.
"""

import sys
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Barrier, Thread
from time import perf_counter

from tests.benchmarks.claiming import SECONDS, by_pgbench
from tests.benchmarks.databases import execute, options, own, settle
from tests.benchmarks.figures import say, verdict

MERCHANTS = 100
ALLOWANCES = """
campaign: benchmark-uses
names: {en: Uses, zh: 使用}
zone: UTC
allowances:
  - code: mails
    names: {en: Mails, zh: 邮件}
    use: mail
    in: day
    conditions: [{in_force: membership, of: [global_pass]}]
    units: 10000000
"""


def prepare() -> None:
    """Create members with an allowance each."""
    from campaigns.offers import publishing
    from core import clock
    from definitions import parser
    from imports.models import ImportBatch
    from merchants.models import Membership, Merchant

    batch = ImportBatch.objects.create(source="benchmark", processed=True)
    codes = [f"M{n:03}" for n in range(MERCHANTS)]
    Merchant.objects.bulk_create(Merchant(code=code, country="CN", batch=batch) for code in codes)
    Membership.objects.bulk_create(
        Membership(merchant_id=code, plan="global_pass", starts_at="2020-01-01T00:00:00Z", batch=batch)
        for code in codes
    )
    publishing.publish(parser.read(ALLOWANCES), source=ALLOWANCES, at=clock.now(), by="benchmark")
    execute("CREATE TABLE hot (id int primary key, used int)")
    execute("INSERT INTO hot VALUES (1, 0)")
    execute("CREATE TABLE hot_grant (id bigserial primary key, subject int)")
    execute("VACUUM ANALYZE")
    settle()


def by_verb(threads: int, numbers: "count[int]") -> tuple[float, list[float]]:
    """Return uses per second, and the seconds of each."""
    from django.db import connections, transaction

    from campaigns.allowances import instant_uses
    from campaigns.allowances.instant_uses import NewUse
    from core import clock
    from core.batching import Batch, Batcher, BatchItem

    def decide(batch: Batch[BatchItem]) -> None:
        with transaction.atomic():
            locked = instant_uses.lock("mail")
            taken = [next(numbers) for _ in batch.close()]
            new = [NewUse(f"U{n:09}", f"M{n % MERCHANTS:03}", None, "mail") for n in taken]
            made = instant_uses.spend(locked, new, at=clock.now())
            assert {decision.result for decision in made.values()} == {"accepted"}

    batcher = Batcher(decide)
    took: list[float] = []
    ready = Barrier(threads)

    def use() -> None:
        batcher.submit(BatchItem(group="mail"))
        ready.wait()
        begin = perf_counter()
        while (began := perf_counter()) - begin < SECONDS:
            batcher.submit(BatchItem(group="mail"))
            took.append(perf_counter() - began)
        connections.close_all()

    workers = [Thread(target=use) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return len(took) / SECONDS, took


def main() -> None:
    """Measure with 8 and 32 clients, in turns with pgbench."""
    chosen = options(__doc__)
    sys.setswitchinterval(0.0005)  # as in config/wsgi.py
    numbers = count(1)
    with own("using"), TemporaryDirectory() as folder:
        from campaigns.engine import ticker
        from core import clock

        prepare()
        for clients in (8, 32):
            ours, theirs, took = [], [], []
            for _ in range(chosen.rounds):
                rate, each = by_verb(clients, numbers)
                ours.append(rate)
                took += each
                ticker.tick(at=clock.now())  # as each minute in service: uses are settled then
                theirs.append(by_pgbench(clients, str(Path(folder))))
            took.sort()
            p50, p99 = (took[len(took) * part // 100] * 1_000 for part in (50, 99))
            say(f"{clients} clients, {SECONDS} s, {chosen.rounds} rounds; p50 {p50:.1f} ms, p99 {p99:.1f} ms")
            say(f"  uses a second      {[round(figure) for figure in ours]}")
            say(f"  pgbench            {[round(figure) for figure in theirs]}")
            found = median(our / their for our, their in zip(ours, theirs, strict=True))
            verdict("rate against pgbench", found, "at least 0.5", held=found >= 0.5)


if __name__ == "__main__":
    main()
