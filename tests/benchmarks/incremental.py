"""Tick over a few new orders, against the cold tick over all of them."""

import csv
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.benchmarks import facts
from tests.benchmarks.databases import Done, fresh, options, own
from tests.benchmarks.figures import say, verdict

NEW = 1_000
HEADER = "order_no merchant_code account_code service line base_freight currency placed_at paid_at".split()


def _new_orders(minute: int, merchants: int) -> Iterator[tuple[object, ...]]:
    """Return orders of many merchants, paid within one minute; line and amount make some of them fail."""
    paid = facts.DECIDED + timedelta(minutes=minute - 1, seconds=30)
    for n in range(NEW):
        merchant = f"M{n * 7919 % merchants + 1:07}"
        line = ("us-matson-select", "3c-select", "heavy-economy")[n % 3]
        number, freight = f"N{minute:04}{n:05}", f"{300 + n}.00"
        yield number, merchant, "", "multimodal", line, freight, "CNY", paid.isoformat(), paid.isoformat()


def bring_news(minute: int, merchants: int) -> None:
    """Import a file of orders of the minute before `minute`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "freight_orders.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            writer.writerows(_new_orders(minute, merchants))
        fresh("take", str(path))


def load_season() -> None:
    """Publish the nine bundled offers of September."""
    from campaigns.offers import publishing
    from definitions import bundled, parser

    path = bundled.path("september-2022")
    assert path is not None
    source = path.read_text(encoding="utf-8")
    publishing.publish(parser.read(source), source=source, at=facts.DECIDED, by="benchmark")


def _told(name: str, several: list[Done], cold: Done | None = None) -> None:
    times = " ".join(f"{done.seconds:8.3f}" for done in several)
    part = f"1/{cold.seconds / median(done.seconds for done in several):,.0f} of cold" if cold else ""
    say(f"  {name:<38} {times} s   {several[-1].count:>9,} decided   {part}")


def main() -> None:
    """Measure a cold tick, then ticks a minute apart."""
    chosen = options(__doc__)
    merchants = max(chosen.orders // 50, 1)
    minutes = iter(range(1, 1_000))
    with own("incremental"):
        facts.generate(chosen.orders)
        facts.publish(chosen.orders)
        cold = fresh("tick", facts.after(0))
        news = []
        for _ in range(chosen.rounds):
            minute = next(minutes)
            bring_news(minute, merchants)
            news.append(fresh("tick", facts.after(minute)))
        quiet = [fresh("tick", facts.after(next(minutes))) for _ in range(chosen.rounds)]
        load_season()
        first = fresh("tick", facts.after(next(minutes)))
        season = [fresh("tick", facts.after(next(minutes))) for _ in range(chosen.rounds)]
        busy = []
        for _ in range(chosen.rounds):
            minute = next(minutes)
            bring_news(minute, merchants)
            busy.append(fresh("tick", facts.after(minute)))
    say(f"Ticks over {chosen.orders:,} freight orders")
    _told("cold", [cold])
    _told(f"{NEW:,} new orders", news, cold)
    _told("nothing new", quiet, cold)
    _told("September's nine offers loaded", [first])
    _told("a minute later, nothing new", season, first)
    _told(f"{NEW:,} new orders, ten offers", busy, first)
    found = cold.seconds / median(done.seconds for done in news)
    verdict(f"cold tick / tick with {NEW:,} new", found, "at least 50", held=found >= 50)


if __name__ == "__main__":
    main()
