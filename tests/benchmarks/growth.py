"""Growth of the cold tick from a tenth of the orders to all of them, and its memory."""

from statistics import median

from tests.benchmarks import facts
from tests.benchmarks.databases import Done, fresh, options, own
from tests.benchmarks.figures import exponent, say, timings, verdict


def cold(orders: int, rounds: int) -> list[Done]:
    """Decide so many orders from the start, in a new process."""
    with own(f"growth_{orders}"):
        facts.generate(orders)
        facts.publish(orders)
        done = []
        for _ in range(rounds):
            facts.forget()
            done.append(fresh("tick", facts.after(0)))
    return done


def main() -> None:
    """Measure at two sizes."""
    chosen = options(__doc__)
    sizes = (chosen.orders // 10, chosen.orders)
    small, large = (cold(orders, chosen.rounds) for orders in sizes)
    say(f"A cold tick over {sizes[0]:,} and {sizes[1]:,} freight orders")
    for orders, done in zip(sizes, (small, large), strict=True):
        timings(f"{orders:,}", orders, [run.seconds for run in done])
        say(f"  {'':<34} {max(run.megabytes for run in done):8.0f} MB resident at most")
    points = [(float(n), median(run.seconds for run in d)) for n, d in zip(sizes, (small, large), strict=True)]
    found = exponent(points[0], points[1])
    verdict("exponent", found, "at most 1.2", held=found <= 1.2)
    peak = max(run.megabytes for run in large)
    verdict("resident memory, MB", peak, "below 300", held=peak < 300)


if __name__ == "__main__":
    main()
