"""Those who hold coupons that expire soon are told so, once."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Sum

from campaigns.models import Coupon, Issuance, OutboxEvent
from campaigns.notifications import outbox
from campaigns.offers.published_offers import PublishedOffer

NOTICE = timedelta(days=5)


def warn(offer: PublishedOffer, *, at: datetime) -> int:
    """Tell of the offer's unspent coupons that have entered their last 5 days by `at`; returns how many were told.

    A merchant is told once for all coupons that end at the same instant. Where time has passed their end in one step,
    nothing is told.
    """
    if Issuance.objects.filter(offer=offer.id, warned_until__gte=at).exists():
        return 0  # asked before anything is held: a tick that is repeated has nothing to commit
    with transaction.atomic():
        mark = Issuance.objects.select_for_update(no_key=True).filter(offer=offer.id).first()
        if mark is None or (mark.warned_until and mark.warned_until >= at):
            return 0
        return _warn(offer, mark, at)


def _warn(offer: PublishedOffer, mark: Issuance, at: datetime) -> int:
    ending = Coupon.objects.filter(
        offer=offer.id, status=Coupon.Status.ISSUED, valid_until__gt=at, valid_until__lte=at + NOTICE
    )
    if mark.warned_until:
        ending = ending.filter(valid_until__gt=mark.warned_until + NOTICE)
    Issuance.objects.filter(pk=mark.pk).update(warned_until=at)
    held = ending.order_by().values("merchant_id", "valid_until", "currency").annotate(n=Count("pk"), sum=Sum("value"))
    return outbox.publish(
        outbox.NewEvent(
            OutboxEvent.Kind.COUPON_EXPIRING, offer.id, row["merchant_id"], row["merchant_id"], None, None, "",
            row["valid_until"] - NOTICE, row["sum"], row["currency"], str(row["n"]),
        )
        for row in held.order_by("merchant_id", "valid_until", "currency")
    )  # fmt: skip
