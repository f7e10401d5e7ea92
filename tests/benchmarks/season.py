"""The shipped season over generated worlds, beside a plain Python program that decides the same offers from the files.

For each size: write the files, import them into a fresh PostgreSQL database with autovacuum off, tick once over
everything, import 1,000 changed orders, tick again. `tests.reference` reads and decides the same files in memory, once
before and once after the first tick; both must give the same grants.
"""

import csv
import math
import os
import subprocess
import sys
from argparse import ArgumentParser
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from zlib import crc32

import psutil

from tests.benchmarks.databases import execute, own
from tests.benchmarks.figures import say, verdict
from tests.runner import ROOT

AS_OF, LATER = "2023-02-01T00:00:00+00:00", "2023-02-01T00:01:00+00:00"
QUIET = """
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = false)', name);
  END LOOP;
END $$
"""
TICK = """
import sys
from datetime import datetime
from time import perf_counter
import django
django.setup()
from campaigns.engine import quarantine, ticker
run_guarded = quarantine.run_guarded
def timed(name, *arguments, **named):
    began = perf_counter()
    try:
        return run_guarded(name, *arguments, **named)
    finally:
        print(f"    {name:<30} {perf_counter() - began:8.2f} s")
quarantine.run_guarded = timed
ticker.tick(at=datetime.fromisoformat(sys.argv[1]))
"""
REFERENCE = """
import sys
from datetime import datetime
from pathlib import Path
from tests.reference.season import decide
result = decide(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]))
Path(sys.argv[3]).write_text("\\n".join(",".join(row) for row in result.grants) + "\\n")
"""


@dataclass(frozen=True)
class Run:
    """Seconds and peak megabytes of a process."""

    seconds: float
    megabytes: float


def run(*command: str, shown: bool = False) -> Run:
    """Run a Python command and watch its resident memory; show its output if that is asked."""
    began, peak = perf_counter(), 0
    output = None if shown else subprocess.DEVNULL
    with psutil.Popen([sys.executable, *command], cwd=ROOT, stdout=output) as child:
        while child.poll() is None:
            try:
                peak = max(peak, child.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            sleep(0.05)
    if child.returncode:
        sys.exit(f"{' '.join(command)} ended {child.returncode}")
    return Run(perf_counter() - began, peak / 1_000_000)


def changed_orders(folder: Path, target: Path, count: int = 1_000) -> None:
    """Write every n-th freight order again with a later departure, as a file of its own."""
    target.mkdir()
    with (folder / "freight_orders.csv").open(newline="") as file, (target / "freight_orders.csv").open("w") as out:
        reader = csv.DictReader(file)
        writer = csv.DictWriter(out, reader.fieldnames or [])
        writer.writeheader()
        for row in islice(reader, 0, 17 * count, 17):
            writer.writerow({**row, "departed_at": "2022-12-24T00:00:00Z"})


def thin_out(facts: Path, share: float) -> None:
    """Keep this share of the freight and trade orders, with the receipts of those: small merchants, as many as before.

    The checksum of its number decides about an order.
    """
    for name in ("freight_orders", "trade_orders", "receipts"):
        whole = (facts / f"{name}.csv").rename(facts / "whole")
        with whole.open(newline="") as file, (facts / f"{name}.csv").open("w", newline="") as out:
            reader = csv.DictReader(file)
            writer = csv.DictWriter(out, reader.fieldnames or [], lineterminator="\n")
            writer.writeheader()
            writer.writerows(row for row in reader if crc32(row["order_no"].encode()) < share * 2**32)
        whole.unlink()


def measure(merchants: int, share: float, folder: Path) -> tuple[Run, Run]:
    """Measure one size; returns the cold tick and the reference program."""
    facts, ours, theirs = folder / "facts", folder / "ours.csv", folder / "theirs.csv"
    run("manage.py", "demo_world", str(facts), "--merchants", str(merchants), "--season-only")
    if share < 1:
        thin_out(facts, share)
    with own("season"):
        execute(QUIET)
        run("manage.py", "load_campaign", "september-2022")
        imported = run("manage.py", "import_facts", str(facts))
        before = run("-c", REFERENCE, str(facts), AS_OF, str(theirs))
        cold = run("-c", TICK, AS_OF, shown=True)
        after = run("-c", REFERENCE, str(facts), AS_OF, str(theirs))
        run("manage.py", "export_grants", str(ours))
        changed_orders(facts, folder / "changed")
        run("manage.py", "import_facts", str(folder / "changed"))
        warm = run("manage.py", "tick", "--as-of", LATER)
    reference = Run((before.seconds + after.seconds) / 2, max(before.megabytes, after.megabytes))
    same = ours.read_text().splitlines()[1:] == theirs.read_text().splitlines()
    say(f"{merchants:,} merchants: import {imported.seconds:.1f} s, cold tick {cold.seconds:.1f} s and")
    say(f"  {cold.megabytes:.0f} MB, 1,000 changed orders {warm.seconds:.1f} s;")
    say(f"  reference {before.seconds:.1f} s before and {after.seconds:.1f} s after, {reference.megabytes:.0f} MB")
    verdict("  same grants", float(same), "1", held=same)
    ratio = cold.seconds / reference.seconds
    verdict("  cold tick against the reference", ratio, "at most 1.5", held=ratio <= 1.5)
    verdict("  peak memory of the tick, MB", cold.megabytes, "below 300", held=cold.megabytes < 300)
    return cold, reference


def main() -> None:
    """Measure each size, and how the cold tick grows."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--merchants", type=int, nargs="+", default=[2_000, 20_000, 99_999])
    parser.add_argument("--share", type=float, default=1.0, help="part of the orders of each merchant that is kept")
    chosen = parser.parse_args()
    sizes = chosen.merchants
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    ticks = []
    for merchants in sizes:
        with TemporaryDirectory() as folder:
            ticks.append(measure(merchants, chosen.share, Path(folder))[0].seconds)
    if len(sizes) > 1:
        exponent = math.log(ticks[-1] / ticks[0]) / math.log(sizes[-1] / sizes[0])
        verdict("growth, exponent", exponent, "at most 1.1", held=exponent <= 1.1)


if __name__ == "__main__":
    main()
