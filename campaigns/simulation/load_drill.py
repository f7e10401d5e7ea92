"""A rehearsal of the rush: an offer copied aside, real subjects that claim all at once, and a count of what they got.

The copy lives in a schema of its own, which hides the tables that the engine writes from the sessions of the drill
alone; facts are read where they are. Nothing that happens there is ever seen outside, and the schema goes at the end.
"""

import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from time import perf_counter

from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections

from campaigns.allocation.allocator import Outcome
from campaigns.eligibility import claims
from campaigns.engine import instant_claims
from campaigns.models import Grant, Offer
from campaigns.monitoring import invariants
from campaigns.offers import published_offers
from campaigns.offers.published_offers import PublishedOffer
from campaigns.simulation.isolated_tables import ISOLATED_MODELS
from definitions.parser import CampaignDefinition
from imports.models import ImportBatch

TRIES = 5


class DrillError(Exception):
    """The drill cannot be held; the text says why. Nothing was changed."""


@dataclass(frozen=True)
class Report:
    """What came of a drill: `outcomes` by name, how long claims took in seconds, how many were tried again."""

    limit: int | None
    claims: int
    clients: int
    outcomes: dict[str, int]
    seconds: float
    took: Sequence[float]
    retries: int
    violations: Sequence[str]

    @property
    def exact(self) -> bool:
        """Whether as many were granted as there are places, or claims, and every invariant holds."""
        wanted = self.claims if self.limit is None else min(self.limit, self.claims)
        return self.outcomes.get("granted", 0) == wanted and not self.violations

    def slowest(self, part: int) -> float:
        """The time within which so many percent of the claims were decided."""
        ordered = sorted(self.took)
        return ordered[min(len(ordered) * part // 100, len(ordered) - 1)]


def drill(offer: PublishedOffer, *, most: int, clients: int, limit: int | None, at: datetime) -> Report:
    """Have up to `most` subjects that meet the offer's conditions as of `at` claim it with so many clients at once.

    `limit` stands in for the offer's own; the limit per merchant is left out, so that places are what is missed.
    Raises DrillError.
    """
    if connection.vendor != "postgresql":
        raise DrillError("A drill needs PostgreSQL: SQLite has one writer, and nothing to rehearse.")
    subjects = _subjects(offer, most, at)
    if not subjects:
        raise DrillError(f"No subject meets the conditions of {offer.code} as of {at.isoformat()}.")
    text = _text(offer, limit)
    with _aside():
        published_offers.publish(text, source="", at=at, by="drill")
        began = perf_counter()
        outcomes, took, retries = _rush(subjects, clients, of=offer.terms.subject, at=at)
        seconds = perf_counter() - began
        violations = [violation.invariant.name for violation in invariants.check()]
        given = Grant.objects.exclude(status=Grant.Status.RELEASED).count()
        if given != Offer.objects.get(code=offer.code).used:
            violations.append("used is not what was granted")
    return Report(limit, len(subjects), clients, dict(outcomes), seconds, took, retries, violations)


def _text(offer: PublishedOffer, limit: int | None) -> CampaignDefinition:
    quota = offer.terms.quota.model_copy(update={"limit": limit, "per_merchant": None})
    terms = offer.terms.model_copy(update={"quota": quota})
    code, names = offer.row.campaign.code, offer.terms.names
    return CampaignDefinition.model_construct(campaign=code, names=names, zone="UTC", offers=(terms,))


def _subjects(offer: PublishedOffer, most: int, at: datetime) -> list[str]:
    rows = claims.eligible_claims(offer, claims.subjects(offer).filter(claimed_at__lte=at))
    return list(rows.order_by("claimed_at", "pk").values_list("pk", flat=True)[:most])


@contextmanager
def _aside() -> Iterator[None]:
    """A schema with empty copies of the tables that the engine writes, which sessions of this process find first."""
    schema = f"drill_{os.getpid()}"
    options = connections.settings[DEFAULT_DB_ALIAS].setdefault("OPTIONS", {})
    before = options.get("options")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
        for model in ISOLATED_MODELS:
            if model is ImportBatch:  # which no claim writes
                continue
            name = model._meta.db_table
            cursor.execute(f'CREATE TABLE {schema}."{name}" (LIKE public."{name}" INCLUDING ALL)')
    try:
        options["options"] = f"-c search_path={schema},public"
        connection.close()
        if Offer.objects.exists() or Grant.objects.exists():
            raise DrillError("the copies do not hide the tables")
        yield
    finally:
        options.pop("options")
        if before is not None:
            options["options"] = before
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA {schema} CASCADE")


def _rush(subjects: Sequence[str], clients: int, *, of: str, at: datetime) -> tuple[Counter[str], list[float], int]:
    """Each client claims one subject after the other on a connection of its own; all begin together."""
    outcomes: Counter[str] = Counter()
    took: list[float] = []
    again: list[int] = []
    errors: list[Exception] = []
    begin = threading.Barrier(clients)
    numbers = count()

    def claim_some() -> None:
        try:
            begin.wait()
            while (n := next(numbers)) < len(subjects):
                began = perf_counter()
                outcome, tries = _insist(subjects[n], of=of, at=at)
                took.append(perf_counter() - began)
                outcomes[outcome] += 1
                again.append(tries)
        except Exception as error:  # told by who holds the drill
            errors.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=claim_some) for _ in range(clients)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if errors:
        raise DrillError(f"{len(errors)} clients failed: {errors[0]}") from errors[0]
    return outcomes, took, sum(again)


def _insist(subject: str, *, of: str, at: datetime) -> tuple[str, int]:
    """The outcome of a claim, and how often it had to be tried again for a deadlock or a lost connection."""
    for tries in range(TRIES):
        try:
            [decision] = instant_claims.claim(subject, of=of, at=at)
            return Outcome(decision.outcome).name.lower(), tries
        except OperationalError:
            connection.close()
    raise DrillError(f"{subject} got no answer in {TRIES} tries")
