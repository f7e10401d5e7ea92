"""Subjects of claims: their merchants, and what the offers decided about them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from rest_framework.request import Request

from api.authentication import key_of
from campaigns.eligibility import decision_time
from campaigns.eligibility.explanations import Explanation, explain_all
from campaigns.offers import published_offers
from campaigns.offers.published_offers import PublishedOffer
from core import clock
from core.db.compiled_queries import AnyOfParameter, compiled_query
from core.facts import SUBJECTS


def is_visible(request: Request, subject: str, key: str) -> bool:
    """Return true if the subject exists and belongs to a merchant that the request's API key may see."""
    own = key_of(request).merchant_id
    return any(own in (None, merchant) for merchant in send_merchants(subject, [key])().values())


def send_merchants(subject: str, keys: Sequence[str]) -> Callable[[], dict[str, str]]:
    """Start the query and return a function that waits for the merchant code of each existing subject, by key."""
    fetch = _merchants(subject).execute_deferred(keys=list(keys)) if subject in SUBJECTS else list
    return lambda: dict(fetch())


@compiled_query
def _merchants(subject: str) -> Any:
    collection = SUBJECTS[subject]
    return collection.model._default_manager.filter(AnyOfParameter("pk", "keys")).values_list("pk", collection.merchant)


def explain_by_key(
    offers: Sequence[PublishedOffer], keys: Sequence[str], *, at: datetime | None = None
) -> dict[str, list[Explanation]]:
    """Return the explanations of offers for subjects of their type, by the subject's key, ordered by offer code.

    They are as of now, or as of `at` if that is later: requests may be stamped a moment ahead of the clock.
    """
    at = max(at or clock.now(), clock.now())
    explanations: dict[str, list[Explanation]] = {}
    for offer in sorted(offers, key=lambda offer: offer.code):
        for explanation in explain_all(offer, keys, at=at):
            explanations.setdefault(explanation.subject, []).append(explanation)
    return {key: with_decision_instants(each, offers) for key, each in explanations.items()}


def with_decision_instants(explanations: list[Explanation], offers: Sequence[PublishedOffer]) -> list[Explanation]:
    """Return explanations of claims that await their decision with the instant of it; a paused offer has none."""
    if not any(explanation.outcome == "pending" for explanation in explanations):
        return explanations
    groups = {offer.code: (offer, group) for group in published_offers.competing(list(offers)) for offer in group}
    return [replace(each, decides_at=_decides_at(each, *groups[each.offer])) for each in explanations]


def _decides_at(explanation: Explanation, offer: PublishedOffer, group: list[PublishedOffer]) -> datetime | None:
    waits = explanation.quarantined_since or offer.row.paused_at
    if explanation.outcome != "pending" or explanation.claimed_at is None or waits:
        return None
    return decision_time.decision_instant(offer, group, explanation.claimed_at)
