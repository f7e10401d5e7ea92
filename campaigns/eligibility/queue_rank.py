"""Rank in a race that is not decided yet: the place that a claim would get if it were decided now."""

from datetime import datetime

from django.db.models import Q

from campaigns.eligibility import claims
from campaigns.offers.published_offers import PublishedOffer
from merchants.models import Merchant


def rank(offer: PublishedOffer, merchant: Merchant, *, at: datetime) -> int | None:
    """Return the merchant's rank among the claims made by `at` that meet every condition; None without such a claim.

    Two queries. The order is that of the decision: claim time, then key.
    """
    rows = claims.eligible_claims(offer, claims.subjects(offer).filter(claimed_at__lte=at))
    own = rows.filter(pk=merchant.pk).values_list("claimed_at", flat=True).first()
    if own is None:
        return None
    return rows.filter(Q(claimed_at__lt=own) | Q(claimed_at=own, pk__lt=merchant.pk)).count() + 1
