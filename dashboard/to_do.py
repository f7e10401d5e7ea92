"""To-do list of a merchant: what keeps, uses or brings a benefit next, the most urgent first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.eligibility import claims, queue_rank
from campaigns.grants import steps
from campaigns.models import Coupon, Grant
from campaigns.offers import schedule
from core.formatting import format_money, format_number, format_short_date
from dashboard import due_dates, requests
from dashboard.due_dates import Due
from dashboard.offer_lines import PENDING, OfferLine
from dashboard.order_filters import MOST_NUMBERS
from dashboard.order_types import order_types
from definitions.claim_terms import ClaimNth
from merchants.models import Merchant


@dataclass(frozen=True)
class Task:
    """One thing to do or to wait for: `due` says until when, or when it comes. `tone` and `icon` are of its mark."""

    title: str
    offer: str
    due: Due
    icon: str
    tone: str
    link: str
    button: str
    note: str = ""
    waits: bool = False


def tasks(lines: Iterable[OfferLine], merchant: Merchant, *, at: datetime, may_use: bool) -> list[Task]:
    """Return what the merchant has to do by date, then what comes by itself. `may_use`: the reader may use coupons.

    Two queries for each offer with grants that may be lost, and for each race that is not decided.
    """
    found = [task for line in lines for task in _of_offer(line, merchant, at, may_use)]
    return sorted(found, key=lambda task: (task.waits, task.due.bound.instant))  # the same in every language


def _of_offer(line: OfferLine, merchant: Merchant, at: datetime, may_use: bool) -> Iterator[Task]:
    terms = line.status.offer.terms
    if terms.settlement.deadline and any(held.status in PENDING for held in line.status.grants):
        yield from _to_fulfil(line, merchant, at)
    yield from _to_request(line, at)
    if terms.bundle:
        yield from _to_use(line, at, may_use)
    if line.group == line.group.QUALIFIED:
        yield from _to_await(line, merchant, at)


def _to_fulfil(line: OfferLine, merchant: Merchant, at: datetime) -> Iterator[Task]:
    """Yield a task for the orders whose benefit is lost unless they are fulfilled by the deadline."""
    offer = line.status.offer
    amounts = {
        grant.subject: grant for grant in Grant.objects.filter(merchant=merchant, offer=offer.id, status__in=PENDING)
    }
    rows = claims.rows_with_claims(offer, only=Q(pk__in=list(amounts)))
    settlement = offer.terms.settlement
    late = [s.key for s in claims.read(offer, rows) if steps.awaits_fulfilment(settlement, s.timeline, at=at)]
    if not late:
        return
    sums: dict[str, Decimal] = {}
    for key in late:
        sums[amounts[key].currency] = sums.get(amounts[key].currency, Decimal(0)) + amounts[key].amount
    deadline = schedule.deadlines(offer.terms)[-1]
    words = {
        "n": format_number(len(late)),
        "acts": due_dates.acts(deadline),
        "amount": " + ".join(format_money(sums[currency], currency) for currency in sorted(sums)),
    }
    text = ngettext(
        "%(n)s order: %(acts)s in time to keep %(amount)s",
        "%(n)s orders: %(acts)s in time to keep %(amount)s",
        len(late),
    )
    yield Task(
        title=text % words,
        offer=line.name,
        due=Due(due_dates.acts(deadline), deadline.bound, at),
        icon="truck",
        tone="warn",
        link=_orders(line, late),
        button=_("Orders"),
    )


def _orders(line: OfferLine, keys: list[str]) -> str:
    """Return the address of the order, or of the list of these orders if there are several."""
    subject = line.status.offer.terms.subject
    name = next((each.name for each in order_types().values() if each.subject == subject), "freight")
    if len(keys) == 1:
        return reverse("order", args=(name, keys[0]))
    query = urlencode({"number": sorted(keys)}, doseq=True) if len(keys) <= MOST_NUMBERS else "benefit=with"
    return f"{reverse('orders', args=(name,))}?{query}"


def _to_request(line: OfferLine, at: datetime) -> Iterator[Task]:
    """Yield a task for an offer that can be asked for now, with a limited number of places."""
    offer, closes = line.status.offer, schedule.closes(line.status.offer.terms)
    if line.group != line.group.AVAILABLE or line.status.grants or not offer.row.limit or closes is None:
        return
    if address := requests.address(offer):
        text = _("Ask for %(offer)s while some are left") % {"offer": line.name}
        due = Due(_("ask"), closes, at)
        yield Task(text, line.quota, due, "bolt", "warn", address, _("Ask for it"))


def _to_use(line: OfferLine, at: datetime, may_use: bool) -> Iterator[Task]:
    """Yield a task for the coupons in the wallet, and one for those on orders that are not paid yet."""
    bundle = line.status.offer.terms.bundle
    assert bundle is not None
    for status, act in ((Coupon.Status.ISSUED, _("use")), (Coupon.Status.LOCKED, _("pay"))):
        held, due = line.coupons(status), Due(act, bundle.valid.to, at)
        if held is None or due.is_past or (status == Coupon.Status.ISSUED and not may_use):
            continue
        words = {"n": format_number(held.count), "amount": format_money(held.amount, held.currency)}
        text = ngettext("Use %(n)s coupon worth %(amount)s", "Use %(n)s coupons worth %(amount)s", held.count)
        if bundle.price is not None:
            text = ngettext("Use %(n)s coupon", "Use %(n)s coupons", held.count)
        if status == Coupon.Status.LOCKED:
            text = ngettext(
                "Pay %(n)s order with a coupon, %(amount)s off",
                "Pay %(n)s orders with coupons, %(amount)s off",
                held.count,
            )
        address = reverse("wallet") + ("" if status == Coupon.Status.ISSUED else "?state=locked")
        yield Task(text % words, line.name, due, "ticket", "info", address, _("Wallet"))


def _to_await(line: OfferLine, merchant: Merchant, at: datetime) -> Iterator[Task]:
    """Yield the arrival of a benefit for which the merchant has qualified, with its rank where places are limited."""
    offer = line.status.offer
    decided, claim = offer.terms.decided_at, offer.terms.claim
    if decided is None or not isinstance(claim, ClaimNth):
        return
    count = offer.terms.bundle.count if offer.terms.bundle else 0
    text = _("The benefit arrives on %(day)s")
    if count:
        text = ngettext("%(n)s coupon arrives on %(day)s", "%(n)s coupons arrive on %(day)s", count)
    day = format_short_date(decided.instant, timezone.get_current_timezone_name(), now=at)
    rank = queue_rank.rank(offer, merchant, at=at) if offer.row.limit else None
    yield Task(
        title=text % {"n": format_number(count), "day": day},
        offer=line.name,
        due=Due(_("arrives"), decided, at),
        icon="ticket",
        tone="ok",
        link=reverse("offer", args=(offer.code,)),
        button=_("Details"),
        note=describe_rank(rank, offer.row.limit) if rank and offer.row.limit else _("Nothing to do."),
        waits=True,
    )


def describe_rank(rank: int, limit: int) -> str:
    """Return the merchant's place in a race that is not decided yet."""
    words = {"rank": format_number(rank), "limit": format_number(limit)}
    if rank > limit:
        return _("You are number %(rank)s, the quota is %(limit)s: some before you must drop out.") % words
    return _("You are number %(rank)s in line: the first %(limit)s get it.") % words
