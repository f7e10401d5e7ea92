"""Explanation of one subject of each offer of the season: queries and milliseconds."""

from statistics import median
from time import perf_counter

from tests.benchmarks import facts, incremental
from tests.benchmarks.databases import execute, options, own
from tests.benchmarks.figures import say, verdict

TIMES = 50


def fill(orders: int) -> None:
    """Load freight orders, trade orders, draws and the season's offers, undecided."""
    facts.generate(orders)
    sizes = {"orders": orders // 10, "merchants": max(orders // 50, 1), "batch": facts.batch()}
    for statement in (facts.HERE / "trade.sql").read_text(encoding="utf-8").split(";\n"):
        execute(statement, sizes)
    execute("VACUUM ANALYZE")
    incremental.load_season()


def measure() -> tuple[int, list[float]]:
    """Explain a subject of each offer. Return the largest number of queries, and the median milliseconds by offer."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from campaigns.eligibility import claims, explanations
    from campaigns.offers import published_offers

    most, each = 0, []
    for offer in published_offers.published():
        rows = claims.subjects(offer) if claims.subjects(offer).exists() else claims.all_rows(offer)
        subject = rows.order_by("-pk").values_list("pk", flat=True)[0]
        with CaptureQueriesContext(connection) as captured:
            explanation = explanations.explain(offer, str(subject), at=facts.DECIDED)
        took = []
        for _ in range(TIMES):
            began = perf_counter()
            explanations.explain(offer, str(subject), at=facts.DECIDED)
            took.append((perf_counter() - began) * 1_000)
        most = max(most, len(captured))
        each.append(median(took))
        say(f"  {offer.code:<34} {len(captured)} queries {each[-1]:8.2f} ms   {explanation.outcome}")
    return most, each


def main() -> None:
    """Measure, and print the distance from one query an offer."""
    explanation = options(__doc__)
    with own("explaining"):
        fill(explanation.orders)
        say(f"One subject an offer explained, over {explanation.orders:,} freight orders, median of {TIMES}")
        most, each = measure()
    verdict("queries an offer, at most", most, "1", held=most == 1)
    verdict("milliseconds, slowest offer", max(each), "a few: below 10", held=max(each) < 10)


if __name__ == "__main__":
    main()
