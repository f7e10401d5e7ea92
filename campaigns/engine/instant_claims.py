"""Instant claims: follow grants and decide claims of a few subjects now, ahead of the next tick.

The rules and the code are those of the tick. All statements are compiled queries, and their cost does not grow with the
number of grants.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from campaigns.coupons import redemption
from campaigns.eligibility import claims, decision_time
from campaigns.eligibility.changes import Changes, SubjectSelection
from campaigns.eligibility.quarantined import claims_step
from campaigns.engine import claim_decisions, follow_grants, quarantine_entries
from campaigns.models import Attachment, Decision, Grant, Issuance
from campaigns.offers import published_offers
from campaigns.offers.published_offers import PublishedOffer
from core.db.compiled_queries import AnyOfParameter, compiled_query, number, text
from core.db.errors import is_transient
from core.db.pipeline import outside_pipeline, pipeline
from core.db.transactions import repeatable
from core.facts import COUPON_FEES

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LockedOffers:
    """The published offers for one type of subject, locked until the transaction ends.

    `any_coupons`: some published offer of any subject type issues coupons.
    """

    subject_type: str
    offers: list[PublishedOffer]
    any_coupons: bool


def claim(subject: str, *, of: str, at: datetime) -> list[Decision]:
    """Decide the claims of one subject; see `claim_all`. Claims on a fee for which an offer fails wait for the tick."""
    try:
        return claim_all([subject], of=of, at=at)
    except Exception as error:
        if is_transient(error) or isinstance(error, claims.UnknownSubjectError):
            raise
        with transaction.atomic():
            return decide_apart(lock_offers(of), [subject], at=at)


def claim_all(subjects: Sequence[str], *, of: str, at: datetime) -> list[Decision]:
    """Follow grants and decide claims of some subjects of the type `of` (freight_order, trade_order, …) at an instant.

    Returns their decisions, old and new, of all offers, by subject and offer. Raises claims.UnknownSubjectError.

    These claims are decided before earlier claims that no tick has seen yet. Claims that wait for a settling delay, a
    decision day or the end of a pause keep waiting.
    """
    with transaction.atomic():
        return decide(lock_offers(of), subjects, at=at)


def lock_offers(subject_type: str, *, requested: str | None = None) -> LockedOffers:
    """Lock the offers for a type of subject until the transaction ends.

    `requested` is the code that the subjects request: offers about other codes alone are left out, and their requests
    do not wait.
    """
    only = None
    if requested is not None:
        about = published_offers.about(subject_type)
        only = [offer.id for offer in about if offer.terms.may_be_requested_as(requested)]
    with pipeline():  # the second statement runs with the locks in hand, so it sees offers published meanwhile
        offers = published_offers.send_about(subject_type, held=True, only=only)
        coupons = _any_issuance().execute_deferred()
        return LockedOffers(subject_type, offers(), bool(coupons()))


def decide(locked: LockedOffers, subjects: Sequence[str], *, at: datetime) -> list[Decision]:
    """Do what `claim_all` does, with offers that are locked already."""
    if not locked.offers:
        return []
    with pipeline():
        return _decide(locked, subjects, at, _decide_group)


def decide_apart(locked: LockedOffers, subjects: Sequence[str], *, at: datetime) -> list[Decision]:
    """Do what `decide` does; where competing offers fail, their claims wait for the tick, which finds the cause."""
    if not locked.offers:
        return []
    with outside_pipeline():
        return _decide(locked, subjects, at, _decide_group_or_wait)


def _decide(
    locked: LockedOffers, subjects: Sequence[str], at: datetime, decide_group: "GroupDecision"
) -> list[Decision]:
    offers = locked.offers
    at = max([at, *(offer.row.grants_followed_until for offer in offers if offer.row.grants_followed_until)])
    kind = locked.subject_type
    may_redeem = kind in COUPON_FEES and locked.any_coupons
    merchants: tuple[str, ...] = ()
    if may_redeem or any(offer.terms.threshold is not None for offer in offers):
        merchants = claims.merchants_of(offers[0], subjects)
    selection = SubjectSelection(tuple(subjects), merchants)
    if may_redeem:
        with outside_pipeline():
            merchants = quarantine_entries.usable_now(offers, selection.merchants)
            redemption.follow_orders(selection.subjects, kind=kind, merchants=merchants, at=at)
    decisions: list[tuple[str, Decision]] = []
    for group in published_offers.competing(offers):
        decisions += decide_group(group, at, selection)
    if may_redeem and _waiting()(kind=kind, orders=subjects):  # for a claim that is decided now
        with outside_pipeline():
            redemption.follow_orders(selection.subjects, kind=kind, merchants=merchants, at=at)
    if not {decision.subject for _, decision in decisions}.issuperset(subjects):
        claims.merchants_of(offers[0], subjects)  # raises if a subject without a decision does not exist
    return [decision for _code, decision in sorted(decisions, key=lambda pair: (pair[1].subject, pair[0]))]


@compiled_query
def _any_issuance() -> QuerySet[Issuance, Any]:
    """Return a row if any offer issues coupons, which orders could redeem."""
    return Issuance.objects.order_by().values_list("pk")[:1]


@compiled_query
def _waiting() -> QuerySet[Attachment, Any]:
    """Return those of some orders of a kind that wait for a coupon."""
    waiting = Attachment.objects.filter(AnyOfParameter("order_no", "orders"), order_kind=text("kind"), waits=True)
    return waiting.values_list("order_no")


def _decide_group(group: list[PublishedOffer], at: datetime, selection: SubjectSelection) -> list[tuple[str, Decision]]:
    """Follow grants and decide claims of the selected subjects for competing offers. Return (offer code, decision)."""
    competing = group
    if any(offer.row.has_quarantined for offer in group):
        with outside_pipeline():
            group, selection = quarantine_entries.decidable_now(group, selection)
        if not group or not selection.subjects:
            return []
    until = decision_time.decision_cutoff(group, at)
    sent = {o.id: claims.send_undecided(o, selection.subjects, until=until) for o in group if o.terms.threshold is None}
    undecided = {offer: fetch() for offer, fetch in sent.items()}
    decisions = [pair for offer in group for pair in _follow_decided(offer, undecided.get(offer.id, ()), at, selection)]
    since = max(
        (offer.row.claims_decided_until for offer in group if offer.row.claims_decided_until is not None), default=None
    )
    new = claim_decisions.decide_some(
        group, Changes(since, until, only=selection), undecided, at=at, competing=competing
    )
    codes = {offer.id: offer.code for offer in group}
    return decisions + [(codes[decision.offer_id], decision) for decision in new]


GroupDecision = Callable[[list[PublishedOffer], datetime, SubjectSelection], list[tuple[str, Decision]]]


def _decide_group_or_wait(
    group: list[PublishedOffer], at: datetime, selection: SubjectSelection
) -> list[tuple[str, Decision]]:
    try:
        with repeatable():
            return _decide_group(group, at, selection)
    except Exception as error:
        if is_transient(error):
            raise
        logger.exception("claims wait for the tick: %s", claims_step(group[0]))
        return []


def _follow_decided(
    offer: PublishedOffer, undecided: Sequence[claims.Subject], at: datetime, selection: SubjectSelection
) -> list[tuple[str, Decision]]:
    """Follow the grants of subjects that the offer has decided before. Return (offer code, decision)."""
    new = {subject.key for subject in undecided}
    decided = [subject for subject in selection.subjects if subject not in new]
    if not decided:
        return []
    rows = _earlier_decisions()(offer=offer.id, subjects=decided)
    if any(has_live_grant for *_values, has_live_grant in rows):
        with outside_pipeline():
            follow_grants.follow(offer, Changes(offer.row.grants_followed_until, at, only=selection))
    return [(offer.code, Decision.from_db(connection.alias, claim_decisions.FIELDS, values)) for *values, _live in rows]


@compiled_query
def _earlier_decisions() -> QuerySet[Decision, Any]:
    """Decisions of one offer for some subjects; the last column is true if the subject has a live grant."""
    live = Grant.objects.filter(offer=OuterRef("offer"), subject=OuterRef("subject"), status__in=Grant.LIVE)
    decided = Decision.objects.filter(AnyOfParameter("subject", "subjects"), offer=number("offer"))
    return decided.annotate(live=Exists(live)).values_list(*claim_decisions.FIELDS, "live")
