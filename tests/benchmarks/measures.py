"""A measured condition, the share of ninety days, for the claims of thirty: against one grouped statement by hand."""

import sys
from datetime import UTC, datetime, timedelta

from django.db import connection

from tests.benchmarks import facts
from tests.benchmarks.databases import execute, options, own, timed
from tests.benchmarks.figures import ratio, say, timings, verdict

UNTIL = datetime(2022, 12, 20, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=30)


def fill(orders: int) -> None:
    """Record merchants with sixty orders each, and publish the offer that asks for the share."""
    from campaigns.offers import publishing
    from definitions import parser

    sizes = {"orders": orders, "merchants": max(orders // 60, 1), "batch": facts.batch()}
    for statement in (facts.HERE / "measures.sql").read_text(encoding="utf-8").split(";\n"):
        execute(statement, sizes)
    execute("VACUUM ANALYZE")
    source = (facts.HERE / "measured.yaml").read_text(encoding="utf-8")
    publishing.publish(parser.read(source), source=source, at=SINCE, by="benchmark")


def by_engine() -> dict[str, int]:
    """Return the claims of the period with the bits of the conditions that fail, as the engine asks for them."""
    from django.db.models import Q

    from campaigns.eligibility import claims
    from campaigns.offers import published_offers

    [offer] = published_offers.published()
    rows = claims.subjects(offer, only=Q(shipped_at__gte=SINCE, shipped_at__lt=UNTIL))
    return dict(claims.with_failed_conditions(offer, rows).values_list("pk", "failed"))


def by_hand() -> dict[str, int]:
    """Return the same by one statement."""
    statement = (facts.HERE / "measured_by_hand.sql").read_text(encoding="utf-8")
    with connection.cursor() as cursor:
        cursor.execute(statement, {"since": SINCE, "until": UNTIL})
        return dict(cursor.fetchall())


def main() -> None:
    """Measure both in turns, compare what they found, and print the ratio of their rates."""
    chosen = options(__doc__, orders=300_000)
    with own("measures"):
        fill(chosen.orders)
        ours, theirs, found = list[float](), list[float](), list[dict[str, int]]()
        for _ in range(chosen.rounds):
            ours.append(timed(lambda: found.append(by_engine())))
            theirs.append(timed(lambda: found.append(by_hand())))
    if any(each != found[0] for each in found):
        sys.exit("the statement by hand found other claims that fail")
    claims, failed = len(found[0]), sum(map(bool, found[0].values()))
    say(f"{claims:,} claims over {chosen.orders:,} trade orders, of which {failed:,} fail the share of 90 days")
    timings("the condition of an offer", claims, ours, "claims")
    timings("one grouped statement by hand", claims, theirs, "claims")
    result = ratio(ours, theirs)
    verdict("rate against the statement", result, "at least 0.5", held=result >= 0.5)


if __name__ == "__main__":
    main()
