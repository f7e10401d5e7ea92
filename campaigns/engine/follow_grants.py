"""Follow grants: bring each to the state that its subject's facts lead to, under the version that granted it."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from django.db.models import Exists, OuterRef

from campaigns.eligibility import affected, claims
from campaigns.eligibility.changes import Changes
from campaigns.grants import transitions
from campaigns.grants.steps import StateChange, grant_steps
from campaigns.models import Grant, Offer, Version
from campaigns.offers.published_offers import PublishedOffer, terms_of

CHUNK = 2_000  # grants locked and read at once; both sides of the comparison are in memory
MISSING, CLAIM, CONDITIONS, AMOUNT, STATE = (
    "the subject no longer claims",
    "the claim time changed",
    "a condition no longer holds",
    "the amount changed",
    "the facts now lead to another state",
)


def follow(offer: PublishedOffer, changes: Changes) -> int:
    """Bring the grants of an offer to the states that their facts lead to. Returns how many changed.

    A grant that rests on a corrected fact stays as it is and is marked for review. The caller has locked the offer.
    """
    changed = 0
    live = Grant.objects.filter(offer=offer.id, status__in=Grant.LIVE).order_by()
    if changes.only:
        live = live.filter(subject__in=changes.only.subjects)
    for version in Version.objects.filter(Exists(live.filter(version=OuterRef("pk"))), offer=offer.id):
        terms = PublishedOffer(Offer(pk=offer.id, code=offer.code, version=version), terms_of(version))
        for keys in _chunks(_subjects(terms, changes)):
            changed += _follow_some(terms, keys, changes)
    return changed


def _subjects(offer: PublishedOffer, changes: Changes) -> Iterator[str]:
    keys = affected.subjects_to_follow(offer, changes)
    live = Grant.objects.filter(offer=offer.id, version=offer.version_id, status__in=Grant.LIVE)
    if keys is not None:
        live = live.filter(subject__in=keys)
    elif offer.terms.settlement.at_claim and not offer.terms.settlement.released_by:
        return iter(())  # settled for good: only a correction, hence a changed fact, could change these grants
    return live.order_by().values_list("subject", flat=True).iterator(chunk_size=CHUNK)


def _chunks(keys: Iterator[str]) -> Iterator[list[str]]:
    while chunk := list(islice(keys, CHUNK)):
        yield chunk


def _follow_some(offer: PublishedOffer, keys: list[str], changes: Changes) -> int:
    rows = claims.subjects(offer).filter(pk__in=keys)
    subjects = {subject.key: subject for subject in claims.read(offer, rows, evaluate=True)}
    grants = Grant.objects.filter(offer=offer.id, version=offer.version_id, subject__in=keys, status__in=Grant.LIVE)
    locked = grants.select_for_update(no_key=True).order_by("pk")
    advances, for_review = [], []
    for grant in locked:
        subject = subjects.get(grant.subject)
        review, steps = (MISSING, []) if subject is None else _compare(offer, grant, subject, changes)
        if review and grant.review != review:
            grant.review = review
            for_review.append(grant)
        elif steps and not review:
            advances.append(transitions.GrantAdvance(grant, steps))
    Grant.objects.bulk_update(for_review, ["review"], batch_size=500)
    grants.filter(follow_again=True).update(follow_again=False)
    transitions.advance(advances)
    return len(advances)


def _compare(
    offer: PublishedOffer, grant: Grant, subject: claims.Subject, changes: Changes
) -> tuple[str, list[StateChange]]:
    """Return the reason for a review, or the states that the grant has yet to go through."""
    at = subject.timeline.claimed_at
    if at is None:
        return MISSING, []
    review = _review(offer, grant, subject, at)
    if review and review != grant.accepted_review:
        return review, []
    return _remaining(grant, grant_steps(offer.terms.settlement, subject.timeline, until=changes.until))


def _review(offer: PublishedOffer, grant: Grant, subject: claims.Subject, at: datetime) -> str:
    """Return which fact that the grant rests on has changed, empty if none has."""
    # A merchant claims once: an earlier event of the same merchant would have given it the same grant.
    if at != grant.claimed_at and (offer.terms.subject != "merchant" or at > grant.claimed_at):
        return CLAIM
    if not subject.passed:
        return CONDITIONS
    return AMOUNT if (subject.amount, subject.currency) != (grant.amount, grant.currency) else ""


def _remaining(grant: Grant, steps: list[StateChange]) -> tuple[str, list[StateChange]]:
    reached = [step.status for step in steps]
    if grant.status in reached:
        return "", steps[reached.index(grant.status) + 1 :]
    # A state was left out, as where a correction took the payment back: an end that the facts name still holds.
    if grant.status != Grant.Status.SETTLED and steps[-1].status not in Grant.LIVE:
        return "", steps[-1:]
    return STATE, []
