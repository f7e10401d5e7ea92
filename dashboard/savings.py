"""Savings by month, offer and currency: chart, table, and download as CSV or XLSX."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel.dates import format_skeleton
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from campaigns.ledger import savings
from campaigns.ledger.savings import Saving, SavingLine
from core import clock, spreadsheets
from core.formatting import babel_locale
from dashboard.rendering import render_page
from merchants.access import MemberRequest, for_members

FORMATS = {
    "csv": (spreadsheets.CONTENT_TYPES["csv"], spreadsheets.to_csv),
    "xlsx": (spreadsheets.CONTENT_TYPES["xlsx"], spreadsheets.to_xlsx),
}


KINDS = {"discount": gettext_lazy("discount"), "coupon": gettext_lazy("coupon")}


@dataclass(frozen=True)
class Bar:
    """One month of a chart: its total, and the width of its bar in percent of the longest."""

    label: str
    amount: Decimal
    width: float


@dataclass(frozen=True)
class Chart:
    """Bars of one currency, oldest month first, and their total."""

    currency: str
    total: Decimal
    bars: list[Bar]


def month_name(month: date) -> str:
    """Return `Sep 2022` or `2022年9月`, by the language in force."""
    return format_skeleton("yMMM", month, locale=babel_locale())


def charts(rows: Sequence[Saving]) -> Iterator[Chart]:
    """Yield one chart for each currency; currencies are never added up. `rows` come newest month first."""
    for currency in sorted({saving.currency for saving in rows}):
        totals: dict[date, Decimal] = {}
        for saving in reversed(rows):
            if saving.currency == currency:
                totals[saving.month] = totals.get(saving.month, Decimal(0)) + saving.amount
        yield Chart(currency=currency, total=sum(totals.values(), Decimal(0)), bars=list(_bars(totals)))


def _bars(totals: dict[date, Decimal]) -> Iterator[Bar]:
    highest = max(totals.values())
    for month, amount in totals.items():
        yield Bar(label=month_name(month), amount=amount, width=float(100 * amount / highest) if highest else 0.0)


@require_GET
@for_members
def index(request: MemberRequest) -> HttpResponse:
    """Show the merchant's savings so far as charts and a table."""
    rows = _savings(request)
    named = [(month_name(saving.month), saving) for saving in rows]
    return render_page(
        request, "dashboard/savings.html", at=clock.now(), current="savings", charts=list(charts(rows)), rows=named
    )


@require_GET
@for_members
def export(request: MemberRequest, file_format: str) -> HttpResponse:
    """Download every saving, line by line, as a CSV file or a workbook for accounting."""
    content_type, write = FORMATS[file_format]
    header: list[object] = [
        _("date"),
        _("order"),
        _("offer"),
        _("kind"),
        _("amount"),
        _("currency"),
        _("of which you pay"),
    ]
    rows = [header, *map(_row, savings.lines(request.merchant))]
    response = HttpResponse(write(rows), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="savings.{file_format}"'
    return response


def _row(line: SavingLine) -> list[object]:
    day = timezone.localtime(line.at).date().isoformat()
    return [day, line.order, line.offer.name, str(KINDS[line.kind]), line.amount, line.currency, line.own]


def _savings(request: MemberRequest) -> list[Saving]:
    return savings.savings(request.merchant, zone=timezone.get_current_timezone())
