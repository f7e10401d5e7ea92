"""Rehearsal: run every query of an offer once, so that an offer that cannot be evaluated is refused when published.

The queries run on the recorded facts, on a few subjects each: a query that the database cannot compile or evaluate
fails on few rows as it does on all. `campaigns.offers.publishing` rolls back what a rehearsal writes.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from campaigns.coupons import asking_orders, fee_precedence
from campaigns.eligibility import affected, audience, claims, explanations, merchant_status, threshold_tags
from campaigns.eligibility.changes import Changes, SubjectSelection
from campaigns.grants.steps import grant_steps
from campaigns.offers.published_offers import PublishedOffer
from core.db.key_set import KeySet
from core.facts import COUPON_FEES
from core.instants import END_OF_INSTANTS
from merchants.models import Merchant
from rules.conditions import all_of
from rules.query_row import as_boolean

MOST_SUBJECTS = 5
NO_BATCH = (0,)
"""Key of no import batch, so that the queries for changed rows run too."""


def rehearse(offer: PublishedOffer, *, at: datetime) -> None:
    """Run the queries that ticks, explanations and pages run for the offer. Raises the error of a query that fails.

    The caller rolls back the tags that this writes.
    """
    keys = list(claims.all_rows(offer).order_by("-pk").values_list("pk", flat=True)[:MOST_SUBJECTS])
    _find_affected(offer, at)
    if offer.terms.threshold is not None:
        merchants = claims.merchants_of(offer, keys)
        selection = SubjectSelection(tuple(keys), merchants)
        threshold_tags.tag(offer, offer.terms.threshold, Changes(None, END_OF_INSTANTS, only=selection))
    _decide(offer, keys or [""], at)
    if offer.terms.bundle is not None and offer.row.version is not None:
        asking_orders.by_merchant(offer.terms.bundle.fee, {offer.row.version}, [""], at)
    fee = COUPON_FEES.get(offer.terms.subject)
    if fee is not None and offer.terms.fee == fee.name:
        earlier = fee_precedence.EarlierClaims(fee, [offer], KeySet(few=[""]), at)
        list(earlier.orders)
        list(earlier.among(offer, KeySet(few=keys or [""])))
    explanations.explain_all(offer, keys or [""], at=at)
    audience.size(offer.terms)
    for merchant in Merchant.objects.order_by("pk")[:1]:
        merchant_status.statuses([offer], merchant, at=at)


def _find_affected(offer: PublishedOffer, at: datetime) -> None:
    changes = Changes(at - timedelta(seconds=1), at, NO_BATCH)
    affected.subjects_to_decide(offer, changes)
    affected.subjects_to_follow(offer, changes)


def _decide(offer: PublishedOffer, keys: Sequence[str], at: datetime) -> None:
    """Evaluate the claims of some subjects: conditions, benefit, settlement, and what an explanation shows."""
    rows = claims.undecided(offer, until=END_OF_INSTANTS).filter(pk__in=keys)
    evaluated, _ = claims.evaluated(offer, rows)
    list(evaluated)
    for subject in claims.read(offer, claims.subjects(offer).filter(pk__in=keys), evaluate=True):
        if subject.timeline.claimed_at is not None:
            grant_steps(offer.terms.settlement, subject.timeline, until=at)
    shown = claims.all_rows(offer).filter(pk__in=keys).annotate(claimed_at=claims.constant(at))
    shown = shown.annotate(seen_at=claims.constant(at), in_scope=as_boolean(all_of(offer.terms.scope, offer.terms.row)))
    columns = {
        f"found_{n}": condition.observed(offer.terms.row)
        for n, condition in enumerate((*offer.terms.scope, *offer.terms.asked))
    }
    list(shown.annotate(**columns).values_list("in_scope", *columns))
