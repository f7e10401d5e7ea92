"""Offers whose stored terms cannot be read: they are quarantined, and all others are processed."""

from collections.abc import Sequence
from datetime import datetime

from campaigns.eligibility.quarantined import claims_step
from campaigns.engine import quarantine_entries
from campaigns.engine.diagnosis import message
from campaigns.engine.quarantine_entries import Kind, NewEntry, Stage
from campaigns.models import Offer, QuarantineEntry
from campaigns.offers.published_offers import PublishedOffer


def record(
    unreadable: Sequence[tuple[Offer, Exception]], groups: Sequence[list[PublishedOffer]], *, at: datetime
) -> None:
    """Quarantine the offers that cannot be read. Those that can be read again are examined as a whole."""
    if not unreadable and not any(offer.row.has_quarantined for group in groups for offer in group):
        return
    known = {entry.key: entry for entry in QuarantineEntry.objects.filter(stage=Stage.READ)}
    for row, error in unreadable:
        entry = known.pop(row.code, None)
        if entry is None or entry.retry_at is None or entry.retry_at <= at:
            new = NewEntry(Kind.OFFER, row.code, Stage.READ, message(error))
            quarantine_entries.record(_step(row.code), [new], at=at, progress=None)
    for group in groups:
        for offer in group:
            if offer.code in known:
                quarantine_entries.examine_offer(offer.code, step=claims_step(group[0]), since=at)
                quarantine_entries.release([known[offer.code]])


def _step(code: str) -> str:
    return f"offer: {code}"
