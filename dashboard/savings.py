"""Savings by month, offer and currency: chart, table, and download as CSV or XLSX."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel.dates import format_skeleton
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from campaigns.ledger import savings
from campaigns.ledger.savings import Saving
from core import clock, spreadsheets
from core.formatting import babel_locale
from dashboard import savings_files
from dashboard.rendering import render_page
from merchants.access import MemberRequest, for_members


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
    context = {"charts": list(charts(rows)), "rows": named, "period": _period(rows)}
    return render_page(request, "dashboard/savings.html", at=clock.now(), current="savings", **context)


def _period(rows: Sequence[Saving]) -> str:
    """Return the months of the savings, which come newest first: `Aug 2022 – Sep 2022`."""
    months = [rows[-1].month, rows[0].month] if rows else []
    return " – ".join(map(month_name, dict.fromkeys(months)))


@require_GET
@for_members
def export(request: MemberRequest, file_format: str) -> HttpResponse:
    """Download every saving, line by line, as a CSV file or a workbook for accounting."""
    lines, merchant = list(savings.lines(request.merchant)), request.merchant
    response = HttpResponse(content_type=spreadsheets.CONTENT_TYPES[file_format])
    if file_format == "csv":
        response.write(savings_files.to_csv(lines))
    else:
        response.write(savings_files.to_workbook(lines, merchant))
    name = savings_files.file_name(merchant, timezone.localtime(clock.now()).date(), file_format)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _savings(request: MemberRequest) -> list[Saving]:
    return savings.savings(request.merchant, zone=timezone.get_current_timezone())
