"""Orders that count towards an n-th one: those that do, and those that will once something has happened."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Any

from django.utils.translation import gettext as _

from campaigns.eligibility import claims
from campaigns.eligibility.requirements import requirement
from campaigns.offers.published_offers import PublishedOffer
from core.facts import Fact
from dashboard.offer_results import latest
from definitions.claim_terms import Nth
from rules.comparisons import Comparison
from rules.query_row import QueryRow, as_boolean
from rules.sentences import describe_event


@dataclass(frozen=True)
class Counted:
    """An offer that an order counts towards, now or once the events have happened."""

    offer: PublishedOffer
    events: tuple[Fact, ...] = ()

    @property
    def label(self) -> str:
        """`Counts towards:`, or `Counts once shipped:`."""
        if not self.events:
            return _("Counts towards:")
        joined = reduce(
            lambda first, then: _("%(first)s and %(then)s") % {"first": first, "then": then},
            map(describe_event, self.events),
        )
        return _("Counts once %(event)s:") % {"event": joined}


def awaited(nth: Nth, keys: Sequence[str], *, at: datetime) -> dict[str, tuple[Fact, ...]]:
    """Return, by the key of each row that counts towards an n-th or still can, the events that it waits for.

    No events: it counts as of `at`. One query.
    """
    row = replace(nth.row, at=claims.constant(at))
    columns: dict[str, Any] = {"counts_at": row.expression(nth.at)}
    for n, condition in enumerate(nth.where):
        columns |= {f"passed_{n}": as_boolean(condition.q(row)), f"found_{n}": condition.observed(row)}
    rows = row.collection.model._default_manager.filter(pk__in=keys).annotate(**columns).values("pk", *columns)
    found = {values["pk"]: list(_awaited(nth, row, values, at)) for values in rows}
    return {key: tuple(dict.fromkeys(filter(None, events))) for key, events in found.items() if None not in events}


def _awaited(nth: Nth, row: QueryRow, values: dict[str, Any], at: datetime) -> Iterator[Fact | None]:
    """Yield each event that a row waits for; None where it cannot count any more."""
    for n, condition in enumerate(nth.where):
        if not values[f"passed_{n}"]:
            yield row.fact(condition.fact) if _may_happen(condition, row, values[f"found_{n}"], at) else None
    if values["counts_at"] is None or values["counts_at"] > at:
        yield row.fact(nth.at)


def _may_happen(condition: Comparison, row: QueryRow, found: object, at: datetime) -> bool:
    """Return whether a comparison failed only because an instant has not happened, and may still happen in time."""
    fact = row.fact(condition.fact)
    if fact.kind != "instant" or condition.happened is False or (isinstance(found, datetime) and found <= at):
        return False
    asked = requirement(condition, fact)
    end = latest(asked.operator, asked.value)
    return end is None or at < end
