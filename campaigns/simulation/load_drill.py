"""Load drill: many clients claim a copy of an offer at the same time, and the result must be exact.

The claims are of real subjects, by the real code, in isolated tables (`isolated_schema`): nothing is granted.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from time import perf_counter

from django.db import OperationalError, connection

from campaigns.eligibility import claims
from campaigns.engine import instant_claims
from campaigns.models import Decision, Grant, Offer
from campaigns.monitoring import invariants
from campaigns.offers import publishing
from campaigns.offers.published_offers import PublishedOffer
from campaigns.simulation.isolated_tables import isolated_schema
from definitions.parser import CampaignDefinition
from definitions.quotas import Quota

MOST_ATTEMPTS = 5


class DrillError(Exception):
    """The drill cannot run; the text says why. Nothing was changed."""


@dataclass(frozen=True)
class ClaimResult:
    """Outcome of one claim, by name; how many seconds it took; how often it was tried again."""

    outcome: str
    seconds: float
    retries: int


@dataclass(frozen=True, kw_only=True)
class Report:
    """Result of a drill: its settings, the claims, the seconds that all of them took, the invariants violated."""

    limit: int | None
    clients: int
    claims: Sequence[ClaimResult]
    seconds: float
    violations: Sequence[str]

    @property
    def outcomes(self) -> Counter[str]:
        """Number of claims by outcome."""
        return Counter(claim.outcome for claim in self.claims)

    @property
    def retries(self) -> int:
        """Number of retries of all claims."""
        return sum(claim.retries for claim in self.claims)

    @property
    def is_exact(self) -> bool:
        """True when the places, or the claims if they are fewer, were all granted and every invariant holds."""
        expected = len(self.claims) if self.limit is None else min(self.limit, len(self.claims))
        return self.outcomes["granted"] == expected and not self.violations

    def percentile(self, percent: int) -> float:
        """Return the seconds within which `percent` of the claims were decided."""
        ordered = sorted(claim.seconds for claim in self.claims)
        return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]


def drill(offer: PublishedOffer, *, most: int, clients: int, limit: int | None, at: datetime) -> Report:
    """Have `clients` clients claim the offer for up to `most` subjects that meet its conditions as of `at`.

    `limit` replaces the offer's own; its other limits are left out, so that claims compete for the last places.
    Raises DrillError.
    """
    if connection.vendor != "postgresql":
        raise DrillError("A drill needs PostgreSQL: SQLite has one writer, so claims cannot compete.")
    subjects = _subjects(offer, most, at)
    if not subjects:
        raise DrillError(f"No subject meets the conditions of {offer.code} as of {at.isoformat()}.")
    definition = _definition(offer, limit)
    with isolated_schema():
        publishing.publish(definition, source="", at=at, by="drill")
        began = perf_counter()
        results = _claim_all(subjects, clients, of=offer.terms.subject, at=at)
        seconds = perf_counter() - began
        violations = [violation.invariant.name for violation in invariants.check()]
        granted = Grant.objects.exclude(status=Grant.Status.RELEASED).count()
        if granted != Offer.objects.get(code=offer.code).places_taken:
            violations.append("places taken differ from grants")
    return Report(limit=limit, clients=clients, claims=results, seconds=seconds, violations=violations)


def _definition(offer: PublishedOffer, limit: int | None) -> CampaignDefinition:
    terms = offer.terms.model_copy(update={"quota": Quota(limit=limit)})
    code, names = offer.row.campaign.code, offer.terms.names
    return CampaignDefinition.model_construct(campaign=code, names=names, zone="UTC", offers=(terms,))


def _subjects(offer: PublishedOffer, most: int, at: datetime) -> list[str]:
    rows = claims.eligible_claims(offer, claims.subjects(offer).filter(claimed_at__lte=at))
    return list(rows.order_by("claimed_at", "pk").values_list("pk", flat=True)[:most])


def _claim_all(subjects: Sequence[str], clients: int, *, of: str, at: datetime) -> list[ClaimResult]:
    """Claim for all subjects: each client has a connection and takes the next subject; all clients begin together."""
    results: list[ClaimResult] = []
    numbers = count()
    begin = threading.Barrier(clients)

    def run_client() -> None:
        begin.wait()
        while (n := next(numbers)) < len(subjects):
            results.append(_claim(subjects[n], of=of, at=at))

    errors = _run_threads(clients, run_client)
    if errors:
        raise DrillError(f"{len(errors)} clients failed: {errors[0]}") from errors[0]
    return results


def _run_threads(number: int, act: Callable[[], None]) -> list[Exception]:
    """Run `act` in so many threads at once, each with its own connection. Return their exceptions."""
    errors: list[Exception] = []

    def run() -> None:
        try:
            act()
        except Exception as error:  # raised again by the caller, once all threads have ended
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def _claim(subject: str, *, of: str, at: datetime) -> ClaimResult:
    """Claim for a subject, again after a deadlock or a lost connection."""
    began = perf_counter()
    for retries in range(MOST_ATTEMPTS):
        try:
            [decision] = instant_claims.claim_all([subject], of=of, at=at)
        except OperationalError:
            connection.close()
        else:
            return ClaimResult(Decision.Outcome(decision.outcome).name.lower(), perf_counter() - began, retries)
    raise DrillError(f"{subject} got no decision in {MOST_ATTEMPTS} attempts")
