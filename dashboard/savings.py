"""Money saved: by month, offer and currency, as a chart with its table, and as a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel.dates import format_skeleton
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from campaigns.ledger import savings
from campaigns.ledger.savings import Saving
from core import clock, spreadsheets
from core.formatting import babel_locale
from dashboard.rendering import show
from merchants.access import MemberRequest, for_members

FORMATS = {
    "csv": (spreadsheets.CONTENT_TYPES["csv"], spreadsheets.to_csv),
    "xlsx": (spreadsheets.CONTENT_TYPES["xlsx"], spreadsheets.to_xlsx),
}


@dataclass(frozen=True)
class Bar:
    """One month of a chart: its sum, and where its bar stands on a ground of 100 units in height."""

    label: str
    amount: Decimal
    x: int
    y: float
    height: float

    @property
    def above(self) -> float:
        """Where its figure stands."""
        return self.y - 4


@dataclass(frozen=True)
class Chart:
    """The months of one currency, oldest first."""

    currency: str
    total: Decimal
    bars: list[Bar]
    width: int


STEP = 84


def month_name(month: date) -> str:
    """`Sep 2022`, `2022年9月`."""
    return format_skeleton("yMMM", month, locale=babel_locale())


def charts(found: Sequence[Saving]) -> Iterator[Chart]:
    """A chart for each currency."""
    for currency in sorted({saving.currency for saving in found}):
        months: dict[date, Decimal] = {}
        for saving in reversed([one for one in found if one.currency == currency]):
            months[saving.month] = months.get(saving.month, Decimal(0)) + saving.amount
        highest = max(months.values())
        bars = []
        for n, (month, amount) in enumerate(months.items()):
            height = float(100 * amount / highest) if highest else 0.0
            bars.append(Bar(month_name(month), amount, n * STEP, 100 - height, height))
        yield Chart(currency, sum(months.values(), Decimal(0)), bars, len(bars) * STEP)


@require_GET
@for_members
def page(request: MemberRequest) -> HttpResponse:
    """What the merchant has saved so far."""
    found = _found(request)
    rows = [(month_name(saving.month), saving) for saving in found]
    return show(request, "dashboard/saved.html", at=clock.now(), charts=list(charts(found)), rows=rows)


@require_GET
@for_members
def table(request: MemberRequest, form: str) -> HttpResponse:
    """The same as a CSV file or a workbook."""
    content_type, write = FORMATS[form]
    header: list[object] = [_("month"), _("offer"), _("name"), _("amount"), _("currency")]
    rows = [header, *map(_row, _found(request))]
    response = HttpResponse(write(rows), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="saved.{form}"'
    return response


def _row(saving: Saving) -> list[object]:
    return [f"{saving.month:%Y-%m}", saving.offer.code, saving.offer.name, saving.amount, saving.currency]


def _found(request: MemberRequest) -> list[Saving]:
    return savings.savings(request.merchant, zone=timezone.get_current_timezone())
