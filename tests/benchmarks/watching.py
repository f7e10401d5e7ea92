"""Pages of the admin site over a small season and a large one; and a simulation beside the same tick."""

from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from tests.benchmarks import explaining, facts
from tests.benchmarks.databases import execute, options, own, value
from tests.benchmarks.figures import say
from tests.benchmarks.looking import measure

PAGES = (
    "/admin/",
    "/admin/offers/parcel-11-off/",
    "/admin/campaigns/grant/",
    "/admin/campaigns/decision/?outcome__exact=2",
    "/admin/campaigns/journalentry/",
    "/admin/merchant/M0000001/",
    "/admin/statements/2022-09/",
)


def operator() -> Any:
    """Create an operator with all view permissions."""
    from django.contrib.auth.models import User
    from django.test import Client

    found = Client(headers={"host": "localhost"})
    found.force_login(User.objects.create_superuser("operator"))
    return found


def decide() -> float:
    """Run a tick over everything and return its seconds."""
    from campaigns.engine import ticker

    began = perf_counter()
    ticker.tick(at=facts.DECIDED)
    took = perf_counter() - began
    execute("VACUUM ANALYZE")
    return took


def try_again() -> float:
    """Simulate the published campaign on the same records and return the seconds."""
    from campaigns.models import Campaign
    from campaigns.offers import drafts
    from campaigns.simulation import jobs

    source = Campaign.objects.order_by("pk")[0].source
    draft = drafts.begin(source, title="again", at=facts.DECIDED, by="b")
    trial = jobs.request(draft, until=facts.DECIDED, at=facts.DECIDED, by="b")
    began = perf_counter()
    jobs.run(trial, clock=lambda: datetime.now(UTC))
    assert trial.status == "done", trial.error
    return perf_counter() - began


def season(orders: int) -> dict[str, tuple[int, float]]:
    """Return queries and milliseconds of each page over so many orders."""
    with own("watching"):
        explaining.fill(orders)
        ticked, tried = decide(), try_again()
        counts = {name: value(f"SELECT count(*) FROM campaigns_{name}") for name in ("decision", "grant", "entry")}
        say(f"{orders:,} orders: " + ", ".join(f"{n:,} {name}" for name, n in counts.items()))
        say(f"  a cold tick {ticked:.1f} s, a trial of the same in its steps {tried:.1f} s: {tried / ticked:.2f} times")
        browser = operator()
        return {page: measure(page, browser) for page in PAGES}


def main() -> None:
    """Open each page over a tenth of the orders and over all of them, and print the ratio."""
    chosen = options(__doc__)
    small, large = season(chosen.orders // 10), season(chosen.orders)
    say("medians, in one process: a tenth of the orders, then all")
    for page in PAGES:
        (queries, few), (also, many) = small[page], large[page]
        say(f"  {page:<46} {queries:3} queries {few:9.1f} ms   {also:3} queries {many:9.1f} ms")


if __name__ == "__main__":
    main()
