"""What happens to grants after the claim: each moves on as its subject's facts do, under the terms it was given."""

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

CHUNK = 2_000
MISSING, CLAIM, CONDITIONS, AMOUNT, STATE = (
    "the subject no longer claims",
    "the claim time changed",
    "a condition no longer holds",
    "the amount changed",
    "the facts now lead to another state",
)


def follow(offer: PublishedOffer, news: Changes) -> int:
    """Bring the offer's grants to the states their facts lead to. Returns how many moved.

    A grant whose facts were corrected under it stays as it is and is marked for review. The caller holds the offer.
    """
    moved = 0
    live = Grant.objects.filter(offer=offer.id, status__in=Grant.LIVE).order_by()
    if news.only:
        live = live.filter(subject__in=news.only.subjects)
    for version in Version.objects.filter(Exists(live.filter(version=OuterRef("pk"))), offer=offer.id):
        terms = PublishedOffer(Offer(pk=offer.id, code=offer.code, version=version), terms_of(version))
        for keys in _chunks(_subjects(terms, news)):
            moved += _follow_some(terms, keys, news)
    return moved


def _subjects(offer: PublishedOffer, news: Changes) -> Iterator[str]:
    keys = affected.subjects_to_follow(offer, news)
    live = Grant.objects.filter(offer=offer.id, version=offer.version_id, status__in=Grant.LIVE)
    if keys is not None:
        live = live.filter(subject__in=keys)
    elif offer.terms.settlement.at_claim and not offer.terms.settlement.released_by:
        return iter(())  # settled for good: only a correction could say anything
    return live.order_by().values_list("subject", flat=True).iterator(chunk_size=CHUNK)


def _chunks(keys: Iterator[str]) -> Iterator[list[str]]:
    while chunk := list(islice(keys, CHUNK)):
        yield chunk


def _follow_some(offer: PublishedOffer, keys: list[str], news: Changes) -> int:
    rows = claims.subjects(offer).filter(pk__in=keys)
    found = {subject.key: subject for subject in claims.read(offer, rows, evaluate=True)}
    mine = Grant.objects.filter(offer=offer.id, version=offer.version_id, subject__in=keys, status__in=Grant.LIVE)
    locked = mine.select_for_update(no_key=True).order_by("pk")
    advances, doubtful = [], []
    for grant in locked:
        subject = found.get(grant.subject)
        doubt, steps = (MISSING, []) if subject is None else _compare(offer, grant, subject, news)
        if doubt and grant.review != doubt:
            grant.review = doubt
            doubtful.append(grant)
        elif steps and not doubt:
            advances.append(transitions.GrantAdvance(grant, steps))
    Grant.objects.bulk_update(doubtful, ["review"], batch_size=500)
    mine.filter(follow_again=True).update(follow_again=False)
    transitions.advance(advances)
    return len(advances)


def _compare(
    offer: PublishedOffer, grant: Grant, subject: claims.Subject, news: Changes
) -> tuple[str, list[StateChange]]:
    """Why the grant needs a look, or the states it has yet to go through."""
    at = subject.timeline.claimed_at
    if at is None:
        return MISSING, []
    doubt = _doubt(offer, grant, subject, at)
    if doubt and doubt != grant.accepted_review:
        return doubt, []
    return _remaining(grant, grant_steps(offer.terms.settlement, subject.timeline, until=news.until))


def _doubt(offer: PublishedOffer, grant: Grant, subject: claims.Subject, at: datetime) -> str:
    """What the grant rests on that is not so any more. A merchant's earlier claim does not make its grant doubtful."""
    if at != grant.claimed_at and (offer.terms.subject != "merchant" or at > grant.claimed_at):
        return CLAIM
    if not subject.passed:
        return CONDITIONS
    return AMOUNT if (subject.amount, subject.currency) != (grant.amount, grant.currency) else ""


def _remaining(grant: Grant, steps: list[StateChange]) -> tuple[str, list[StateChange]]:
    reached = [step.status for step in steps]
    if grant.status in reached:
        return "", steps[reached.index(grant.status) + 1 :]
    if grant.status != Grant.Status.SETTLED and steps[-1].status not in Grant.LIVE:
        return "", steps[-1:]
    return STATE, []
