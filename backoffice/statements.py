"""Pages of monthly statements by offer, merchant and currency, also as files; closing of a month."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from backoffice import statement_files
from backoffice.rendering import actor, has_permissions, render_confirmation, render_page, staff_view
from campaigns.ledger import statements
from campaigns.ledger.statements import PARTS, ZERO, Line, PeriodError
from campaigns.models import AccountingPeriod
from core import clock, spreadsheets
from core.formatting import format_money
from core.spreadsheets import CONTENT_TYPES
from merchants.models import Merchant

MONTHS_ON_A_PAGE = 12
LINES_ON_A_PAGE = 50
FIGURES = (*PARTS, "total")
Sums = dict[str, list[Decimal]]
"""Amounts and total by currency; currencies are not added together."""


@dataclass
class OfferSums:
    """Sums of one offer in one currency."""

    code: str
    name: str
    currency: str
    figures: list[Decimal]


@dataclass
class Shown:
    """Part of a month that the page shows: one page of the chosen lines, and the sums of all of them."""

    first: int
    lines: list[Line] = field(default_factory=list)
    count: int = 0
    totals: Sums = field(default_factory=dict)
    offers: dict[tuple[str, str], OfferSums] = field(default_factory=dict)

    def add(self, line: Line, *, is_chosen: bool) -> None:
        """Count a line in the sums and, if the page has it, keep it."""
        figures = [getattr(line, name) for name in FIGURES]
        key = (line.offer, line.currency)
        offer = self.offers.setdefault(key, OfferSums(line.offer, line.name, line.currency, [ZERO] * len(FIGURES)))
        offer.figures = _added(offer.figures, figures)
        if is_chosen:
            self.totals[line.currency] = _added(self.totals.get(line.currency, [ZERO] * len(FIGURES)), figures)
            if self.first <= self.count < self.first + LINES_ON_A_PAGE:
                self.lines.append(line)
            self.count += 1


def _added(sums: list[Decimal], figures: list[Decimal]) -> list[Decimal]:
    return [old + new for old, new in zip(sums, figures, strict=True)]


@staff_view("view_journalentry", methods=("GET", "HEAD"))
def month_list(request: HttpRequest) -> HttpResponse:
    """List the months, newest first, with their totals and whether they are closed."""
    pages = Paginator(statements.months(), MONTHS_ON_A_PAGE).get_page(request.GET.get("page"))
    closed = {period.month: period for period in AccountingPeriod.objects.filter(month__in=list(pages))}
    months = [(month, closed.get(month), statements.totals(month)) for month in pages]
    return render_page(request, "statements", title=_("Statements"), months=months, pages=pages)


@staff_view("view_journalentry", methods=("GET", "HEAD"))
def detail(request: HttpRequest, month: str) -> HttpResponse:
    """Show the statement of a month: sums, then offers, then a page of lines with the names of merchants."""
    first = _month(month)
    offer, merchant = request.GET.get("offer", ""), request.GET.get("merchant", "")
    text = request.GET.get("page", "1")
    number = min(int(text), 1_000_000) if text.isdecimal() and int(text) else 1
    shown = Shown(first=(number - 1) * LINES_ON_A_PAGE)
    for line in statements.lines(first, only=merchant or None):
        shown.add(line, is_chosen=offer in ("", line.offer))
    codes = {line.merchant for line in shown.lines} | {merchant} - {""}
    names = Merchant.objects.in_bulk(codes) if has_permissions(request, "merchants.view_merchant") else {}
    return render_page(
        request,
        "statement",
        title=_("Statement %(month)s") % {"month": month},
        month=first,
        lines=[(line, names.get(line.merchant)) for line in shown.lines],
        pages=Paginator(range(shown.count), LINES_ON_A_PAGE).get_page(number),
        filters="".join(f"{key}={quote(value)}&" for key, value in (("offer", offer), ("merchant", merchant)) if value),
        offers=shown.offers.values(),
        totals=sorted(shown.totals.items()),
        payers=statements.by_payer(first, only=merchant or None, offer=offer),
        offer=next((each for (code, _currency), each in shown.offers.items() if code == offer), None),
        merchant=merchant,
        merchant_name=names.get(merchant, merchant),
        period=AccountingPeriod.objects.filter(month=first).first(),
        objection=statements.closing_objection(first, at=clock.now()),
        may_close=request.user.has_perm("campaigns.close_period"),
    )


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise Http404 from error


@staff_view("view_journalentry", methods=("GET", "HEAD"))
def download(request: HttpRequest, month: str, form: str) -> FileResponse:
    """Download the statement of a month: all lines as CSV for programs, or a workbook for finance."""
    first = _month(month)
    if form not in CONTENT_TYPES:
        raise Http404
    with TemporaryDirectory(prefix="fairground-") as folder:
        path = Path(folder, f"statement-{month}.{form}")
        if form == "xlsx":
            with path.open("wb") as target:
                statement_files.write(target, first, named=has_permissions(request, "merchants.view_merchant"))
        else:
            spreadsheets.write(str(path), statements.COLUMNS, statements.rows(first))
        # The response reads the open file, which outlives its name, and closes it.
        return FileResponse(path.open("rb"), as_attachment=True, content_type=CONTENT_TYPES[form])


@staff_view("view_journalentry", methods=("GET", "HEAD"))
def download_by_payer(_request: HttpRequest, month: str) -> FileResponse:
    """Download what each party pays in a month, by offer and merchant, as CSV."""
    first = _month(month)
    with TemporaryDirectory(prefix="fairground-") as folder:
        path = Path(folder, f"statement-{month}-by-payer.csv")
        spreadsheets.write(str(path), statements.PAYER_COLUMNS, statements.rows_by_payer(first))
        return FileResponse(path.open("rb"), as_attachment=True, content_type=CONTENT_TYPES["csv"])


@staff_view("close_period")
def close_month(request: HttpRequest, month: str) -> HttpResponse:
    """Close a month, after a confirmation that states its totals."""
    first = _month(month)
    back = reverse("backoffice:statement", args=[month])
    if objection := statements.closing_objection(first, at=clock.now()):
        messages.error(request, objection)
        return redirect(back)
    if request.method == "POST":
        try:
            statements.close(first, at=clock.now(), by=actor(request))
            messages.success(request, _("%(month)s is closed.") % {"month": month})
        except PeriodError as refusal:
            messages.error(request, str(refusal))
        return redirect(back)
    sums = statements.totals(first)
    totals = [_("Total: %(sum)s") % {"sum": format_money(n, currency)} for currency, n in sums]
    effects = [*totals, _("The statement becomes final. Later corrections appear in the statement of a later month.")]
    title = _("Close %(month)s") % {"month": month}
    return render_confirmation(request, title=title, effects=effects, button=title, back=back, destructive=True)
