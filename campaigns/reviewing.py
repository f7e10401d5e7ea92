"""What operators do with grants whose facts were corrected: keep them, or have them decided again."""

from datetime import datetime

from django.db import transaction

from campaigns import coupons, grants, journal
from campaigns.course import Step
from campaigns.models import Coupon, Decision, Grant, Offer


def keep(grant: Grant, *, at: datetime, by: str, reason: str) -> None:
    """Leave a grant as it is although a fact it rests on was corrected. It goes on from here as its facts do.

    Raises grants.NotLiveError where it is not marked for review.
    """
    with transaction.atomic():
        marked = Grant.objects.filter(pk=grant.pk, status__in=Grant.LIVE).exclude(review="")
        if not marked.update(kept=grant.review, review="", look_again=True):
            raise grants.NotLiveError(f"{grant} is not marked for review")
        journal.record([grants.move(grant, grant.status, Step(grant.status, at, reason), by=by, reason=reason)])
    grant.kept, grant.review = grant.review, ""


def redecide(grant: Grant, *, at: datetime, by: str, reason: str) -> None:
    """Release a grant and forget its decision: the next tick decides the claim anew, by the facts as they are now.

    Its coupons go with it. Raises grants.NotLiveError where it is not live, or one of its coupons is in use.
    """
    with transaction.atomic():
        Offer.objects.select_for_update(no_key=True).get(pk=grant.offer_id)
        if Coupon.objects.filter(grant=grant, status__in=[Coupon.Status.LOCKED, Coupon.Status.REDEEMED]).exists():
            raise grants.NotLiveError(f"{grant} has coupons in use: keep it, or revoke it")
        grants.release(grant, at=at, by=by, reason=reason)
        coupons.void([grant], at=at, by=by, reason=reason)
        Decision.objects.filter(offer=grant.offer_id, subject=grant.subject).delete()
        Offer.objects.filter(pk=grant.offer_id).update(ask_all=True)
