"""Expiry notices: merchants with unused coupons are told 5 days before these expire."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Sum

from campaigns.models import Coupon, Issuance, OutboxEvent
from campaigns.notifications import outbox
from campaigns.offers.published_offers import PublishedOffer
from core.db.fields import money_total

NOTICE = timedelta(days=5)


def publish_notices(offer: PublishedOffer, *, at: datetime) -> int:
    """Publish an event for each merchant whose unused coupons entered their last 5 days by `at`; returns their number.

    Coupons that expire at the same instant make one event. A tick that skips the last 5 days publishes nothing.
    """
    if Issuance.objects.filter(offer=offer.id, warned_until__gte=at).exists():
        return 0  # checked without a lock: a repeated tick has nothing to commit
    with transaction.atomic():
        issuance = Issuance.objects.select_for_update(no_key=True).filter(offer=offer.id).first()
        if issuance is None or (issuance.warned_until and issuance.warned_until >= at):
            return 0
        return _publish(offer, issuance, at)


def _publish(offer: PublishedOffer, issuance: Issuance, at: datetime) -> int:
    ending = Coupon.objects.filter(
        offer=offer.id, status=Coupon.Status.ISSUED, valid_until__gt=at, valid_until__lte=at + NOTICE
    )
    if issuance.warned_until:
        ending = ending.filter(valid_until__gt=issuance.warned_until + NOTICE)
    Issuance.objects.filter(pk=issuance.pk).update(warned_until=at)
    groups = ending.order_by().values("merchant_id", "valid_until", "currency")
    groups = groups.annotate(n=Count("pk"), sum=Sum("value", output_field=money_total())).order_by(
        "merchant_id", "valid_until", "currency"
    )
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
