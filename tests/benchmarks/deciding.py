"""Cold tick of a tiered offer with limits, against one handwritten statement and against a loop over objects."""

import sys

from tests.benchmarks import facts
from tests.benchmarks.databases import Done, execute, fresh, options, own, timed, value
from tests.benchmarks.figures import ratio, say, timings, verdict

SLICE = 50_000


def by_hand() -> float:
    """Run the statement and return its seconds."""
    terms = {
        "at": facts.DECIDED,
        "offer": value("SELECT id FROM campaigns_offer"),
        "version": value("SELECT version_id FROM campaigns_offer"),
        "cap": value("SELECT limit_per_merchant FROM campaigns_offer"),
        "limit": value('SELECT "limit" FROM campaigns_offer'),
    }
    statement = (facts.HERE / "handwritten.sql").read_text(encoding="utf-8")
    return timed(lambda: execute(statement, terms))


def _same(ours: dict[str, tuple[int, int]], theirs: dict[str, tuple[int, int]], whose: str) -> None:
    if ours != theirs:
        sys.exit(f"{whose} wrote other rows:\n{ours}\n{theirs}")


def against_statement(orders: int, rounds: int) -> None:
    """Measure the cold tick and one statement with the same result, in turns."""
    facts.generate(orders)
    facts.publish(orders)
    ours: list[Done] = []
    hand: list[float] = []
    for _ in range(rounds):
        facts.forget()
        ours.append(fresh("tick", facts.after(0)))
        rows = facts.written()
        outcomes = facts.outcomes()
        facts.forget()
        hand.append(by_hand())
        _same(rows, facts.written(), "the statement by hand")
    say(f"{orders:,} freight orders decided: " + ", ".join(f"{n:,} {name}" for name, n in outcomes.items() if n))
    timings("the engine, one tick", orders, [done.seconds for done in ours])
    timings("one statement by hand, same rows", orders, hand)
    found = ratio([done.seconds for done in ours], hand)
    verdict("rate against the statement", found, "at least 0.5", held=found >= 0.5)
    peak = max(done.megabytes for done in ours)
    verdict("resident memory, MB", peak, "below 300", held=peak < 300)


def against_loop(orders: int, rounds: int) -> None:
    """Measure the cold tick and a loop over objects with the same result, in turns."""
    facts.generate(orders)
    facts.publish(orders)
    ours: list[float] = []
    loop: list[float] = []
    for _ in range(rounds):
        facts.forget()
        ours.append(fresh("tick", facts.after(0)).seconds)
        rows = facts.written()
        facts.forget()
        loop.append(fresh("loop", facts.after(0)).seconds)
        _same(rows, facts.written(), "the loop")
    say(f"{orders:,} freight orders decided")
    timings("the engine, one tick", orders, ours)
    timings("a loop over objects, same rows", orders, loop)
    found = ratio(ours, loop)
    verdict("rate against the loop", found, "at least 5", held=found >= 5)


def main() -> None:
    """Run both comparisons, each on a database of its own."""
    chosen = options(__doc__)
    with own("deciding"):
        against_statement(chosen.orders, chosen.rounds)
    with own("looping"):
        against_loop(min(chosen.orders, SLICE), chosen.rounds)


if __name__ == "__main__":
    main()
