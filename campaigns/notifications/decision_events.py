"""Events of decisions that move no grant: refused claims, and quotas that fill up."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Max

from campaigns.allocation.allocator import ClaimResult
from campaigns.allocation.band_state import BandState
from campaigns.models import Decision, OutboxEvent
from campaigns.notifications import outbox
from campaigns.notifications.outbox import Audience, NewEvent
from campaigns.offers.published_offers import PublishedOffer
from campaigns.offers.quota_bands import plain_units
from definitions.quotas import ALL, Band

QUOTA_MARKS = ((80, OutboxEvent.Kind.QUOTA_80), (95, OutboxEvent.Kind.QUOTA_95), (100, OutboxEvent.Kind.QUOTA_100))
"""Shares of the limit, in percent, at which an event is published."""
CONDITIONS = "refused"
"""The reason of a claim that failed a condition. The other reasons are names of `Decision.Outcome` in lower case."""


def refusal(offer: PublishedOffer, merchant: str, subject: str, at: datetime, reason: str) -> NewEvent:
    """Return the event of a claim made `at` and refused for `reason`."""
    return NewEvent(
        kind=OutboxEvent.Kind.REFUSED, offer_id=offer.id, at=at, merchant_id=merchant, subject=subject, reason=reason
    )


def refused(by_code: dict[str, PublishedOffer], results: list[ClaimResult]) -> Iterator[NewEvent]:
    """Yield the events of claims that met the conditions and got no place."""
    for result in results:
        claim = result.claim
        yield refusal(by_code[claim.offer], claim.merchant, claim.subject, claim.at, result.outcome.name.lower())


@contextmanager
def refusals(offer: PublishedOffer) -> Iterator[None]:
    """Publish the claims of the offer that are refused for a condition within the block. The caller has locked the
    offer."""
    if not outbox.audience():
        yield
        return
    # The newest key of all offers, not of this one, comes straight from the primary key. What this offer gets from
    # here on has higher keys, and its lock keeps other workers from deciding its claims meanwhile.
    newest = Decision.objects.aggregate(newest=Max("pk"))["newest"] or 0
    yield
    fresh = Decision.objects.filter(offer=offer.id, pk__gt=newest, outcome=Decision.Outcome.REFUSED).order_by("pk")
    rows = fresh.values_list("merchant_id", "subject", "claimed_at")
    outbox.publish([refusal(offer, merchant, subject, at, CONDITIONS) for merchant, subject, at in rows])


def places(offers: list[PublishedOffer], used: Mapping[int, int], *, at: datetime) -> None:
    """Publish the quota marks that were crossed since the offers were locked. `used` are the places taken by now.

    They are written whether or not a program subscribes: operators are told of them.
    """
    limited = {offer.id: offer for offer in offers if offer.row.limit}
    reached = [
        NewEvent(kind=kind, offer_id=pk, at=at, reason=f"{used[pk]} / {offer.row.limit}")
        for pk, offer in limited.items()
        for share, kind in QUOTA_MARKS
        if offer.row.places_taken * 100 < share * (offer.row.limit or 0) <= used[pk] * 100
    ]
    if reached:
        outbox.publish(reached, to=Audience(everything=True))


def budgets(
    offers: list[PublishedOffer], bands: Mapping[str, BandState], taken: Mapping[str, int], *, at: datetime
) -> None:
    """Publish the marks that bands of all grants crossed: `taken` was added to what `bands` had loaded, by counter.

    Their reason is `used / limit`, of money with its currency, and the period; `amount` is the money used.
    """
    reached = [
        NewEvent(kind=kind, offer_id=offer.id, at=at, **_figures(band, key, state.stored[name] + units, limit))
        for offer in offers
        if (state := bands.get(offer.code))
        for pk, band in zip(state.ids, state.bands, strict=True)
        if band.per == ALL and (limit := band.units) is not None
        for name, units in taken.items()
        for counter, _, key in [name.partition(":")]
        for share, kind in QUOTA_MARKS
        if counter == str(pk) and state.stored[name] * 100 < share * limit <= (state.stored[name] + units) * 100
    ]
    if reached:
        outbox.publish(reached, to=Audience(everything=True))


def _figures(band: Band, key: str, taken: int, limit: int) -> dict[str, Any]:
    """Return the columns of an event that say how much of a band is used."""
    used = plain_units(band, taken)
    reason = " ".join(part for part in (f"{used} / {plain_units(band, limit)}", band.currency, key) if part)
    return {"reason": reason, "amount": Decimal(used) if band.is_amount else None, "currency": band.currency or ""}
