"""Monthly statements: amounts settled and redeemed by offer, merchant and currency, from the journal alone.

An entry belongs to the month in which it happened, in the time zone of the installation. A closed month does not
change: entries that are written for it later belong to the next month that was open then.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from heapq import merge
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.utils.translation import gettext as _

from campaigns.ledger import funding
from campaigns.models import AccountingPeriod, Coupon, Grant, Issuance, JournalEntry, Offer
from core.db.fields import money_total
from core.facts import Label
from core.money import round_to_cents
from definitions.funding import PAYERS

COLUMNS = "month,offer,merchant_code,currency,settled,reversed,redeemed,returned,total".split(",")
PAYER_COLUMNS = [COLUMNS[0], "payer", *COLUMNS[1:]]
PARTS = COLUMNS[4:-1]
SETTLED, REDEEMED = str(Grant.Status.SETTLED), str(Coupon.Status.REDEEMED)
ZERO = Decimal("0.00")
ROWS_AT_ONCE = 2_000
"""Rows that a file of a statement keeps in memory."""


class PeriodError(Exception):
    """The month cannot be closed; the text gives the reason. Nothing was changed."""


@dataclass(frozen=True)
class Line:
    """Line of a statement: the amounts of one merchant and one offer in a month.

    `reversed` was settled and then released or revoked, `returned` was redeemed and then given back. Both are positive
    and reduce the total.
    """

    offer: str
    name: str
    merchant: str
    currency: str
    settled: Decimal
    reversed: Decimal
    redeemed: Decimal
    returned: Decimal

    @property
    def total(self) -> Decimal:
        return self.settled - self.reversed + self.redeemed - self.returned


def following(month: date) -> date:
    """Return the first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def begins(month: date, zone: str) -> datetime:
    """Return the first instant of the month in `zone`."""
    return datetime(month.year, month.month, 1, tzinfo=ZoneInfo(zone))


def _belonging(month: date) -> Q:
    """Return the condition for the journal entries of the month that begins on `month`."""
    zone = settings.TIME_ZONE
    periods = {period.month: period for period in AccountingPeriod.objects.order_by("month")}
    closed, before = periods.get(month), max((other for other in periods if other < month), default=None)
    if before is None and closed is None and periods:
        return Q(pk__in=[])  # the first month that was closed took all entries before it
    within = Q(at__lt=begins(following(month), zone))
    if closed is not None:
        within &= Q(pk__lte=closed.last_entry)
    if before is not None and following(before) == month:
        return within & (Q(at__gte=begins(month, zone)) | Q(pk__gt=periods[before].last_entry))
    first = before is None and closed is not None
    return within if first else within & Q(at__gte=begins(month, zone))


def lines(month: date, *, only: str | None = None, chunk: int = 0, payer: str = "") -> Iterator[Line]:
    """Yield the statement of a month by offer, merchant and currency; `only` names one merchant. Four queries.

    With a `payer` the amounts are what that party pays of them, in one more query.
    Both parts come in the order of the codes and are merged, so that no more than `chunk` rows are in memory; without
    it, the rows that the database returns.
    """
    belongs = _belonging(month)
    offers = Offer.objects.in_bulk()
    keys = ("offer_id", "offer__code", "currency")
    paid = _paid_by(funding.version_shares(), payer) if payer else F
    parts = (
        _grants(_settlements(belongs, only), paid, *keys, whose=F("grant__merchant_id")),
        _coupons(_redemptions(belongs, only), paid, *keys, whose=F("coupon__merchant_id")),
    )
    sorted_parts = [part.order_by("offer__code", "whose", "currency") for part in parts]
    ordered = merge(*(part.iterator(chunk) if chunk else part for part in sorted_parts), key=_key)
    for (_code, merchant, currency), found in groupby(ordered, key=_key):
        rows = list(found)
        offer = offers[rows[0]["offer_id"]]
        amounts = {name: row[name] for row in rows for name in PARTS if name in row}
        figures = [round_to_cents(amounts.get(name) or ZERO) for name in PARTS]
        if any(figures):
            yield Line(offer.code, offer.name, merchant, currency, *figures)


def _key(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["offer__code"], row["whose"], row["currency"]


def totals(month: date) -> list[tuple[str, Decimal]]:
    """Return the total of a month in each currency, which are not added together. Three queries."""
    belongs = _belonging(month)
    sums: dict[str, Decimal] = {}
    grants, coupons = _settlements(belongs, None), _redemptions(belongs, None)
    for row in (*_grants(grants, F, "currency"), *_coupons(coupons, F, "currency")):
        plus, minus = (row.get(names[0]) or row.get(names[1]) or ZERO for names in (PARTS[::2], PARTS[1::2]))
        sums[row["currency"]] = sums.get(row["currency"], ZERO) + plus - minus
    return sorted((currency, round_to_cents(total)) for currency, total in sums.items())


@dataclass(frozen=True)
class PayerSums:
    """Amounts that one party pays in a month in one currency: those of PARTS, and their total."""

    payer: str
    currency: str
    figures: tuple[Decimal, ...]

    @property
    def label(self) -> Label:
        return PAYERS[self.payer]


def by_payer(month: date, *, only: str | None = None, offer: str = "") -> list[PayerSums]:
    """Return what each party pays in a month by currency: together the amounts of `lines`.

    `only` names one merchant, `offer` one offer. Without an offer that names who pays, the list is empty.
    """
    shares = funding.version_shares()
    if not shares:
        return []
    belongs = _belonging(month) & (Q(offer__code=offer) if offer else Q())
    found = []
    for payer in PAYERS:
        paid, sums = _paid_by(shares, payer), dict[str, dict[str, Decimal]]()
        grants, coupons = _settlements(belongs, only), _redemptions(belongs, only)
        for row in (*_grants(grants, paid, "currency"), *_coupons(coupons, paid, "currency")):
            sums.setdefault(row["currency"], {}).update(row)
        for currency, amounts in sorted(sums.items()):
            figures = [round_to_cents(amounts.get(name) or ZERO) for name in PARTS]
            total = sum(figures[::2], ZERO) - sum(figures[1::2], ZERO)
            if any(figures):
                found.append(PayerSums(payer, currency, (*figures, total)))
    return found


Paid = Callable[[str], Any]
"""Function from the name of a column to the amount that is added up."""


def _paid_by(shares: funding.VersionShares, payer: str) -> Paid:
    return lambda amount: shares.of(payer, amount)


def _sum(q: Q, amount: Any) -> Sum:
    return Sum(Case(When(q, then=amount), default=Value(ZERO), output_field=money_total()))


def _settlements(belongs: Q, merchant: str | None) -> "QuerySet[JournalEntry]":
    moves = JournalEntry.objects.filter(belongs, ~Q(source=F("target")), grant__isnull=False, grant__coupons=0)
    money_moves = moves.filter(Q(source=SETTLED) | Q(target=SETTLED)).order_by()
    return money_moves if merchant is None else money_moves.filter(grant__merchant=merchant)


def _grants(moves: "QuerySet[JournalEntry]", paid: Paid, *by: str, **named: F) -> Any:
    amount = paid("amount")
    return moves.values(*by, **named).annotate(
        settled=_sum(Q(target=SETTLED), amount), reversed=_sum(Q(source=SETTLED), amount)
    )


def _redemptions(belongs: Q, merchant: str | None) -> "QuerySet[JournalEntry]":
    # A returned coupon leaves with its face value. The amount to take back is the one that it was redeemed for.
    moves = JournalEntry.objects.filter(belongs, ~Q(source=F("target")), coupon__isnull=False)
    money_moves = moves.filter(Q(source=REDEEMED) | Q(target=REDEEMED)).order_by()
    money_moves = money_moves if merchant is None else money_moves.filter(coupon__merchant=merchant)
    redeemed = JournalEntry.objects.filter(coupon=OuterRef("coupon"), target=REDEEMED, pk__lt=OuterRef("pk"))
    return money_moves.annotate(worth=Subquery(redeemed.order_by("-pk").values("amount")[:1]))


def _coupons(moves: "QuerySet[JournalEntry]", paid: Paid, *by: str, **named: F) -> Any:
    return moves.values(*by, **named).annotate(
        redeemed=_sum(Q(target=REDEEMED), paid("amount")), returned=_sum(Q(source=REDEEMED), paid("worth"))
    )


def rows(month: date) -> Iterator[tuple[object, ...]]:
    """Yield the statement of a month as rows of a file, in the order of COLUMNS."""
    for line in lines(month, chunk=ROWS_AT_ONCE):
        figures = (line.settled, line.reversed, line.redeemed, line.returned, line.total)
        yield (f"{month:%Y-%m}", line.offer, line.merchant, line.currency, *figures)


def rows_by_payer(month: date) -> Iterator[tuple[object, ...]]:
    """Yield what each party pays in a month as rows of a file, in the order of PAYER_COLUMNS."""
    for payer in PAYERS:
        for line in lines(month, chunk=ROWS_AT_ONCE, payer=payer):
            figures = (line.settled, line.reversed, line.redeemed, line.returned, line.total)
            yield (f"{month:%Y-%m}", payer, line.offer, line.merchant, line.currency, *figures)


def months() -> list[date]:
    """Return the months with journal entries, newest first, up to the one that is to be closed next."""
    span = JournalEntry.objects.aggregate(first=Min("at"), last=Max("at"))
    if span["first"] is None:
        return []
    zone = ZoneInfo(settings.TIME_ZONE)
    month, last = (span[end].astimezone(zone).date().replace(day=1) for end in ("first", "last"))
    closed = AccountingPeriod.objects.order_by("-month").values_list("month", flat=True).first()
    last = max(last, following(closed)) if closed else last
    found = [month]
    while found[-1] < last:
        found.append(following(found[-1]))
    return found[::-1]


def closing_objection(month: date, *, at: datetime) -> str:
    """Return why a month cannot be closed at an instant, or an empty string."""
    if begins(following(month), settings.TIME_ZONE) > at:
        return _("The month is not over yet.")
    last = AccountingPeriod.objects.order_by("-month").first()
    due = following(last.month) if last else month
    if month != due:
        return _("Months are closed one after the other: the next is %(month)s.") % {"month": f"{due:%Y-%m}"}
    return ""


@transaction.atomic
def close(month: date, *, at: datetime, by: str) -> AccountingPeriod:
    """Close a month: its statement holds what the journal holds now, and does not change any more.

    Raises PeriodError if the month is closed already, is not over at `at`, or does not follow the last closed one.
    """
    # Every writer of entries that move money locks one of these rows first. With all of them locked, no transaction is
    # left that could still commit an entry with a smaller key than the newest.
    list(Offer.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    list(Issuance.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    if objection := closing_objection(month, at=at):
        raise PeriodError(objection)
    newest = JournalEntry.objects.aggregate(newest=Max("pk"))["newest"] or 0
    return AccountingPeriod.objects.create(
        month=month, zone=settings.TIME_ZONE, last_entry=newest, closed_at=at, closed_by=by
    )
