"""Claims decided at once, ahead of the tick: the same rules, folds and verbs, for the subjects that ask.

What it asks of the database is kept (`core.db.compiled_queries`): nothing here grows with the grants that there are.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from campaigns.coupons import redemption
from campaigns.eligibility import claims
from campaigns.eligibility.affected import Changes, SubjectSelection
from campaigns.engine import claim_decisions, follow_grants
from campaigns.models import Decision, Grant, Issuance
from campaigns.offers import published_offers
from campaigns.offers.published_offers import PublishedOffer
from core.db.compiled_queries import AnyOfParameter, compiled_query, number
from core.db.pipeline import outside_pipeline, pipeline


class Held(NamedTuple):
    """A kind of subject, the offers about such subjects, whose rows are locked, and whether any promises coupons."""

    of: str
    about: list[PublishedOffer]
    is_promised: bool


def claim(subject: str, *, of: str, at: datetime) -> list[Decision]:
    """A tick for one subject; see `claim_all`."""
    return claim_all([subject], of=of, at=at)


def claim_all(subjects: Sequence[str], *, of: str, at: datetime) -> list[Decision]:
    """A tick for some subjects (`of`: freight_order, trade_order, …): grants follow, and claims are decided, now.

    They come before claims that were made earlier and that no tick has seen yet: those are told late. Claims that wait
    for a settling delay, a decision day or the end of a pause go on waiting. Returns their decisions, of all offers, by
    subject and offer. Raises claims.UnknownSubjectError.
    """
    with transaction.atomic():
        return decide(hold(of), subjects, at=at)


def hold(of: str) -> Held:
    """Take the offers about such subjects in hand, until the transaction ends."""
    with pipeline():  # one after the other: what is promised is seen with the offers in hand
        about, promised = published_offers.send_about(of, held=True), _promised().execute_deferred()
        return Held(of, about(), bool(promised()))


def decide(held: Held, subjects: Sequence[str], *, at: datetime) -> list[Decision]:
    """As `claim_all`, with offers that are in hand."""
    if not held.about:
        return []
    with pipeline():
        return _decide(held, subjects, at)


def _decide(held: Held, subjects: Sequence[str], at: datetime) -> list[Decision]:
    of, about, is_promised = held
    at = max([at, *(offer.row.grants_followed_until for offer in about if offer.row.grants_followed_until)])
    spends = of == "freight_order" and is_promised
    only = SubjectSelection(tuple(subjects), _merchants(about, subjects, spends=spends))
    if spends:
        with outside_pipeline():
            redemption.follow_orders(only.subjects, merchants=only.merchants, at=at)
    found: list[tuple[str, Decision]] = []
    for group in published_offers.competing(about):
        found += _bring_up(group, at, only)
    if not {decision.subject for _, decision in found}.issuperset(subjects):
        claims.merchants_of(about[0], subjects)  # nothing decided: or not there at all
    return [decision for _code, decision in sorted(found, key=lambda one: (one[1].subject, one[0]))]


@compiled_query
def _promised() -> QuerySet[Issuance, Any]:
    """Whether any offer promises coupons, which freight orders could spend."""
    return Issuance.objects.order_by().values_list("pk")[:1]


def _merchants(held: list[PublishedOffer], subjects: Sequence[str], *, spends: bool) -> tuple[str, ...]:
    """Whose the subjects are, where something of the merchant's has to be followed first."""
    follows = spends or any(offer.terms.threshold is not None for offer in held)
    return claims.merchants_of(held[0], subjects) if follows else ()


def _bring_up(group: list[PublishedOffer], at: datetime, only: SubjectSelection) -> list[tuple[str, Decision]]:
    """Follow and decide some subjects of competing offers; how far the others were brought stays as it is."""
    found = []
    until = claims.decision_cutoff(group, at)
    sent = {o.id: claims.send_asked(o, only.subjects, until=until) for o in group if o.terms.threshold is None}
    asked = {offer: fetch() for offer, fetch in sent.items()}
    for offer in group:
        new = {subject.key for subject in asked.get(offer.id, ())}
        if before := [subject for subject in only.subjects if subject not in new]:
            known = _known()(offer=offer.id, subjects=before)
            found += [
                (offer.code, Decision.from_db(connection.alias, claim_decisions.FIELDS, row[:-1])) for row in known
            ]
            if any(row[-1] for row in known):
                with outside_pipeline():
                    follow_grants.follow(offer, Changes(offer.row.grants_followed_until, at, only=only))
    since = max(
        (offer.row.claims_decided_until for offer in group if offer.row.claims_decided_until is not None), default=None
    )
    made = claim_decisions.decide_some(group, Changes(since, until, only=only), asked, at=at)
    codes = {offer.id: offer.code for offer in group}
    return found + [(codes[decision.offer_id], decision) for decision in made]


@compiled_query
def _known() -> QuerySet[Decision, Any]:
    """What was decided of some subjects, and whether they have a live grant."""
    live = Grant.objects.filter(offer=OuterRef("offer"), subject=OuterRef("subject"), status__in=Grant.LIVE)
    decided = Decision.objects.filter(AnyOfParameter("subject", "subjects"), offer=number("offer"))
    return decided.annotate(live=Exists(live)).values_list(*claim_decisions.FIELDS, "live")
