"""Affected merchants: those whose uses or requests a change may concern, each with the earliest instant of it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, QuerySet, Value

from campaigns.allowances.published import PublishedAllowance, UseGroup
from campaigns.eligibility.changed_facts import changed_keys, changes_of_references, keys_of, merchants_of_changed
from campaigns.eligibility.changes import Changes
from campaigns.eligibility.named_facts import compared, counted, is_of_merchant, measured, rated, states
from campaigns.models import Allowance, UsageDecision
from core.db import temporary_tables
from core.facts import COLLECTIONS, STATES
from definitions import case_numbers
from merchants.models import Merchant, ReferenceValue
from ratings.models import Rating
from rules.conditions import Condition, reference_lists
from services.models import ClaimRequest, Usage

CHUNK = 100
"""Merchants that are processed at once."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
# The first part of a union names its columns.
NO_ROW = "SELECT code, closed_at AS since FROM buyers_buyer WHERE 1 = 0"
Affected = list[tuple[str, str]]
"""Merchants, each with the earliest instant as text: `instant` reads it, so that one that is none fails by itself."""


def merchants(group: UseGroup, changes: Changes, *, again: Mapping[str, datetime]) -> Iterator[Affected]:
    """Yield the affected merchants of a group in chunks, by code. Call it in a transaction.

    Those of `again` are affected from an instant of each, whatever has changed.
    """
    parts = list(_found(group, changes))
    for merchant, since in again.items():
        from_then = Value(since, output_field=DateTimeField())
        row = Merchant.objects.order_by().filter(code=merchant).annotate(since=from_then)
        parts.append(row.values_list("code", "since"))
    table = _materialize(parts)
    last = ""
    while rows := _chunk(table, last):
        yield rows
        last = rows[-1][0]


def of_batches(group: UseGroup, batches: tuple[int, ...], *, until: datetime) -> set[str]:
    """Return the merchants of whom the imports changed something that the group uses. Call it in a transaction."""
    chunks = merchants(group, Changes(until, until, batches), again={})
    return {merchant for chunk in chunks for merchant, _since in chunk}


def _found(group: UseGroup, changes: Changes) -> Iterator["QuerySet[Any, Any]"]:
    yield from _uses(group, changes)
    for allowance in group.collected:
        yield from _requests(allowance, changes)
    for allowance in group.allowances:
        yield from _of_changed_facts(group, allowance, changes)


def _uses(group: UseGroup, changes: Changes) -> Iterator["QuerySet[Any, Any]"]:
    """Yield the merchants with new, cancelled and changed uses."""
    columns = ("merchant_id", "used_at")
    known = Usage.objects.order_by().filter(used_at__lte=changes.until)
    mine = known.filter(group.q())
    decided = UsageDecision.objects.order_by().filter(group.q())
    if changes.since is None:
        yield mine.values_list(*columns)
        yield decided.values_list(*columns)
        return
    yield mine.filter(used_at__gt=changes.since, decision=None).values_list(*columns)
    cancelled = mine.filter(cancelled_at__gt=changes.since, cancelled_at__lte=changes.until)
    yield cancelled.values_list(*columns)
    if changes.batches:
        # Of any name: a use that was corrected may have had this one before.
        yield known.filter(batch__in=changes.batches).values_list(*columns)
        yield decided.filter(usage__batch__in=changes.batches).values_list(*columns)


def _requests(allowance: PublishedAllowance, changes: Changes) -> Iterator["QuerySet[Any, Any]"]:
    """Yield the merchants with new and changed requests for an allowance."""
    columns = ("merchant_id", "requested_at")
    mine = ClaimRequest.objects.order_by().filter(offer=allowance.code, requested_at__lte=changes.until)
    if changes.since is None:
        yield mine.values_list(*columns)
        return
    yield mine.filter(requested_at__gt=changes.since).values_list(*columns)
    if changes.batches:
        yield mine.filter(batch__in=changes.batches).values_list(*columns)
        changed = ClaimRequest.objects.order_by().filter(batch__in=changes.batches).values("pk")
        collected = Allowance.objects.order_by().filter(document=allowance.id, request_no__in=changed)
        yield collected.values_list("merchant_id", "starts_at")


def _of_changed_facts(
    group: UseGroup, allowance: PublishedAllowance, changes: Changes
) -> Iterator["QuerySet[Any, Any]"]:
    """Yield the merchants of whom facts changed that the conditions of an allowance compare: from the beginning."""
    if not changes.batches:
        return
    terms = allowance.terms
    conditions = (*terms.asked, *case_numbers.conditions_of(terms.units))
    if _lists_changed(conditions, changes):
        yield from _uses(group, Changes(None, changes.until))
        if terms.collected:
            yield from _requests(allowance, Changes(None, changes.until))
    beginning = Value(BEGINNING, output_field=DateTimeField())
    for keys in merchants_of_conditions(conditions, changes):
        changed = Merchant.objects.order_by().filter(code__in=keys)
        yield changed.annotate(since=beginning).values_list("code", "since")
    if any(rated(conditions)):
        yield Rating.objects.order_by().filter(batch__in=changes.batches).values_list("merchant_id", "starts_at")
    if terms.collected:
        for q in changes_of_references(terms.row.collection, set(compared(conditions)), changes):
            yield keys_of(ClaimRequest, "merchant_id", q).annotate(since=beginning).values_list("merchant_id", "since")


def merchants_of_conditions(conditions: tuple[Condition, ...], changes: Changes) -> "Iterator[QuerySet[Any, Any]]":
    """Yield the merchants of whom rows changed that conditions use."""
    counts = [*counted(conditions)]
    for measure in measured(conditions):
        counts += [(part.collection.name, set(part.facts())) for part in measure.rows()]
    if any(map(is_of_merchant, compared(conditions))):
        yield from changed_keys(Merchant, "code", changes)
    for name, facts in counts:
        yield from merchants_of_changed(COLLECTIONS[name], facts, changes)
    for name in sorted(set(states(conditions))):
        yield from changed_keys(STATES[name].model, "merchant_id", changes)


def _lists_changed(conditions: tuple[Condition, ...], changes: Changes) -> bool:
    named = reference_lists(conditions)
    return bool(named) and ReferenceValue.objects.filter(batch__in=changes.batches, list_code__in=named).exists()


def _materialize(parts: "list[QuerySet[Any, Any]]") -> str:
    """Store the earliest instant of each merchant in a temporary table and return its name."""
    statements = [NO_ROW]
    parameters: list[Any] = []
    for n, part in enumerate(parts):
        text, values = part.query.get_compiler(connection=connection).as_sql()
        statements.append(f"SELECT * FROM ({text}) AS p{n}")  # noqa: S608  a compiled query
        parameters += values
    union = " UNION ALL ".join(statements)
    earliest = f"SELECT code, MIN(since) AS since FROM ({union}) AS found GROUP BY code"  # noqa: S608  as above
    return temporary_tables.create_as("affected_by_uses", earliest, parameters)


def _chunk(table: str, last: str) -> Affected:
    ordered = 'code COLLATE "C"' if connection.vendor == "postgresql" else "code"
    statement = f"SELECT code, CAST(since AS text) FROM {table} WHERE {ordered} > %s ORDER BY {ordered} LIMIT {CHUNK}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [last])
        return cursor.fetchall()  # type: ignore[no-any-return]


def instant(since: str) -> datetime:
    """Return the instant of an affected merchant. Raises ValueError if the database holds one that cannot be read."""
    at = datetime.fromisoformat(since)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)  # SQLite stores it without a zone
