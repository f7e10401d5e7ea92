"""Reviews: a live grant is marked after a fact that it rests on was corrected; operators accept or reopen it."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from campaigns.coupons import issuing
from campaigns.eligibility import differences
from campaigns.grants import transitions
from campaigns.grants.steps import StateChange
from campaigns.ledger import journal
from campaigns.models import Coupon, Decision, Grant, Offer


def accept(grant: Grant, *, at: datetime, by: str, reason: str) -> None:
    """Keep a grant despite a corrected fact. From here on it follows its facts again.

    The facts that are known to differ are accepted as they are now; a fact that changes again marks the grant again.
    Raises NotLiveError if the grant is not live and marked for review.
    """
    with transaction.atomic():
        marked = Grant.objects.filter(pk=grant.pk, status__in=Grant.LIVE).exclude(review="")
        if not marked.update(accepted=F("differences"), review="", follow_again=True):
            raise transitions.NotLiveError(f"{grant} is not marked for review")
        # The entry leads from the state to itself: it moves no money and records who accepted the grant, and why.
        unchanged = StateChange(grant.status, at, reason)
        journal.record([transitions.entry(grant, grant.status, unchanged, by=by, reason=reason)])
    grant.refresh_from_db(fields=differences.MARKED)


def reopen(grant: Grant, *, at: datetime, by: str, reason: str) -> None:
    """Release a grant with its coupons and delete its decision: the next tick decides the claim by the present facts.

    Raises NotLiveError if the grant is not live, or if one of its coupons is locked or redeemed.
    """
    with transaction.atomic():
        Offer.objects.select_for_update(no_key=True).get(pk=grant.offer_id)
        if Coupon.objects.filter(grant=grant, status__in=[Coupon.Status.LOCKED, Coupon.Status.REDEEMED]).exists():
            raise transitions.NotLiveError(f"{grant} has coupons in use: keep it, or revoke it")
        transitions.release(grant, at=at, by=by, reason=reason)
        issuing.void([grant], at=at, by=by, reason=reason)
        Decision.objects.filter(offer=grant.offer_id, subject=grant.subject).delete()
        Offer.objects.filter(pk=grant.offer_id).update(reevaluate_all=True)
