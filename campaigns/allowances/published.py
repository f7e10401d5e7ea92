"""Published allowances, grouped by the use that they allow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from django.db.models import Q, QuerySet

from campaigns.models import UseProgress
from campaigns.offers import documents
from campaigns.offers.documents import VersionInForce
from core.db.compiled_queries import compiled_query, text
from core.db.pipeline import pipeline
from definitions.allowances import AllowanceTerms
from definitions.quotas import PeriodKeys
from rules.periods import bounds_of

KIND = "allowances"
OTHERS = ""
"""Name of the group of all uses that no allowance names."""


@dataclass(frozen=True)
class PublishedAllowance:
    """An allowance with the terms of the version in force."""

    id: int
    version_id: int
    terms: AllowanceTerms
    digest: str

    @property
    def code(self) -> str:
        return self.terms.code

    @cached_property
    def key(self) -> tuple[int, int, str]:
        """Identify the terms: the key of a compiled query made for them."""
        return self.id, self.version_id, self.digest

    @cached_property
    def period_key(self) -> PeriodKeys:
        """Return the function from an instant to the key of its part of the period, None outside."""
        return PeriodKeys(self.terms.in_)

    def start_of(self, at: datetime) -> datetime:
        """Return the start of the part in which `at` lies; outside of the period `at` itself."""
        bounds = bounds_of(self.terms.in_, at)
        return bounds[0] if bounds else at


@dataclass(frozen=True)
class UseGroup:
    """All uses of one name and the allowances of them; with the name OTHERS those that none of `known` names."""

    use: str
    allowances: tuple[PublishedAllowance, ...] = ()
    known: tuple[str, ...] = ()

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Identify the terms: the key of a compiled query made for them."""
        return self.use, self.known, tuple(one.key for one in self.allowances)

    def q(self, column: str = "use") -> Q:
        """Return the filter of the uses of the group."""
        return Q(**{column: self.use}) if self.use else ~Q(**{f"{column}__in": self.known})

    @cached_property
    def collected(self) -> list[PublishedAllowance]:
        """Return the allowances that are collected by request."""
        return [allowance for allowance in self.allowances if allowance.terms.collected]

    @cached_property
    def at_hand(self) -> list[PublishedAllowance]:
        """Return the allowances that are had without a request."""
        return [allowance for allowance in self.allowances if not allowance.terms.collected]

    def since(self, at: datetime) -> datetime:
        """Return the earliest start of the parts of periods in which `at` lies."""
        return min((allowance.start_of(at) for allowance in self.allowances), default=at)


def published() -> list[PublishedAllowance]:
    """Return all published allowances that can be read, by code."""
    return list(_read(documents.send_in_force(KIND)()))


@lru_cache(maxsize=64)
def _read(versions: tuple[VersionInForce, ...]) -> tuple[PublishedAllowance, ...]:
    """Return the allowances of versions, which never change: a process reads them once."""
    return tuple(
        PublishedAllowance(version.document_id, version.version_id, terms, version.digest)
        for version, terms in documents.read_terms(KIND, versions)
        if isinstance(terms, AllowanceTerms)
    )


def groups() -> list[UseGroup]:
    """Return the groups of uses of all published allowances: of each name that one has, then of all others."""
    return send_groups()()


def send_groups() -> Callable[[], list[UseGroup]]:
    """Start the query of `groups` and return a function that waits for the groups."""
    fetch = documents.send_in_force(KIND)
    return lambda: _grouped(fetch())


@lru_cache(maxsize=64)
def _grouped(versions: tuple[VersionInForce, ...]) -> list[UseGroup]:
    by_use: dict[str, list[PublishedAllowance]] = {}
    for allowance in _read(versions):
        by_use.setdefault(allowance.terms.use, []).append(allowance)
    groups = [UseGroup(use, tuple(of_use)) for use, of_use in sorted(by_use.items())]
    return [*groups, UseGroup(OTHERS, known=tuple(sorted(by_use)))]


def hold(uses: Sequence[str]) -> dict[str, datetime | None]:
    """Lock the progress of some uses until the transaction ends; return the instants up to which they were decided.

    A use that had no allowance before starts where the other uses are.
    """
    # By name: all who lock several uses do so in this order, so that none waits for another in a circle.
    rows = UseProgress.objects.select_for_update(no_key=True).filter(use__in=uses).order_by("use")
    held = dict(rows.values_list("use", "decided_until"))
    if missing := [use for use in uses if use not in held]:
        others = UseProgress.objects.filter(use=OTHERS).values_list("decided_until", flat=True).first()
        new = [UseProgress(use=use, decided_until=others) for use in missing]
        UseProgress.objects.bulk_create(new, ignore_conflicts=True)
        held = dict(rows.all().values_list("use", "decided_until"))
    return held


def hold_group(use: str) -> tuple[UseGroup, datetime | None]:
    """Lock the uses of a name until the transaction ends; return their group and until when they were decided."""
    with pipeline():  # the second statement runs with the lock in hand, so it sees allowances published meanwhile
        fetch, fetch_groups = _progress().execute_deferred(use=use), send_groups()
        rows, known = fetch(), fetch_groups()
    group = next((one for one in known if one.use == use), known[-1])
    if group.use == use and rows:
        return group, rows[0][0]
    return group, hold([group.use])[group.use]


@compiled_query
def _progress() -> "QuerySet[UseProgress, Any]":
    rows = UseProgress.objects.select_for_update(no_key=True).filter(use=text("use"))
    return rows.values_list("decided_until")
