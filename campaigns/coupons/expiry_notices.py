"""Expiry notices: merchants with unused coupons are told 5 days before these expire."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, Sum

from campaigns.eligibility.guards import PLAIN, Guard
from campaigns.eligibility.held import NOTHING, Held
from campaigns.models import Coupon, Issuance, OutboxEvent
from campaigns.notifications import outbox
from campaigns.offers.published_offers import PublishedOffer
from core.db.fields import money_total

NOTICE = timedelta(days=5)


def publish_notices(offer: PublishedOffer, *, at: datetime, held: Held = NOTHING, guard: Guard = PLAIN) -> int:
    """Publish an event for each merchant whose unused coupons entered their last 5 days by `at`; returns their number.

    Coupons that expire at the same instant make one event. A tick that skips the last 5 days publishes nothing.
    """
    warned = Issuance.objects.filter(offer=offer.id, warned_until__gte=at)
    if warned.exists() and not held.merchants_again:
        return 0  # checked without a lock: a repeated tick has nothing to commit
    with transaction.atomic():
        issuance = Issuance.objects.select_for_update(no_key=True).filter(offer=offer.id).first()
        if issuance is None:
            return 0
        groups = _ending(offer, at, _not_notified(issuance.warned_until, at, held))
        Issuance.objects.filter(pk=issuance.pk).exclude(warned_until__gte=at).update(warned_until=at)
        return sum(guard.run("notice", list(groups), lambda some: _publish(offer, some), itemgetter("merchant_id")))


def _not_notified(warned_until: datetime | None, at: datetime, held: Held) -> Q:
    """Return the condition of coupons whose merchants were not notified yet."""
    fresh = Q(valid_until__gt=_ends_after(warned_until, at)) & ~Q(merchant__in=held.merchants)
    for merchant, until in held.merchants_again.items():
        fresh |= Q(merchant=merchant, valid_until__gt=_ends_after(until, at))
    return fresh


def _ends_after(warned_until: datetime | None, at: datetime) -> datetime:
    return max(warned_until + NOTICE, at) if warned_until else at


def _ending(offer: PublishedOffer, at: datetime, fresh: Q) -> Any:
    """Return the merchants with unused coupons in their last 5 days: a row for each end, with number and worth."""
    ending = Coupon.objects.filter(fresh, offer=offer.id, status=Coupon.Status.ISSUED, valid_until__lte=at + NOTICE)
    groups = ending.order_by().values("merchant_id", "valid_until", "currency")
    groups = groups.annotate(n=Count("pk"), sum=Sum("value", output_field=money_total()))
    return groups.order_by("merchant_id", "valid_until", "currency")


def _publish(offer: PublishedOffer, groups: Sequence[Mapping[str, Any]]) -> int:
    return outbox.publish(
        outbox.NewEvent(
            kind=OutboxEvent.Kind.COUPON_EXPIRING,
            offer_id=offer.id,
            at=group["valid_until"] - NOTICE,
            merchant_id=group["merchant_id"],
            subject=group["merchant_id"],
            amount=group["sum"],
            currency=group["currency"],
            reason=str(group["n"]),
        )
        for group in groups
    )
