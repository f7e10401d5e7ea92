"""Steps of the tick for coupons: issue them, follow their use, and notify of those that expire.

A step that fails is diagnosed: the merchants and grants at fault are quarantined, and it runs without them.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial

from django.db.models import F

from campaigns.coupons import expiry_notices, issuing, redemption
from campaigns.eligibility import affected
from campaigns.eligibility.guards import Guard
from campaigns.eligibility.held import Held
from campaigns.engine.isolating_step import IsolatingStep, of_offers
from campaigns.models import Grant, Issuance, QuarantineEntry
from campaigns.offers.published_offers import PublishedOffer
from core.facts import COUPON_FEES

COUPON_USE = "coupons used"


def issue(offer: PublishedOffer, *, at: datetime) -> int:
    """Issue the planned coupons of an offer, and return their number."""

    def work(held: Held, guard: Guard) -> int:
        return issuing.issue(offer, held=held.subjects, guard=guard)

    name = f"coupons: {offer.code}"
    merchant_of = partial(_merchant_of, offer)
    return IsolatingStep(name, at, work, of_offers([offer]), merchant_of=merchant_of, atomic=False).run()


def _merchant_of(offer: PublishedOffer, subject: str) -> str | None:
    merchants = Grant.objects.filter(offer=offer.id, subject=subject).order_by("-pk")
    return merchants.values_list("merchant_id", flat=True).first()


def follow_use(offers: Sequence[PublishedOffer], batches: tuple[int, ...], *, at: datetime) -> int:
    """Follow the use of coupons. Returns 0 if it has been followed further already."""
    marks = list(Issuance.objects.values_list("spent_until", flat=True))

    def work(held: Held, guard: Guard) -> int:
        return redemption.follow(at=at, batches=batches, held=held, guard=guard)

    progress = None if None in marks else min(mark for mark in marks if mark is not None)
    changed = partial(_with_changed_orders, batches)
    return IsolatingStep(COUPON_USE, at, work, of_offers(offers), changed=changed, progress=progress).run()


def _with_changed_orders(batches: tuple[int, ...], merchants: Collection[str]) -> set[str]:
    """Return the merchants of whom the imports changed orders that take coupons."""
    rows = [fee.collection for fee in COUPON_FEES.values()]
    return {key for each in rows for key in affected.changed_rows(each, each.merchant, merchants, batches)}


def notify(offer: PublishedOffer, *, at: datetime) -> int:
    """Publish that coupons of an offer expire soon, and return the number of events."""
    progress = Issuance.objects.filter(offer=offer.id).values_list("warned_until", flat=True).first()

    def work(held: Held, guard: Guard) -> int:
        return expiry_notices.publish_notices(offer, at=at, held=held, guard=guard)

    return IsolatingStep(f"expiry notices: {offer.code}", at, work, of_offers([offer]), progress=progress).run()


def owed(*, at: datetime) -> bool:
    """Return whether coupons wait to be issued, other than those of offers with grants in quarantine."""
    waiting = Issuance.objects.filter(issued__lt=F("planned")).values_list("offer__code", flat=True)
    held = QuarantineEntry.objects.filter(step__startswith="coupons: ", retry_at__gt=at)
    return bool({f"coupons: {code}" for code in waiting} - set(held.values_list("step", flat=True)))
