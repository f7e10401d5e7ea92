"""The places of competing offers as they stand: what was given before, loaded for those who come to ask."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from campaigns.allocation import Allocation, Claim, Outcome, Quota, Release, Seats
from campaigns.models import Decision, Grant, Offer
from campaigns.offers import Published

CHUNK = 5_000
RELEASED = Grant.Status.RELEASED
# The decision that a grant still stands for.
STANDING = Decision.objects.filter(
    offer=OuterRef("offer"), subject=OuterRef("subject"), claimed_at=OuterRef("claimed_at"), outcome=Outcome.GRANTED
)


class Places:
    """An allocation that knows the grants of `offers`; places released after `since` come back at their instant.

    Merchants' own seats, and fees held by other offers, are loaded chunk by chunk as claims pass through `prepared`,
    so that a tick loads what it is asked about and not what is there.
    """

    def __init__(self, offers: list[Published], *, since: datetime | None) -> None:
        self.offers, self.since = offers, since
        self.allocation = Allocation(
            {o.code: Quota(o.row.limit, o.row.cap, o.row.line, o.row.stopped_at) for o in offers}
        )
        given = Grant.objects.filter(offer__in=[offer.id for offer in offers])
        self._grants = given if given.exists() else None
        self._loaded: set[str] = set()
        if self._grants is not None:
            self._take_seats()

    def _taking(self) -> Q:
        """Grants that took part in the quota just after `since`. One decided anew has left its place at once."""
        if self.since is None:
            return ~Q(status=RELEASED)
        return ~Q(status=RELEASED) | Q(Exists(STANDING), ended_at__gt=self.since)

    def _take_seats(self) -> None:
        assert self._grants is not None
        for offer in self.offers:
            mine = self._grants.filter(self._taking(), offer=offer.id).order_by()
            coming = list(self._coming(mine))
            if offer.row.limit is not None:
                self.allocation.quotas[offer.code].seats = self._seats(offer.row, mine, bool(coming))
            self._load_merchants({merchant for _, merchant, _, _ in coming})
            for at, merchant, seat, own in coming:
                self.allocation.expect(Release(at, offer.code, merchant, seat, own))

    def _coming(self, mine: QuerySet[Grant]) -> Iterator[tuple[datetime, str, int | None, int | None]]:
        """Places that were given back after `since`: when, by whom, from where."""
        back = mine.filter(status=RELEASED).values_list("ended_at", "merchant_id", "seat", "merchant_seat")
        return ((at, merchant, seat, own) for at, merchant, seat, own in back if at is not None)

    def _seats(self, row: Offer, mine: QuerySet[Grant], coming: bool) -> Seats:
        """The offer's seats. Where as many are taken as the highest number says, none below it is free."""
        highest = mine.exclude(status=RELEASED).values("offer").annotate(top=Max("seat")).values("top")
        top, used = Offer.objects.values_list(Coalesce(Subquery(highest), 0), "used").get(pk=row.pk)
        if top == used and not coming:
            return Seats(row.limit, first=top)
        return Seats(row.limit, mine.values_list("seat", flat=True))

    def prepared(self, claims: Iterator[Claim]) -> Iterator[Claim]:
        """The claims as they come, each after what was given to its merchant and subject has been loaded."""
        while chunk := list(islice(claims, CHUNK)):
            if self._grants is not None:
                self._load_merchants({claim.merchant for claim in chunk})
                if len(self.offers) > 1:
                    self._load_fees({claim.subject for claim in chunk})
            yield from chunk

    def _load_merchants(self, merchants: set[str]) -> None:
        assert self._grants is not None
        new = merchants - self._loaded
        self._loaded |= new
        for offer in self.offers:
            if offer.row.cap is None or not new:
                continue
            mine = self._grants.filter(self._taking(), offer=offer.id, merchant__in=new)
            taken: dict[str, list[int | None]] = {}
            for merchant, seat in mine.order_by().values_list("merchant_id", "merchant_seat"):
                taken.setdefault(merchant, []).append(seat)
            quota = self.allocation.quotas[offer.code]
            quota.merchants.update({merchant: Seats(offer.row.cap, seats) for merchant, seats in taken.items()})

    def _load_fees(self, subjects: set[str]) -> None:
        assert self._grants is not None
        held = self._grants.filter(Exists(STANDING), subject__in=subjects)
        for subject, ended in held.order_by().values_list("subject", "ended_at"):
            self.allocation.hold(subject, ended)
