"""Single claims beside 10, 1,000 and 100,000 live grants, and 1, 10 and 100 live offers.

In turns with a transaction of one plain statement, whose time tells how fast the machine is at the moment. The other
offers are about trade orders: an offer about the same subject is one more decision, and costs one.
"""

from statistics import median
from time import perf_counter

from tests.benchmarks import claiming, facts
from tests.benchmarks.databases import execute, options, own
from tests.benchmarks.figures import say, verdict

OTHER = """
  - code: other-{n}
    names: {{en: Other, zh: 其他}}
    subject: trade_order
    where: all
    claim: {{at: completed_at}}
    conditions: [{{fact: amount_usd, at_least: 1.00}}]
    benefit: {{fee: service_fee, percent: 10}}
    quota: {{limit: 1000}}
"""
HEAD = "campaign: benchmark-other\nnames: {en: Other, zh: 其他}\nzone: UTC\noffers:"


class Claims:
    """Claims of the prepared orders, one after the other."""

    def __init__(self) -> None:
        self.next = 0

    def some(self, count: int) -> None:
        """Claim so many at once, without measuring."""
        from campaigns.engine import instant_claims as verb

        for begin in range(self.next, self.next + count, 200):
            keys = [f"H{n}" for n in range(begin, min(begin + 200, self.next + count))]
            verb.claim_all(keys, of="freight_order", at=facts.DECIDED)
        self.next += count

    def measured(self, count: int = 600) -> tuple[float, float]:
        """Return the median milliseconds of single claims, and of plain transactions in between."""
        from campaigns.engine import instant_claims as verb

        took, plain = [], []
        for n in range(self.next, self.next + count):
            began = perf_counter()
            verb.claim(f"H{n}", of="freight_order", at=facts.DECIDED)
            claimed = perf_counter()
            execute(claiming.ONE_STATEMENT)
            took.append(claimed - began)
            plain.append(perf_counter() - claimed)
        self.next += count
        return median(took) * 1_000, median(plain) * 1_000


def main() -> None:
    """Measure the sizes one after the other, in one database."""
    options(__doc__)
    with own("flat"):
        claiming.prepare(115_000)
        claims = Claims()
        claims.measured(10)  # everything is compiled
        found: dict[int, tuple[float, float]] = {}
        for size in (10, 1_000, 100_000):
            claims.some(size - claims.next)
            found[size] = claims.measured()
        _tell("live grants", found)
        _tell("live offers", {offers: _with_offers(offers, claims) for offers in (1, 10, 100)})


def _with_offers(count: int, claims: Claims) -> tuple[float, float]:
    from campaigns.offers import publishing
    from definitions import parser

    if count > 1:
        text = HEAD + "".join(OTHER.format(n=n) for n in range(count - 1))
        publishing.publish(parser.read(text), source=text, at=facts.DECIDED, by="benchmark")
    return claims.measured()


def _tell(what: str, found: dict[int, tuple[float, float]]) -> None:
    for size, (took, plain) in found.items():
        say(f"{what} {size:>7,}: {took:.2f} ms, {took / plain:.2f} times a plain transaction")
    ratios = [took / plain for took, plain in found.values()]
    spread = max(ratios) / min(ratios)
    verdict("slowest over fastest", spread, "at most 1.2", held=spread <= 1.2)


if __name__ == "__main__":
    main()
