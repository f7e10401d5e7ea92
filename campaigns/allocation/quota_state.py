"""The places of competing offers as they stand: what was given before, loaded for those who come to ask."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from campaigns.allocation.allocator import Allocation, Claim, Outcome, Quota, Release, Seats
from campaigns.models import Decision, Grant, Offer
from campaigns.offers.published_offers import PublishedOffer
from core.db.compiled_queries import AnyOfParameter, compiled_query, instant, number

CHUNK = 5_000
VACANT = 256
RELEASED = Grant.Status.RELEASED
# The decision that a grant still stands for.
STANDING = Decision.objects.filter(
    offer=OuterRef("offer"), subject=OuterRef("subject"), claimed_at=OuterRef("claimed_at"), outcome=Outcome.GRANTED
)
SITTING = Grant.objects.filter(~Q(status=RELEASED), offer=OuterRef("offer"), seat=OuterRef("seat"))
# Grants that took part in the quota just after `since`. One decided anew has left its place at once.
TAKING = ~Q(status=RELEASED) | Q(Exists(STANDING), ended_at__gt=instant("since"))


class PendingRelease(NamedTuple):
    """A place that was given back: when, by whom, from where; and whether somebody has got its seat since."""

    at: datetime
    merchant: str
    seat: int | None
    merchant_seat: int | None
    given_on: bool


@compiled_query
def _coming() -> tuple[QuerySet[Grant, Any], Any]:
    back = Grant.objects.filter(Exists(STANDING), offer=number("offer"), status=RELEASED, ended_at__gt=instant("since"))
    columns = ("ended_at", "merchant_id", "seat", "merchant_seat", "given_on")
    rows = back.annotate(given_on=Exists(SITTING)).order_by("ended_at", "pk").values_list(*columns)
    return rows, lambda row: PendingRelease(*row)


@compiled_query
def _standing() -> QuerySet[Offer, Any]:
    """The highest seat that is taken, and how many places are."""
    # From 1 on: what every seat is, and what leads to the index of seats.
    highest = Grant.objects.filter(~Q(status=RELEASED), offer=OuterRef("pk"), seat__gte=1).order_by("-seat")
    offer = Offer.objects.filter(pk=number("offer"))
    return offer.values_list(Coalesce(Subquery(highest.values("seat")[:1]), 0), "used")


@compiled_query
def _vacant() -> QuerySet[Grant, Any]:
    """The lowest seats that were given back and nobody sits on."""
    left = Grant.objects.filter(~Exists(SITTING), offer=number("offer"), status=RELEASED, seat__lte=number("top"))
    return left.order_by("seat").values_list("seat").distinct()[:VACANT]


@compiled_query
def _seats_of(since: bool) -> QuerySet[Grant, Any]:
    """The seats of some merchants' grants."""
    taking = Grant.objects.filter(TAKING if since else ~Q(status=RELEASED), offer=number("offer"))
    return (
        taking.filter(AnyOfParameter("merchant_id", "merchants")).order_by().values_list("merchant_id", "merchant_seat")
    )


@compiled_query
def _fees_of() -> QuerySet[Grant, Any]:
    """Until when grants of some offers hold the fee of some subjects."""
    holding = Grant.objects.filter(
        Exists(STANDING), AnyOfParameter("offer", "offers", numbers=True), AnyOfParameter("subject", "subjects")
    )
    return holding.order_by().values_list("subject", "ended_at")


class QuotaState:
    """An allocation that knows the grants of `offers`; places released after `since` come back at their instant.

    Merchants' own seats, and fees held by other offers, are loaded chunk by chunk as claims pass through `prepared`,
    so that a tick loads what it is asked about and not what is there. Where at most `some` claims come, not even all
    taken seats are loaded. `used` is how many places of each limited offer were taken.
    """

    def __init__(self, offers: list[PublishedOffer], *, since: datetime | None, some: int | None = None) -> None:
        self.offers, self.since, self.some = offers, since, some
        self.allocation = Allocation(
            {o.code: Quota(o.row.limit, o.row.cap, o.row.line, o.row.stopped_at) for o in offers}
        )
        self.used: Counter[int] = Counter()
        self._loaded: set[str] = set()
        self._given = some is not None or Grant.objects.filter(offer__in=[offer.id for offer in offers]).exists()
        if self._given:
            self._take_seats()

    def _take_seats(self) -> None:
        for offer in self.offers:
            coming = _coming()(offer=offer.id, since=self.since) if self.since else []
            if offer.row.limit is not None:
                self.allocation.quotas[offer.code].seats = self._seats(offer.row, coming)
            self._load_merchants({back.merchant for back in coming})
            for back in coming:
                release = Release(back.at, offer.code, back.merchant, back.seat, back.merchant_seat)
                self.allocation.expect(release)

    def _seats(self, row: Offer, coming: list[PendingRelease]) -> Seats:
        """The offer's seats; all that are taken are loaded only where some lie free among them."""
        [(top, used)] = _standing()(offer=row.pk)
        self.used[row.pk] = used
        ahead: set[int] = set()  # taken by those alone who leave later
        beside: list[int | None] = []  # taken by those besides others
        for back in coming:
            if back.seat is None or back.given_on or back.seat in ahead:
                beside.append(back.seat)
            else:
                ahead.add(back.seat)
        first = max([top, *ahead])
        free = self._free(row, first, ahead, vacant=first - used - len(ahead), beside=len(beside))
        if free is not None:
            return Seats(row.limit, beside, first=first, free=free)
        taken = Grant.objects.filter(~Q(status=RELEASED), offer=row.pk).order_by()
        return Seats(row.limit, [*taken.values_list("seat", flat=True), *ahead, *beside])

    def _free(self, row: Offer, first: int, ahead: set[int], *, vacant: int, beside: int) -> list[int] | None:
        """The lowest free seats up to `first`, of which `vacant` are, as many as can be needed; None: load them all."""
        if vacant == 0:
            return []
        wanted = min(vacant, (self.some or VACANT) + beside)
        if self.some is None or not 0 < wanted <= VACANT - len(ahead):
            return None
        found = _vacant()(offer=row.pk, top=min(first, row.limit or first))
        free = [seat for (seat,) in found if seat not in ahead][:wanted]
        return free if len(free) == wanted else None

    def prepared(self, claims: Iterator[Claim]) -> Iterator[Claim]:
        """The claims as they come, each after what was given to its merchant and subject has been loaded."""
        while chunk := list(islice(claims, CHUNK)):
            if self._given:
                self._load_merchants({claim.merchant for claim in chunk})
                if len(self.offers) > 1:
                    self._load_fees({claim.subject for claim in chunk})
            yield from chunk

    def _load_merchants(self, merchants: set[str]) -> None:
        new = merchants - self._loaded
        self._loaded |= new
        for offer in self.offers:
            if offer.row.cap is None or not new:
                continue
            taken: dict[str, list[int | None]] = {}
            found = _seats_of(self.since is not None)(offer=offer.id, merchants=sorted(new), since=self.since)
            for merchant, seat in found:
                taken.setdefault(merchant, []).append(seat)
            quota = self.allocation.quotas[offer.code]
            quota.merchants.update({merchant: Seats(offer.row.cap, seats) for merchant, seats in taken.items()})

    def _load_fees(self, subjects: set[str]) -> None:
        mine = [offer.id for offer in self.offers]
        for subject, ended in _fees_of()(offers=mine, subjects=sorted(subjects)):
            self.allocation.hold(subject, ended)
