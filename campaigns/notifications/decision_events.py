"""What deciding has to tell beside the moves of grants: refusals, and places that run out."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from django.db.models import Max

from campaigns.allocation.allocator import Outcome, Verdict
from campaigns.models import Decision, OutboxEvent
from campaigns.notifications import outbox
from campaigns.notifications.outbox import NewEvent
from campaigns.offers.published_offers import PublishedOffer

MARKS = ((80, OutboxEvent.Kind.QUOTA_80), (95, OutboxEvent.Kind.QUOTA_95), (100, OutboxEvent.Kind.QUOTA_100))
CONDITIONS = "refused"


def refused(by_code: dict[str, PublishedOffer], verdicts: list[Verdict]) -> Iterator[NewEvent]:
    """Claims that met the conditions and got no place; the reason is the outcome's name."""
    for verdict in verdicts:
        claim = verdict.claim
        yield refusal(by_code[claim.offer], claim.merchant, claim.subject, claim.at, verdict.outcome.name.lower())


@contextmanager
def refusals(offer: PublishedOffer) -> Iterator[None]:
    """Tell of the claims that are refused for a condition within the block. The caller holds the offer."""
    if not outbox.audience():
        yield
        return
    # Of all offers: what this one gets from here on has higher keys, and nobody else decides it meanwhile.
    newest = Decision.objects.aggregate(newest=Max("pk"))["newest"] or 0
    yield
    fresh = Decision.objects.filter(offer=offer.id, pk__gt=newest, outcome=Outcome.REFUSED).order_by("pk")
    told = fresh.values_list("merchant_id", "subject", "claimed_at")
    outbox.publish([refusal(offer, merchant, subject, at, CONDITIONS) for merchant, subject, at in told])


def places(offers: list[PublishedOffer], used: Mapping[int, int], *, at: datetime) -> None:
    """Tell of offers whose places, of which `used` are taken now, reached a mark since they were held."""
    limited = {offer.id: offer for offer in offers if offer.row.limit}
    reached = [
        NewEvent(kind, pk, "", "", None, None, "", at, None, "", f"{used[pk]} / {offer.row.limit}")
        for pk, offer in limited.items()
        for share, kind in MARKS
        if offer.row.used * 100 < share * (offer.row.limit or 0) <= used[pk] * 100
    ]
    if reached:
        outbox.publish(reached)


def refusal(offer: PublishedOffer, merchant: str, subject: str, at: datetime, reason: str) -> NewEvent:
    """What is told of a claim that was refused; `reason` is an outcome's name."""
    return NewEvent(OutboxEvent.Kind.REFUSED, offer.id, merchant, subject, None, None, "", at, None, "", reason)
