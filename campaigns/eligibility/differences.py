"""Differences: the facts that differ from those that a grant rests on. They mark the grant for review."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from campaigns.models import Grant, OutboxEvent
from campaigns.notifications import outbox
from campaigns.notifications.outbox import NewEvent
from core.db import bulk_update

Differences = Mapping[str, str]
"""The facts that differ from those that a grant rests on: the present value by reason for a review."""


def mark(grant: Grant, differences: Differences, *, of: Collection[str]) -> bool:
    """Mark a grant, without saving it, for the first difference that no operator has accepted.

    `of` names the reasons that the caller has examined; differences for other reasons stay. A difference stays accepted
    as long as its value does not change. Returns whether any of MARKED changed.
    """
    before = (grant.review, grant.differences, grant.accepted)
    others = {reason: value for reason, value in _read(grant.differences).items() if reason not in of}
    present = {**others, **differences}
    accepted = {reason: value for reason, value in _read(grant.accepted).items() if present.get(reason) == value}
    grant.differences, grant.accepted = _written(present), _written(accepted)
    # A mark stays until an operator decides, even if the facts are back to what they were.
    grant.review = next((reason for reason in present if reason not in accepted), grant.review)
    return before != (grant.review, grant.differences, grant.accepted)


MARKED = ("review", "differences", "accepted")
"""Columns that `mark` changes."""


def save(marked: Sequence[Grant], *, at: datetime) -> None:
    """Save grants that `mark` changed, as of `at`, and publish of which of them a review starts.

    The caller has locked the grants, and runs in a transaction.
    """
    if not marked:
        return
    without = Grant.objects.filter(pk__in=[grant.pk for grant in marked], review="")
    clear = set(without.values_list("pk", flat=True))
    bulk_update.save(marked, MARKED)
    started = [grant for grant in marked if grant.review and grant.pk in clear]
    outbox.publish(
        [
            NewEvent(
                kind=OutboxEvent.Kind.REVIEW_STARTED,
                offer_id=grant.offer_id,
                at=at,
                merchant_id=grant.merchant_id,
                subject=grant.subject,
                grant_id=grant.pk,
                amount=grant.amount,
                currency=grant.currency,
                reason=grant.review,
            )
            for grant in started
        ],
        merchants={grant.merchant_id for grant in started},
    )


def has_unaccepted(grant: Grant, *, but: str = "") -> bool:
    """Return whether a fact differs from what the grant rests on, and no operator has accepted it.

    Differences for the reason `but` do not count.
    """
    accepted = _read(grant.accepted)
    present = {reason: value for reason, value in _read(grant.differences).items() if reason != but}
    return any(accepted.get(reason) != value for reason, value in present.items())


def _read(stored: str) -> dict[str, str]:
    return dict(json.loads(stored)) if stored else {}


def _written(differences: Differences) -> str:
    return json.dumps(differences, sort_keys=True) if differences else ""
