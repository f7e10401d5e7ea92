"""Pages of the dashboard for a merchant with ten orders, and for one with a hundred thousand."""

from statistics import median
from time import perf_counter
from typing import Any

from tests.benchmarks import explaining, facts
from tests.benchmarks.databases import execute, options, own, value
from tests.benchmarks.figures import say, verdict

PAGES = ("/", "/orders/", "/orders/trade/", "/wallet/", "/savings/", "/messages/", "/offers/express-coupons/")
TIMES = 15
FEW, MANY = "M0000001", "M0000002"


def settle() -> None:
    """Give one merchant ten orders and another a hundred thousand, and run a tick of the season's offers."""
    from campaigns.engine import ticker

    execute("UPDATE logistics_freightorder SET merchant_id = 'M0000003' WHERE merchant_id IN (%s, %s)", [FEW, MANY])
    for merchant, orders in ((FEW, 10), (MANY, 100_000)):
        execute(
            "UPDATE logistics_freightorder SET merchant_id = %s WHERE order_no IN "
            "(SELECT order_no FROM logistics_freightorder WHERE merchant_id = 'M0000003' OR order_no > 'F000050000'"
            " ORDER BY merchant_id NOT IN ('M0000003'), order_no LIMIT %s)",
            [merchant, orders],
        )
    ticker.tick(at=facts.DECIDED)
    execute("VACUUM ANALYZE")


def browser(merchant: str) -> Any:
    """Return a browser in which a member of the merchant is signed in."""
    from django.test import Client

    from merchants import members
    from merchants.models import Merchant

    member = members.add(f"{merchant}@example.com", to=Merchant.objects.get(pk=merchant), at=facts.DECIDED, by="b")
    found = Client(headers={"host": "localhost"})
    found.force_login(member.user)
    return found


def measure(page: str, of: Any) -> tuple[int, float]:
    """Return the number of queries of a page, and its median milliseconds."""
    from django.db import connection

    of.get(page)
    asked: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        assert of.get(page).status_code == 200, page
    took = []
    for _ in range(TIMES):
        began = perf_counter()
        of.get(page)
        took.append((perf_counter() - began) * 1_000)
    return len(asked), median(took)


def main() -> None:
    """Open each page as both, and print the ratio."""
    chosen = options(__doc__)
    with own("looking"):
        explaining.fill(chosen.orders)
        settle()
        say(f"{value('SELECT count(*) FROM campaigns_grant'):,} grants; median of {TIMES}, in one process")
        few, many = browser(FEW), browser(MANY)
        same = 0
        for page in PAGES:
            (queries, small), (also, large) = measure(page, few), measure(page, many)
            same += queries == also
            say(f"  {page:<28} {queries:3} queries {small:8.1f} ms   {also:3} queries {large:8.1f} ms with 100,000")
        verdict("pages with the same queries", same, str(len(PAGES)), held=same == len(PAGES))


if __name__ == "__main__":
    main()
