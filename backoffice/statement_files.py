"""Workbook of a month for finance: sums by offer and by merchant, and all lines, with names and totals."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import IO

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from campaigns.ledger import statements
from campaigns.ledger.statements import PARTS, ROWS_AT_ONCE, ZERO, Line
from core.workbooks import MONEY, Book, Column, Sheet
from definitions.funding import PAYERS
from merchants.models import Merchant

Sums = dict[tuple[str, str, str], list[Decimal]]
"""Amounts and total by code, name and currency."""


def write(file: IO[bytes], month: date, *, named: bool) -> None:
    """Write the workbook of a month, with the names of merchants only if `named`.

    Lines are written as they are read; only the sums are kept.
    """
    by_offer: Sums = {}
    by_merchant: Sums = {}
    with Book(file) as book:
        offers = book.sheet(_("By offer"), [Column(_("Offer"), 34), Column(_("Code"), 26), *_amounts()])
        merchants = book.sheet(_("By merchant"), [Column(_("Merchant"), 40), Column(_("Code"), 14), *_amounts()])
        heads = [Column(_("Month"), 10, "yyyy-mm"), Column(_("Offer"), 34), Column(_("Offer code"), 26)]
        heads += [Column(_("Merchant"), 40), Column(_("Merchant code"), 14), *_amounts()]
        lines = book.sheet(_("Lines"), heads)
        for line, name in _lines(month, named=named):
            figures = [*(getattr(line, part) for part in PARTS), line.total]
            lines.add([month, line.name, line.offer, name, line.merchant, line.currency, *figures])
            _add(by_offer, (line.name, line.offer, line.currency), figures)
            _add(by_merchant, (name, line.merchant, line.currency), figures)
        totals = _totals(by_offer)
        _add_payers(book, month)
        _finish(offers, by_offer, totals, before=1)
        _finish(merchants, dict(sorted(by_merchant.items(), key=lambda item: item[0][1:])), totals, before=1)
        _finish(lines, {}, totals, before=4)


def _add_payers(book: Book, month: date) -> None:
    """Add what each party pays, where an offer names who pays."""
    if not (found := statements.by_payer(month)):
        return
    heads = [Column(_("Payer"), 20), Column(_("Offer code"), 26), Column(_("Merchant code"), 14), *_amounts()]
    sheet = book.sheet(_("By payer"), heads)
    for payer, label in PAYERS.items():
        for line in statements.lines(month, chunk=ROWS_AT_ONCE, payer=payer):
            figures = [*(getattr(line, part) for part in PARTS), line.total]
            sheet.add([capfirst(str(label)), line.offer, line.merchant, line.currency, *figures])
    for sums in found:
        sheet.add([capfirst(str(sums.label)), "", _("Total"), sums.currency, *sums.figures], strong=True)


def _amounts() -> list[Column]:
    heads = (_("Settled"), _("Reversed"), _("Redeemed"), _("Returned"), _("Total"))
    return [Column(_("Currency"), 10), *(Column(head, 16, MONEY) for head in heads)]


def _lines(month: date, *, named: bool) -> Iterator[tuple[Line, str]]:
    """Yield each line with the name of its merchant, empty unless `named`. One query for many lines."""
    rest = iter(statements.lines(month, chunk=ROWS_AT_ONCE))
    while chunk := list(islice(rest, ROWS_AT_ONCE)):
        found = Merchant.objects.filter(pk__in={line.merchant for line in chunk} if named else ())
        names = {code: name or name_en for code, name, name_en in found.values_list("code", "name", "name_en")}
        yield from ((line, names.get(line.merchant, "")) for line in chunk)


def _add(sums: Sums, key: tuple[str, str, str], figures: list[Decimal]) -> None:
    before = sums.setdefault(key, [ZERO] * len(figures))
    sums[key] = [old + new for old, new in zip(before, figures, strict=True)]


def _totals(sums: Sums) -> dict[str, list[Decimal]]:
    """Return the sums of each currency."""
    found: Sums = {}
    for (_name, _code, currency), figures in sums.items():
        _add(found, ("", "", currency), figures)
    return {currency: figures for (_name, _code, currency), figures in sorted(found.items())}


def _finish(sheet: Sheet, sums: Sums, totals: dict[str, list[Decimal]], *, before: int) -> None:
    """Add the sums, and a row of totals for each currency; `before` are its empty columns after the first."""
    for (name, code, currency), figures in sums.items():
        sheet.add([name, code, currency, *figures])
    for currency, figures in totals.items():
        sheet.add([_("Total"), *[""] * before, currency, *figures], strong=True)
