"""Instants of decisions: how long claims wait for late facts, and for competing offers."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from campaigns.offers.published_offers import PublishedOffer


def decision_cutoff(offers: Iterable[PublishedOffer], at: datetime) -> datetime:
    """Return the instant up to which claims are decided at `at`: earlier by the longest settling delay.

    Competing offers wait for each other, or one could take a fee before a claim for the other is known.
    """
    return at - _settling_delay(offers)


def decision_instant(offer: PublishedOffer, competing: Iterable[PublishedOffer], claimed_at: datetime) -> datetime:
    """Return the instant from which `decision_cutoff` lets a claim of the offer be decided."""
    return max(claimed_at, offer.terms.decision_instant or claimed_at) + _settling_delay(competing)


def _settling_delay(offers: Iterable[PublishedOffer]) -> timedelta:
    return timedelta(hours=max(offer.terms.settling_hours for offer in offers))
