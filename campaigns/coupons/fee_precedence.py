"""Precedence on the fee of an order: of a claim on it and a coupon, the one with the earlier instant reduces it.

A coupon reduces the fee as of the placement of its order. An offer does so as of the claim, or as of the instant at
which it decides all claims, if that is later. At the same instant the coupon comes first.

An order waits for its coupon while a claim that comes before its placement is not decided. A tick decides such a claim
as a tick between the two instants would have done: it stops at an instant between them.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from campaigns.eligibility import affected, claims, decision_time
from campaigns.eligibility.changes import Changes
from campaigns.models import Attachment, Coupon, Issuance
from campaigns.offers import published_offers
from campaigns.offers.published_offers import PublishedOffer
from core.db.errors import is_transient
from core.db.key_set import KeySet, materialize
from core.db.transactions import repeatable
from core.facts import COUPON_FEES, Fee

logger = logging.getLogger(__name__)
INSTANT = timedelta(microseconds=1)
Interval = tuple[datetime, datetime]


@dataclass(frozen=True)
class EarlierClaims:
    """Claims of `offers` on a fee that are not decided, on orders placed later, by `until`, that ask for a coupon.

    Only orders of `merchants` are considered, all if it is None.
    """

    fee: Fee
    offers: Sequence[PublishedOffer]
    merchants: KeySet | None
    until: datetime

    @cached_property
    def orders(self) -> frozenset[str]:
        """Return the orders that wait for the decision on such a claim."""
        return frozenset(order for offer in self.offers for order in self._waiting(offer))

    def _waiting(self, offer: PublishedOffer) -> list[str]:
        try:
            with repeatable():
                return list(self.undecided(offer).values_list("pk", flat=True))
        except Exception as error:
            if is_transient(error):
                raise
            # The step that decides claims finds and quarantines what cannot be evaluated. Until then all wait.
            logger.warning("claims cannot be evaluated: %s", offer.code, exc_info=True)
            undecided = claims.undecided(offer, until=self.until).filter(self._candidates.contains("pk"))
            return list(undecided.values_list("pk", flat=True))

    def undecided(self, offer: PublishedOffer) -> claims.Rows:
        """Return the orders with such a claim of the offer."""
        return self.among(offer, self._candidates)

    def among(self, offer: PublishedOffer, orders: KeySet) -> claims.Rows:
        """Return those of some orders that have such a claim of the offer. It meets the conditions of the offer."""
        undecided = claims.undecided(offer, until=self.until).filter(orders.contains("pk"))
        return self._placed_later(offer, claims.eligible_claims(offer, undecided))

    @cached_property
    def _candidates(self) -> KeySet:
        """Select orders by their instants, so that conditions are evaluated only for the few that are placed late."""
        parts = [self._placed_later(offer, claims.rows_with_claims(offer)) for offer in self.offers]
        keys = [rows.values_list("pk", flat=True) for rows in parts]
        return materialize(keys[0].union(*keys[1:]), name="placed_later") if keys else KeySet()

    def _placed_later(self, offer: PublishedOffer, rows: claims.Rows) -> claims.Rows:
        later = rows.order_by().filter(use_coupon=True, placed_at__lte=self.until, placed_at__gt=F("claimed_at"))
        if offer.terms.decision_instant is not None:
            later = later.filter(placed_at__gt=offer.terms.decision_instant)
        return later if self.merchants is None else later.filter(self.merchants.contains("merchant"))


def earlier_claims(fee: Fee, merchants: KeySet | None, *, until: datetime) -> EarlierClaims:
    """Return the earlier claims on orders of merchants. Claims of a paused offer do not count: its end is unknown."""
    return EarlierClaims(fee, _deciding(fee, published_offers.about(fee.subject)), merchants, until)


def _deciding(fee: Fee, offers: Iterable[PublishedOffer]) -> list[PublishedOffer]:
    return [offer for offer in offers if offer.terms.fee == fee.name and offer.row.paused_at is None]


@transaction.atomic
def stops(offers: Sequence[PublishedOffer], *, at: datetime, batches: tuple[int, ...]) -> list[datetime]:
    """Return the fewest instants before `at` at which a tick must decide claims of `offers` before it goes on.

    `offers` reduce fees that coupons reduce too; `batches` are imports that were not processed yet. Coupons are in use.
    """
    followed = list(Issuance.objects.values_list("spent_until", flat=True))
    reached = [mark for mark in (*followed, *(offer.row.grants_followed_until for offer in offers)) if mark]
    if max(reached, default=at) > at:
        return []
    since = None if None in followed else min(mark for mark in followed if mark)
    merchants = affected.merchants_to_replay(Changes(since, at, batches))
    found: list[Interval] = []
    for fee in COUPON_FEES.values():
        group = [offer for offer in offers if offer.terms.fee == fee.name]
        if group:
            delay = at - decision_time.decision_cutoff(group, at)
            earlier = EarlierClaims(fee, _deciding(fee, group), merchants, at)
            found += _intervals(earlier, delay, max(reached, default=None))
    return fewest(found, before=at)


def _intervals(earlier: EarlierClaims, delay: timedelta, reached: datetime | None) -> Iterator[Interval]:
    """Yield when each claim can be decided: before its order is placed, or else as soon as its delay has passed."""
    seen = Attachment.objects.filter(order_kind=earlier.fee.subject, order_no=OuterRef("pk"))
    holders = Coupon.objects.filter(order_kind=earlier.fee.subject, merchant=OuterRef("merchant"))
    asks = Exists(seen.filter(waits=True)) | (Exists(holders) & ~Exists(seen))
    for offer in earlier.offers:
        decided = offer.terms.decision_instant
        for claimed_at, placed_at in earlier.undecided(offer).filter(asks).values_list("claimed_at", "placed_at"):
            first = max(instant for instant in (max(claimed_at, decided or claimed_at) + delay, reached) if instant)
            yield first, max(placed_at, first + INSTANT)


def fewest(intervals: Iterable[Interval], *, before: datetime) -> list[datetime]:
    """Return the fewest instants, one of them in each half-open interval that begins before `before`."""
    found: list[datetime] = []
    end: datetime | None = None
    for first, after in sorted(intervals):
        if first >= before:
            break
        if end is not None and first < end:
            found[-1], end = first, min(end, after)
        else:
            found.append(first)
            end = after
    return found
