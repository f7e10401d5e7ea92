"""Home page: what was saved, what is on its way, what to do next, what ends soon."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.http import HttpResponse
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from campaigns.eligibility import merchant_status
from campaigns.ledger import savings
from campaigns.offers import published_offers
from core import clock
from core.formatting import format_number
from dashboard import to_do
from dashboard.due_dates import Due
from dashboard.offer_lines import Group, OfferLine
from dashboard.rendering import render_page
from merchants.access import MemberRequest, for_members

MOST_DATES = 6


@dataclass(frozen=True)
class Ending:
    """Date that comes soon: what must be done by then, for which offers."""

    due: Due
    lines: list[OfferLine]

    @property
    def title(self) -> str:
        n = len(self.lines)
        return self.lines[0].name if n == 1 else ngettext("%(n)s offer", "%(n)s offers", n) % {"n": format_number(n)}


@dataclass(frozen=True)
class Pending:
    """Benefits on their way: amounts by currency, and coupons that arrive."""

    amounts: list[tuple[str, Decimal]]
    coupons: int

    def __bool__(self) -> bool:
        return bool(self.amounts or self.coupons)


@require_GET
@for_members
def home(request: MemberRequest) -> HttpResponse:
    """Show the merchant's savings, its tasks, and every offer in one group."""
    at, merchant = clock.now(), request.merchant
    lines = [
        OfferLine(status, at) for status in merchant_status.statuses(published_offers.published(), merchant, at=at)
    ]
    groups = {group.value: [line for line in lines if line.group == group] for group in Group}
    groups["available"].sort(key=_first_end)
    context = {
        "campaigns": list(dict.fromkeys(line.status.offer.row.campaign for line in lines)),
        "lines": lines,
        **groups,
        "saved": savings.totals(merchant),
        "pending": _pending(lines),
        "tasks": to_do.tasks(lines, merchant, at=at, may_use=request.member is None or request.member.may_attach),
        "endings": list(_endings(lines))[:MOST_DATES],
    }
    return render_page(request, "dashboard/home.html", at=at, current="home", **context)


def _first_end(line: OfferLine) -> tuple[float, str]:
    return (line.next_due.bound.instant.timestamp() if line.next_due else float("inf"), line.status.code)


def _pending(lines: list[OfferLine]) -> Pending:
    amounts: dict[str, Decimal] = {}
    for line in lines:
        for currency, amount in line.pending.items():
            amounts[currency] = amounts.get(currency, Decimal(0)) + amount
    qualified = [line.status.offer.terms.bundle for line in lines if line.group == Group.QUALIFIED]
    return Pending(sorted(amounts.items()), sum(bundle.count for bundle in qualified if bundle))


def _endings(lines: list[OfferLine]) -> Iterator[Ending]:
    """Yield the next date of each offer that can still be had, soonest first; offers with the same date together."""
    found: dict[tuple[float, str], list[OfferLine]] = {}
    for line in lines:
        if line.next_due and line.group in (Group.AVAILABLE, Group.PLACED):
            found.setdefault((line.next_due.bound.instant.timestamp(), line.next_due.acts), []).append(line)
    for key in sorted(found):
        several = found[key]
        assert several[0].next_due is not None
        yield Ending(several[0].next_due, several)
