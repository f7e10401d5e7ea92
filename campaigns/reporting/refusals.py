"""Reasons why claims for an offer were refused, with their numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeGuard

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from campaigns.eligibility import claims
from campaigns.models import Decision, Version
from campaigns.offers import published_offers
from campaigns.offers.published_offers import PublishedOffer
from rules.conditions import Comparison, Condition
from rules.sentences import describe

NEAR = Decimal("0.95")
"""A claim missed an amount narrowly if it has at least this share of it."""


@dataclass(frozen=True)
class Reason:
    """Reason with the number of claims refused for it. `query` selects them in the admin's list of decisions.

    `near` of them missed an amount by less than 5 %.
    """

    name: str
    text: str
    count: int
    query: str
    near: int = 0


def reasons(offer: PublishedOffer) -> list[Reason]:
    """Return the reasons, most frequent first. A claim that missed two conditions counts with both."""
    decisions = Decision.objects.filter(offer=offer.id).order_by()
    counted = list(_by_outcome(offer, decisions))
    refused = decisions.filter(outcome=Decision.Outcome.REFUSED)
    for version in Version.objects.filter(Exists(refused.filter(version=OuterRef("pk"))), offer=offer.id):
        counted += _by_condition(offer.under(version), version, refused)
    return sorted(counted, key=lambda reason: (-reason.count, reason.name))


def refused_by(decisions: "QuerySet[Decision]", version: int, n: int) -> "QuerySet[Decision]":
    """Return those of `decisions` that did not meet condition `n` of the version."""
    missed = decisions.annotate(bit=F("failed").bitand(1 << n))
    return missed.filter(version=version, outcome=Decision.Outcome.REFUSED).exclude(bit=0)


def near_misses(offer: PublishedOffer, version: Version, n: int) -> "QuerySet[Decision]":
    """Return the decisions that missed the amount in condition `n` of the version by less than 5 %.

    The amounts are those recorded now. None if the condition is not about an amount.
    """
    terms = published_offers.terms_of(version)
    condition = terms.asked[n]
    if not _is_amount(condition, offer):
        return Decision.objects.none()
    rows = claims.all_rows(offer).annotate(found=condition.observed(terms.row))
    close = rows.filter(found__gte=(condition.at_least or 0) * NEAR, found__lt=condition.at_least)
    decisions = Decision.objects.filter(offer=offer.id, subject__in=close.values("pk"))
    return refused_by(decisions, version.pk, n)


def _by_outcome(offer: PublishedOffer, decisions: "QuerySet[Decision]") -> Iterator[Reason]:
    others = (
        decisions.exclude(outcome__in=[Decision.Outcome.GRANTED, Decision.Outcome.REFUSED])
        .values("outcome")
        .annotate(n=Count("pk"))
    )
    for value, n in others.values_list("outcome", "n"):
        outcome = Decision.Outcome(value)
        query = f"offer__id__exact={offer.id}&outcome__exact={value}"
        yield Reason(outcome.name.lower(), str(outcome.label), n, query)


def _by_condition(offer: PublishedOffer, version: Version, refused: "QuerySet[Decision]") -> Iterator[Reason]:
    numbers = range(len(offer.terms.asked))
    bits = {f"bit_{n}": F("failed").bitand(1 << n) for n in numbers}
    counts = (
        refused.filter(version=version.pk)
        .annotate(**bits)
        .aggregate(**{f"n_{n}": Count("pk", filter=~Q(**{f"bit_{n}": 0})) for n in numbers})
    )
    for n, condition in enumerate(offer.terms.asked):
        if counts[f"n_{n}"]:
            near = near_misses(offer, version, n).count()
            query = f"offer__id__exact={offer.id}&missed={version.pk}-{n}"
            yield Reason(condition.name, describe(condition, offer.terms.row), counts[f"n_{n}"], query, near)


def _is_amount(condition: Condition, offer: PublishedOffer) -> TypeGuard[Comparison]:
    return (
        isinstance(condition, Comparison)
        and condition.at_least is not None
        and offer.terms.row.fact(condition.fact).kind == "money"
    )
