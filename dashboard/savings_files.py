"""Files of a merchant's savings for accounting: every line as CSV, or as a workbook that can be filed as it is."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from io import BytesIO

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.ledger.savings import SavingLine
from core import spreadsheets
from core.workbooks import DAY, MONEY, Book, Column
from dashboard.rendering import shop_name
from merchants.models import Merchant

KINDS = {"discount": gettext_lazy("discount"), "coupon": gettext_lazy("coupon")}
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
Cells = list[object]


def file_name(merchant: Merchant, day: date, extension: str) -> str:
    """Return `savings-M00003-2022-09-21.xlsx`."""
    return f"savings-{UNSAFE.sub('-', merchant.code)}-{day.isoformat()}.{extension}"


def to_csv(lines: Sequence[SavingLine]) -> bytes:
    """Return the lines as CSV under a heading."""
    return spreadsheets.to_csv([[column.heading for column in _columns()], *map(_row, lines)])


def to_workbook(lines: Sequence[SavingLine], merchant: Merchant) -> bytes:
    """Return the lines as a workbook, under the merchant, the period and the totals by currency."""
    file = BytesIO()
    with Book(file) as book:
        sheet = book.sheet(_("Savings"), _columns(), above=_summary(lines, merchant))
        for line in lines:
            sheet.add(_row(line))
    return file.getvalue()


def _columns() -> list[Column]:
    return [
        Column(_("date"), 14, DAY),
        Column(_("order"), 24),
        Column(_("offer"), 40),
        Column(_("kind"), 12),
        Column(_("amount"), 14, MONEY),
        Column(_("currency"), 10),
        Column(_("of which you pay"), 20, MONEY),
    ]


def _row(line: SavingLine) -> Cells:
    return [_day(line), line.order, line.offer.name, str(KINDS[line.kind]), line.amount, line.currency, line.own]


def _day(line: SavingLine) -> date:
    return timezone.localtime(line.at).date()


def _summary(lines: Sequence[SavingLine], merchant: Merchant) -> list[Cells]:
    """Return the rows above the table; `lines` come newest first."""
    period = [" – ".join([_day(lines[-1]).isoformat(), _day(lines[0]).isoformat()])] if lines else []
    totals: dict[str, Decimal] = {}
    for line in lines:
        totals[line.currency] = totals.get(line.currency, Decimal(0)) + line.amount
    sums: list[Cells] = [[_("Total"), "", "", "", totals[currency], currency] for currency in sorted(totals)]
    return [[_("Merchant"), merchant.code, shop_name(merchant)[0]], [_("Period"), *period], *sums, []]
