"""What operators watch of an offer: what it has cost, how its places went, who took them, why others got none."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, TypeGuard

from django.db.models import Case, Count, Exists, F, IntegerField, Max, Min, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import TruncDay, TruncHour

from campaigns.allocation.allocator import Outcome
from campaigns.eligibility import claims
from campaigns.models import Coupon, Decision, Grant, JournalEntry, Offer, Version
from campaigns.offers import published_offers
from campaigns.offers.published_offers import PublishedOffer
from campaigns.offers.schedule import State, opens, state
from campaigns.reporting.forecast import WINDOW, Forecast, forecast
from core.money import round_to_cents
from rules.conditions import Comparison, Condition
from rules.sentences import describe

NEAR = Decimal("0.95")
"""A found amount of at least this share of what is asked for missed it by less than 5 %."""
MOST_HOURS = timedelta(days=4)
"""A history longer than this is told by the day, a shorter one by the hour."""
TOP = 10
FRESH = timedelta(seconds=10)
MOST_FORECASTS = 1_000


@dataclass(frozen=True)
class Cost:
    """Money of one currency: `spent` is settled or redeemed, `promised` is reserved, locked or in a coupon not used."""

    currency: str
    spent: Decimal
    promised: Decimal


def owed(offer_ids: Iterable[int]) -> set[int]:
    """Those offers of which something given is not settled, spent or over yet."""
    unsettled = Grant.objects.filter(offer=OuterRef("pk"), status__in=[Grant.Status.RESERVED, Grant.Status.LOCKED])
    unspent = Coupon.objects.filter(offer=OuterRef("pk"), status__in=[Coupon.Status.ISSUED, Coupon.Status.LOCKED])
    rows = Offer.objects.filter(Exists(unsettled) | Exists(unspent), pk__in=list(offer_ids))
    return set(rows.values_list("pk", flat=True))


def state_of(offer: PublishedOffer, *, at: datetime, owed: bool) -> State:
    """Where the offer is in its life."""
    row = offer.row
    return state(offer.terms, at=at, paused_at=row.paused_at, stopped_at=row.stopped_at, owed=owed)


def costs(offer_ids: Iterable[int]) -> dict[int, list[Cost]]:
    """What each offer has cost so far, by currency: two queries for all of them."""
    ids = list(offer_ids)
    sums: dict[tuple[int, str], tuple[Decimal, Decimal]] = {}
    grants = Grant.objects.filter(offer__in=ids, coupons=0, status__in=Grant.LIVE)
    coupons = Coupon.objects.filter(offer__in=ids).exclude(status__in=[Coupon.Status.EXPIRED, Coupon.Status.VOID])
    for rows, worth, done in ((grants, "amount", Grant.Status.SETTLED), (coupons, "value", Coupon.Status.REDEEMED)):
        kinds = Case(When(status=done, then=Value(0)), default=Value(1), output_field=IntegerField())
        found: Any = rows.order_by().annotate(kind=kinds).values("offer_id", "currency", "kind")
        for offer, currency, kind, total in found.annotate(sum=Sum(worth)).values_list(
            "offer_id", "currency", "kind", "sum"
        ):
            spent, promised = sums.get((offer, currency), (Decimal(0), Decimal(0)))
            more = (spent + total, promised) if kind == 0 else (spent, promised + total)
            sums[offer, currency] = more
    told: dict[int, list[Cost]] = {}
    for (offer, currency), (spent, promised) in sorted(sums.items()):
        told.setdefault(offer, []).append(Cost(currency, round_to_cents(spent), round_to_cents(promised)))
    return told


def reserved(offer_ids: Iterable[int]) -> dict[int, int]:
    """How many places of each offer are held for grants that are not settled yet."""
    held = Grant.objects.filter(offer__in=list(offer_ids), status__in=[Grant.Status.RESERVED, Grant.Status.LOCKED])
    return dict(held.order_by().values("offer_id").annotate(n=Count("pk")).values_list("offer_id", "n"))


def _places(offer_ids: Iterable[int]) -> "QuerySet[JournalEntry]":
    """The journal's entries by which a place was taken (`step` 1) or given back (−1)."""
    moves = JournalEntry.objects.filter(Q(source="") | Q(target=Grant.Status.RELEASED), grant__isnull=False)
    step = Case(When(source="", then=Value(1)), default=Value(-1), output_field=IntegerField())
    return moves.filter(offer__in=list(offer_ids)).order_by().annotate(step=step)


@dataclass(frozen=True)
class Point:
    """How many places were taken during the hour or day that begins at `at`, and how many stood taken at its end."""

    at: datetime
    taken: int
    total: int


def histories(offer_ids: Iterable[int], *, zone: tzinfo) -> dict[int, list[Point]]:
    """Places taken, less those given back, by the hour or the day of `zone`, oldest first. At most three queries."""
    moves = _places(offer_ids)
    spans = moves.values("offer_id").annotate(first=Min("at"), last=Max("at")).values_list("offer_id", "first", "last")
    hourly: list[int] = []
    daily: list[int] = []
    for offer, first, last in spans:
        (hourly if last - first <= MOST_HOURS else daily).append(offer)
    points: dict[int, list[Point]] = {}
    for ids, trunc in ((hourly, TruncHour), (daily, TruncDay)):
        counted = moves.filter(offer__in=ids).annotate(span=trunc("at", tzinfo=zone)).values("offer_id", "span")
        rows: Any = counted.annotate(n=Sum("step")).order_by("offer_id", "span") if ids else ()
        for offer, span, n in ((row["offer_id"], row["span"], row["n"]) for row in rows):
            mine = points.setdefault(offer, [])
            mine.append(Point(span, n, n + (mine[-1].total if mine else 0)))
    return points


def forecasts(several: Sequence[PublishedOffer], *, at: datetime) -> dict[int, Forecast]:
    """When the last place of each offer goes, at the pace of late; those left out have no limit, no place, or no pace.

    One query for all of them.
    """
    limited = {offer.id: offer for offer in several if offer.row.limit is not None and offer.row.used < offer.row.limit}
    late = _places(limited).filter(at__gt=at - WINDOW, at__lte=at).annotate(span=TruncHour("at"))
    taken: dict[int, list[tuple[datetime, int]]] = {}
    for key, span, n in late.values("offer_id", "span").annotate(n=Sum("step")).values_list("offer_id", "span", "n"):
        taken.setdefault(key, []).append((min(span + timedelta(minutes=59), at), n))
    told = {}
    for key, offer in limited.items():
        first = opens(offer.terms)
        left = (offer.row.limit or 0) - offer.row.used
        told[key] = forecast(taken.get(key, []), left=left, at=at, opened=first.instant if first else None)
    return {key: one for key, one in told.items() if one is not None}


LATEST: dict[Any, tuple[datetime, Forecast | None]] = {}


def latest_forecast(offer: PublishedOffer, *, at: datetime) -> Forecast | None:
    """The offer's forecast as of `at`, or of up to `FRESH` before while not a hundredth of its places has gone."""
    share = offer.row.used * 100 // (offer.row.limit or 1)
    when, known = LATEST.get((offer.key, share), (None, None))
    if when is None or not when <= at < when + FRESH:
        known = forecasts([offer], at=at).get(offer.id)
        if len(LATEST) > MOST_FORECASTS:
            LATEST.clear()
        LATEST[offer.key, share] = (at, known)
    return known


@dataclass(frozen=True)
class Taker:
    """A merchant and how much of an offer it has."""

    code: str
    name: str
    places: int
    amount: Decimal
    currency: str


def takers(offer: PublishedOffer) -> list[Taker]:
    """Who has the most places."""
    kept = Grant.objects.filter(offer=offer.id).exclude(status=Grant.Status.RELEASED).order_by()
    by_merchant = kept.values("merchant_id", "merchant__name", "currency").annotate(n=Count("pk"), sum=Sum("amount"))
    rows = by_merchant.order_by("-n", "-sum", "merchant_id")[:TOP]
    return [
        Taker(row["merchant_id"], row["merchant__name"], row["n"], round_to_cents(row["sum"]), row["currency"])
        for row in rows
    ]


@dataclass(frozen=True)
class Refusals:
    """How many claims got nothing for one reason. `query` is what the list of decisions is to be asked for them.

    `near` of them missed an amount by less than 5 %.
    """

    name: str
    text: str
    count: int
    query: str
    near: int = 0


def refusals(offer: PublishedOffer) -> list[Refusals]:
    """Why claims got nothing, the most frequent reason first. A claim that missed two conditions counts with both."""
    mine = Decision.objects.filter(offer=offer.id).order_by()
    found = list(_by_outcome(offer, mine))
    refused = mine.filter(outcome=Outcome.REFUSED)
    for version in Version.objects.filter(Exists(refused.filter(version=OuterRef("pk"))), offer=offer.id):
        found += _by_condition(PublishedOffer(offer.row, published_offers.terms_of(version)), version, refused)
    return sorted(found, key=lambda one: (-one.count, one.name))


def _by_outcome(offer: PublishedOffer, mine: "QuerySet[Decision]") -> Iterator[Refusals]:
    others = mine.exclude(outcome__in=[Outcome.GRANTED, Outcome.REFUSED]).values("outcome").annotate(n=Count("pk"))
    for outcome, n in others.values_list("outcome", "n"):
        known = Decision.Outcome(outcome)
        query = f"offer__id__exact={offer.id}&outcome__exact={outcome}"
        yield Refusals(known.name.lower(), str(known.label), n, query)


def _by_condition(offer: PublishedOffer, version: Version, refused: "QuerySet[Decision]") -> Iterator[Refusals]:
    mine = refused.filter(version=version.pk).annotate(
        **{f"bit_{n}": F("failed").bitand(1 << n) for n in range(len(offer.terms.asked))}
    )
    counts = mine.aggregate(
        **{f"n_{n}": Count("pk", filter=~Q(**{f"bit_{n}": 0})) for n in range(len(offer.terms.asked))}
    )
    for n, condition in enumerate(offer.terms.asked):
        if counts[f"n_{n}"]:
            near = near_misses(offer, version, n).count()
            query = f"offer__id__exact={offer.id}&missed={version.pk}-{n}"
            yield Refusals(condition.name, describe(condition, offer.terms.row), counts[f"n_{n}"], query, near)


def _is_amount(condition: Condition, offer: PublishedOffer) -> TypeGuard[Comparison]:
    return (
        isinstance(condition, Comparison)
        and condition.at_least is not None
        and offer.terms.row.fact(condition.fact).kind == "money"
    )


def missing(decisions: "QuerySet[Decision]", version: int, n: int) -> "QuerySet[Decision]":
    """Those of `decisions` that condition `n` of a version refused."""
    missed = decisions.annotate(bit=F("failed").bitand(1 << n))
    return missed.filter(version=version, outcome=Outcome.REFUSED).exclude(bit=0)


def near_misses(offer: PublishedOffer, version: Version, n: int) -> "QuerySet[Decision]":
    """Decisions that missed the amount which condition `n` of a version asks for by less than 5 %, as facts are now.

    None where it asks for no amount.
    """
    terms = published_offers.terms_of(version)
    condition = terms.asked[n]
    if not _is_amount(condition, offer):
        return Decision.objects.none()
    rows = claims.all_rows(offer).annotate(found=condition.observed(terms.row))
    close = rows.filter(found__gte=(condition.at_least or 0) * NEAR, found__lt=condition.at_least)
    decisions = Decision.objects.filter(offer=offer.id, subject__in=close.values("pk"))
    return missing(decisions, version.pk, n)
