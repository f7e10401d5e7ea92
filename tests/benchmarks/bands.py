"""Cold tick of an offer with a monthly band for each merchant, against the same offer with a limit per merchant."""

from tests.benchmarks import facts
from tests.benchmarks.databases import fresh, options, own
from tests.benchmarks.figures import ratio, say, timings, verdict

SOURCE = """\
campaign: benchmark
names: {en: Benchmark, zh: 基准}
zone: America/Los_Angeles
offers:
  - code: benchmark-bands
    names: {en: Bands, zh: 名额}
    subject: freight_order
    where: all
    claim: {at: paid_at}
    conditions: everyone
    benefit: {fee: freight, percent: 5}
    quota: QUOTA
"""
SHORT = "{per_merchant: 500}"
MONTHLY = "[{of: grants, at_most: 500, per: merchant, in: month}]"


def publish(quota: str) -> None:
    """Publish the offer with a quota, after everything that was decided is gone."""
    from campaigns.offers import publishing
    from definitions import parser

    facts.forget()
    source = SOURCE.replace("QUOTA", quota)
    publishing.publish(parser.read(source), source=source, at=facts.DECIDED, by="benchmark")


def main() -> None:
    """Measure both quotas in turns, on one database and the same facts."""
    chosen = options(__doc__)
    with own("bands"):
        facts.generate(chosen.orders)
        short: list[float] = []
        monthly: list[float] = []
        for _ in range(chosen.rounds):
            for quota, seconds in ((SHORT, short), (MONTHLY, monthly)):
                publish(quota)
                seconds.append(fresh("tick", facts.after(0)).seconds)
        # A merchant with more than 500 orders reaches the limit in all before that of a month.
        say(f"{chosen.orders:,} orders: " + ", ".join(f"{n:,} {name}" for name, n in facts.outcomes().items() if n))
        timings("a limit per merchant", chosen.orders, short)
        timings("a band per merchant and month", chosen.orders, monthly)
        found = ratio(monthly, short)
        verdict("rate against the limit per merchant", found, "at least 0.83", held=found >= 0.83)


if __name__ == "__main__":
    main()
