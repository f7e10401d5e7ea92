"""What operators do with grants whose facts were corrected: keep them, or have them decided again."""

from datetime import datetime

from django.db import transaction

from campaigns.coupons import issuing
from campaigns.grants import transitions
from campaigns.grants.steps import StateChange
from campaigns.ledger import journal
from campaigns.models import Coupon, Decision, Grant, Offer


def accept(grant: Grant, *, at: datetime, by: str, reason: str) -> None:
    """Leave a grant as it is although a fact it rests on was corrected. It goes on from here as its facts do.

    Raises grants.NotLiveError where it is not marked for review.
    """
    with transaction.atomic():
        marked = Grant.objects.filter(pk=grant.pk, status__in=Grant.LIVE).exclude(review="")
        if not marked.update(kept=grant.review, review="", look_again=True):
            raise transitions.NotLiveError(f"{grant} is not marked for review")
        journal.record(
            [transitions.move(grant, grant.status, StateChange(grant.status, at, reason), by=by, reason=reason)]
        )
    grant.kept, grant.review = grant.review, ""


def reopen(grant: Grant, *, at: datetime, by: str, reason: str) -> None:
    """Release a grant and forget its decision: the next tick decides the claim anew, by the facts as they are now.

    Its coupons go with it. Raises grants.NotLiveError where it is not live, or one of its coupons is in use.
    """
    with transaction.atomic():
        Offer.objects.select_for_update(no_key=True).get(pk=grant.offer_id)
        if Coupon.objects.filter(grant=grant, status__in=[Coupon.Status.LOCKED, Coupon.Status.REDEEMED]).exists():
            raise transitions.NotLiveError(f"{grant} has coupons in use: keep it, or revoke it")
        transitions.release(grant, at=at, by=by, reason=reason)
        issuing.void([grant], at=at, by=by, reason=reason)
        Decision.objects.filter(offer=grant.offer_id, subject=grant.subject).delete()
        Offer.objects.filter(pk=grant.offer_id).update(reevaluate_all=True)
