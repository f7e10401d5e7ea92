"""Figures of offers for operators: state, cost, reserved places, and the merchants that hold most."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import TruncDay

from campaigns.ledger import funding
from campaigns.models import Coupon, Decision, Grant, MerchantQuota, Offer
from campaigns.offers.published_offers import PublishedOffer
from campaigns.offers.schedule import State, state
from core.db.fields import money_total
from core.facts import Label
from core.money import round_to_cents
from definitions.funding import PAYERS

TOP = 10
UNSETTLED = (Grant.Status.RESERVED, Grant.Status.LOCKED)


@dataclass(frozen=True)
class Cost:
    """Cost in one currency: `spent` is settled or redeemed, `promised` is reserved, locked or in an unused coupon."""

    currency: str
    spent: Decimal
    promised: Decimal


@dataclass(frozen=True)
class DayCost:
    """Costs of the claims of one day in one currency, by the present state of their grants, as in `Cost`."""

    day: datetime
    spent: Decimal
    promised: Decimal


@dataclass(frozen=True)
class PayerCost:
    """Part of the costs in one currency that one party pays, as in `Cost`."""

    label: Label
    spent: Decimal
    promised: Decimal


@dataclass(frozen=True)
class ClaimCount:
    """Number of decided claims of an offer, and of those that were granted."""

    total: int
    granted: int

    @property
    def refused(self) -> int:
        return self.total - self.granted

    @property
    def share(self) -> str:
        """Return the granted share in per cent, rounded down to one decimal; empty without a claim."""
        return f"{self.granted * 1000 // self.total / 10:.1f}".removesuffix(".0") if self.total else ""


@dataclass(frozen=True)
class MerchantCount:
    """Number of merchants with a place of an offer, and of those with as many places as they can have."""

    total: int
    at_limit: int


@dataclass(frozen=True)
class MerchantShare:
    """Number and value of the grants that a merchant holds of an offer, in one currency.

    `used` is the number of places that count towards its limit, None if the offer has no limit per merchant.
    """

    code: str
    name: str
    name_en: str
    held: int
    amount: Decimal
    currency: str
    used: int | None = None


def with_obligations(offer_ids: Iterable[int]) -> set[int]:
    """Return the keys of offers that have unsettled grants or unused coupons."""
    unsettled = Grant.objects.filter(offer=OuterRef("pk"), status__in=UNSETTLED)
    unused = Coupon.objects.filter(offer=OuterRef("pk"), status__in=[Coupon.Status.ISSUED, Coupon.Status.LOCKED])
    rows = Offer.objects.filter(Exists(unsettled) | Exists(unused), pk__in=list(offer_ids))
    return set(rows.values_list("pk", flat=True))


def state_of(offer: PublishedOffer, *, at: datetime, owed: bool) -> State:
    """Return the offer's state at the instant; `owed` says whether it is one of `with_obligations`."""
    row = offer.row
    return state(offer.terms, at=at, paused_at=row.paused_at, stopped_at=row.stopped_at, owed=owed)


def costs(offer_ids: Iterable[int]) -> dict[int, list[Cost]]:
    """Return the cost of each offer by currency, in two queries for all of them."""
    by_offer: dict[int, list[Cost]] = {}
    for (offer, currency), (spent, promised) in sorted(_sums(offer_ids, F("offer_id"), F("offer_id")).items()):
        by_offer.setdefault(offer, []).append(Cost(currency, spent, promised))
    return by_offer


def costs_by_day(offer: PublishedOffer, *, zone: tzinfo) -> dict[str, list[DayCost]]:
    """Return what the claims of each day of the zone cost, by currency, oldest day first. The sums are `costs`."""
    by_currency: dict[str, list[DayCost]] = {}
    days = (TruncDay("claimed_at", tzinfo=zone), TruncDay("grant__claimed_at", tzinfo=zone))
    for (day, currency), (spent, promised) in sorted(_sums([offer.id], *days).items()):
        by_currency.setdefault(currency, []).append(DayCost(day, spent, promised))
    return by_currency


def costs_by_payer(offer: PublishedOffer) -> dict[str, list[PayerCost]]:
    """Return what each party pays of `costs`, by currency; empty where no version of the offer names who pays."""
    shares = funding.version_shares(offer=offer.id)
    by_currency: dict[str, list[PayerCost]] = {}
    for payer in PAYERS if shares else ():
        paid = (shares.of(payer), shares.of(payer, "value", version="grant__version"))
        sums = _sums([offer.id], F("offer_id"), F("offer_id"), paid=paid)
        for (_offer, currency), (spent, promised) in sorted(sums.items()):
            if spent or promised:
                by_currency.setdefault(currency, []).append(PayerCost(PAYERS[payer], spent, promised))
    return by_currency


def _sums(
    offer_ids: Iterable[int], of_grant: Any, of_coupon: Any, *, paid: tuple[Any, Any] = (F("amount"), F("value"))
) -> dict[tuple[Any, str], tuple[Decimal, Decimal]]:
    """Return what is spent and promised by a group and currency: the group is an expression of a grant, or coupon.

    `paid` are the amounts that are added up, of a grant and of a coupon.
    """
    ids = list(offer_ids)
    parts: tuple[dict[tuple[Any, str], Decimal], dict[tuple[Any, str], Decimal]] = ({}, {})
    grants = Grant.objects.filter(offer__in=ids, coupons=0, status__in=Grant.LIVE).annotate(of=of_grant)
    coupons = Coupon.objects.filter(offer__in=ids).exclude(status__in=[Coupon.Status.EXPIRED, Coupon.Status.VOID])
    sources: tuple[tuple[QuerySet[Any], Any, str], ...] = (
        (grants, paid[0], Grant.Status.SETTLED),
        (coupons.annotate(of=of_coupon), paid[1], Coupon.Status.REDEEMED),
    )
    for rows, amount, done in sources:
        is_promised = Case(When(status=done, then=Value(0)), default=Value(1), output_field=IntegerField())
        grouped = rows.order_by().annotate(is_promised=is_promised).values("of", "currency", "is_promised")
        sums: Any = grouped.annotate(sum=Sum(amount, output_field=money_total()))
        for group, currency, part, total in sums.values_list("of", "currency", "is_promised", "sum"):
            parts[part][group, currency] = parts[part].get((group, currency), Decimal(0)) + total
    spent, promised = parts
    zero = Decimal(0)
    return {
        key: (round_to_cents(spent.get(key, zero)), round_to_cents(promised.get(key, zero)))
        for key in {*spent, *promised}
    }


def reserved(offer_ids: Iterable[int]) -> dict[int, int]:
    """Return how many places of each offer are taken by grants that are not settled yet."""
    unsettled = Grant.objects.filter(offer__in=list(offer_ids), status__in=UNSETTLED)
    return dict(unsettled.order_by().values("offer_id").annotate(n=Count("pk")).values_list("offer_id", "n"))


def claim_count(offer: PublishedOffer) -> ClaimCount:
    """Return how many claims were decided, and how many of them granted."""
    granted = Count("pk", filter=Q(outcome=Decision.Outcome.GRANTED))
    return ClaimCount(**Decision.objects.filter(offer=offer.id).aggregate(total=Count("pk"), granted=granted))


def merchants_with_places(offer_ids: Iterable[int]) -> int:
    """Return how many merchants have a place of any of the offers: those of grants that are not released."""
    grants = Grant.objects.filter(offer__in=list(offer_ids)).exclude(status=Grant.Status.RELEASED)
    return int(grants.aggregate(n=Count("merchant", distinct=True))["n"])


def merchant_count(offer: PublishedOffer) -> MerchantCount:
    """Return how many merchants have places of the offer, and how many of them cannot have more."""
    limit = offer.row.limit_per_merchant
    full = MerchantQuota.objects.filter(offer=offer.id, places_taken__gte=limit).count() if limit is not None else 0
    return MerchantCount(merchants_with_places([offer.id]), full)


def top_merchants(offer: PublishedOffer) -> list[MerchantShare]:
    """Return the merchants that hold most of the offer, at most TOP of them. Ended grants are not held any more."""
    grants = Grant.objects.filter(offer=offer.id, status__in=Grant.LIVE).order_by()
    by_merchant = grants.values("merchant_id", "merchant__name", "merchant__name_en", "currency").annotate(
        n=Count("pk"), sum=Sum("amount", output_field=money_total())
    )
    rows = list(by_merchant.order_by("-n", "-sum", "merchant_id")[:TOP])
    quotas = MerchantQuota.objects.filter(offer=offer.id, merchant__in=[row["merchant_id"] for row in rows])
    is_limited = offer.row.limit_per_merchant is not None
    used = dict(quotas.values_list("merchant_id", "places_taken")) if is_limited else {}
    return [
        MerchantShare(
            code=row["merchant_id"],
            name=row["merchant__name"],
            name_en=row["merchant__name_en"],
            held=row["n"],
            amount=round_to_cents(row["sum"]),
            currency=row["currency"],
            used=used.get(row["merchant_id"]),
        )
        for row in rows
    ]
