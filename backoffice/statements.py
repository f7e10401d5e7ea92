"""Pages of monthly statements by offer, merchant and currency, also as files; closing of a month."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from backoffice.rendering import actor, render_confirmation, render_page, staff_view
from campaigns.ledger import statements
from campaigns.ledger.statements import Line, PeriodError
from campaigns.models import AccountingPeriod
from core import clock, spreadsheets
from core.formatting import format_money
from core.spreadsheets import CONTENT_TYPES

MAX_LINES_SHOWN = 500


@staff_view("view_journalentry", methods=("GET", "HEAD"))
def month_list(request: HttpRequest) -> HttpResponse:
    """List the months and whether they are closed."""
    closed = {period.month: period for period in AccountingPeriod.objects.all()}
    months = [(month, closed.get(month)) for month in statements.months()]
    return render_page(request, "statements", title=_("Statements"), months=months)


@staff_view("view_journalentry", methods=("GET", "HEAD"))
def detail(request: HttpRequest, month: str) -> HttpResponse:
    """Show the statement of a month: totals by offer, and lines."""
    first = _month(month)
    lines = list(statements.lines(first))
    offer, merchant = request.GET.get("offer", ""), request.GET.get("merchant", "")
    chosen = [line for line in lines if offer in ("", line.offer) and merchant in ("", line.merchant)]
    return render_page(
        request,
        "statement",
        title=_("Statement %(month)s") % {"month": month},
        month=first,
        lines=chosen[:MAX_LINES_SHOWN],
        more=max(0, len(chosen) - MAX_LINES_SHOWN),
        offers=_totals_by_offer(lines),
        totals=_totals(chosen),
        offer=offer,
        merchant=merchant,
        period=AccountingPeriod.objects.filter(month=first).first(),
        objection=statements.closing_objection(first, at=clock.now()),
        may_close=request.user.has_perm("campaigns.close_period"),
    )


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise Http404 from error


def _totals_by_offer(lines: Iterable[Line]) -> list[tuple[str, str, str, Decimal]]:
    """Return the total of each offer in each currency, as (code, name, currency, total)."""
    sums: dict[tuple[str, str, str], Decimal] = {}
    for line in lines:
        key = (line.offer, line.name, line.currency)
        sums[key] = sums.get(key, Decimal(0)) + line.total
    return [(*key, total) for key, total in sums.items()]


def _totals(lines: Iterable[Line]) -> list[tuple[str, Decimal]]:
    """Return the total of the lines in each currency; currencies are not added together."""
    sums: dict[str, Decimal] = {}
    for line in lines:
        sums[line.currency] = sums.get(line.currency, Decimal(0)) + line.total
    return sorted(sums.items())


@staff_view("view_journalentry", methods=("GET", "HEAD"))
def download(_request: HttpRequest, month: str, form: str) -> HttpResponse:
    """Download the statement of a month as a file."""
    first = _month(month)
    if form not in CONTENT_TYPES:
        raise Http404
    with TemporaryDirectory(prefix="fairground-") as folder:
        path = Path(folder, f"statement.{form}")
        spreadsheets.write(str(path), statements.COLUMNS, statements.rows(first))
        response = HttpResponse(path.read_bytes(), content_type=CONTENT_TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="statement-{month}.{form}"'
    return response


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
    totals = [
        _("Total: %(sum)s") % {"sum": format_money(n, currency)} for currency, n in _totals(statements.lines(first))
    ]
    effects = [*totals, _("The statement becomes final. Later corrections appear in the statement of a later month.")]
    title = _("Close %(month)s") % {"month": month}
    return render_confirmation(request, title=title, effects=effects, button=title, back=back, destructive=True)
