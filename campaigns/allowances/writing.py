"""Writing: store what a settlement changes, with its journal, by statements that the database guards."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from django.db import connection
from django.db.models import F

from campaigns.allocation.uses import Key, Outcome
from campaigns.allowances.collecting import Collected
from campaigns.allowances.settling import RecordedUse, Settlement
from campaigns.ledger.journal import ENGINE
from campaigns.models import Allowance, AllowanceEntry, DocumentVersion, UsageDecision
from core.db import bulk_insert, bulk_update
from core.db.pipeline import execute

Kind = AllowanceEntry.Kind
# Added to what is stored, not to what was read: two writers cannot overspend together.
ADD = f"""
    UPDATE {Allowance._meta.db_table} AS a SET used = a.used + CAST(added.value AS bigint)
    FROM {{each}}(%s) AS added WHERE a.id = CAST(added.key AS bigint)
"""  # noqa: S608  own name
CORRECTED = "facts were corrected"
ENTRY = ("document_id", "version_id", "merchant_id", "period", "kind", "units", "reference", "at", "by", "reason")
DECISION = (
    "usage_id", "merchant_id", "use", "used_at", "result", "document_id", "period", "taken", "returned", "returned_at"
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Journal entry to be written: the columns of AllowanceEntry."""

    document_id: int
    version_id: int
    merchant_id: str
    period: str
    kind: str
    units: int
    reference: str
    at: datetime
    by: str
    reason: str = ""


def store(settlement: Settlement, *, at: datetime, by: str = ENGINE) -> int:
    """Store a settlement and return the number of decisions that changed. Call it in the transaction that decided it.

    Raises IntegrityError if an allowance would be overspent, whatever was computed.
    """
    entries = list(Journal(settlement, at=at, by=by).entries())
    _store_allowances(settlement)
    _store_decisions(settlement.decided)
    bulk_insert.write(AllowanceEntry._meta.db_table, ENTRY, list(map(attrgetter(*ENTRY), entries)))
    return len(settlement.decided)


def _store_allowances(settlement: Settlement) -> None:
    if gone := [row.pk for place, row in settlement.rows.items() if place not in settlement.balances]:
        Allowance.objects.filter(pk__in=gone).delete()
    new: list[Allowance] = []
    added: dict[str, int] = {}
    for (merchant, key), balance in settlement.balances.items():
        made = _row(settlement, merchant, key)
        row = settlement.rows.get((merchant, key))
        if row is None:
            new.append(made)
        elif (row.units, row.version_id, row.request_no) != (made.units, made.version_id, made.request_no):
            # Units and use change together, so that the row is within its units at every instant.
            Allowance.objects.filter(pk=row.pk).update(
                used=F("used") + balance.used - row.used,
                units=made.units,
                version=made.version_id,
                request_no=made.request_no,
                collected_at=made.collected_at,
            )
        elif balance.used != row.used:
            added[str(row.pk)] = balance.used - row.used
    if added:
        each = "json_each_text" if connection.vendor == "postgresql" else "json_each"
        # In the order of the rows, so that two writers lock them in one order.
        execute(ADD.format(each=each), [json.dumps(dict(sorted(added.items())))])
    Allowance.objects.bulk_create(new, batch_size=1_000)


def _row(settlement: Settlement, merchant: str, key: Key) -> Allowance:
    balance = settlement.balances[merchant, key]
    collected, row = settlement.collected.get((merchant, key)), settlement.rows.get((merchant, key))
    version = settlement.versions[key[0]]
    if collected is not None:
        version = collected.version_id
    elif row is not None and row.units == balance.units:
        version = row.version_id
    return Allowance(
        document_id=key[0],
        version_id=version,
        merchant_id=merchant,
        period=key[1],
        starts_at=balance.starts_at,
        ends_at=balance.ends_at,
        units=balance.units,
        used=balance.used,
        request_no=collected.request_no if collected else "",
        collected_at=collected.at if collected else None,
    )


def _store_decisions(decided: list[tuple[RecordedUse, Outcome]]) -> None:
    new = [_decision(use, outcome) for use, outcome in decided if use.stored is None]
    changed = [_decision(use, outcome) for use, outcome in decided if use.stored is not None]
    values = [tuple(getattr(row, name) for name in DECISION) for row in new]
    bulk_insert.write(UsageDecision._meta.db_table, DECISION, values)
    if changed:
        bulk_update.save(changed, [name.removesuffix("_id") for name in DECISION if name != "usage_id"])


def decisions(settlement: Settlement) -> dict[str, UsageDecision]:
    """Return the decisions of a settlement by the number of the use."""
    return {use.number: _decision(use, outcome) for use, outcome in settlement.decided}


def _decision(use: RecordedUse, outcome: Outcome) -> UsageDecision:
    document, period = outcome.key or (None, "")
    return UsageDecision(
        usage_id=use.number,
        merchant_id=use.merchant,
        use=use.use,
        used_at=use.used_at,
        result=outcome.result,
        document_id=document,
        period=period,
        taken=outcome.taken,
        returned=outcome.returned,
        returned_at=outcome.returned_at,
    )


class Journal:
    """Entries of a settlement, recorded by `by`; corrections happen at the instant `at`."""

    def __init__(self, settlement: Settlement, *, at: datetime, by: str) -> None:
        self.settlement, self.at, self.by = settlement, at, by

    def entries(self) -> Iterator[Entry]:
        """Yield the entries of what was collected, then of the uses."""
        yield from self._collected()
        for use, outcome in self.settlement.decided:
            yield from self._used(use, outcome)

    def _collected(self) -> Iterator[Entry]:
        rows, collected = self.settlement.rows, self.settlement.collected
        changed = {
            place for place in {*rows, *collected} if _request(rows.get(place)) != _request(collected.get(place))
        }
        for merchant, key in sorted(changed):
            row, one = rows.get((merchant, key)), collected.get((merchant, key))
            if row is not None and row.request_no:
                yield self._entry(
                    merchant, key, row.version_id, Kind.COLLECTED, -row.units, row.request_no, reason=CORRECTED
                )
            if one is not None:
                yield self._entry(merchant, key, one.version_id, Kind.COLLECTED, one.units, one.request_no, at=one.at)

    def _used(self, use: RecordedUse, new: Outcome) -> Iterator[Entry]:
        after = _decision(use, new)
        old = use.stored if use.stored and use.stored.document_id is not None else None
        moved = old is None or _taken(old) != _taken(after)
        returned = old.returned if old is not None else 0
        if old is not None and moved and old.taken:
            yield self._of_use(old, Kind.USED, -old.taken, reason=CORRECTED)
        if old is not None and returned and (moved or returned != new.returned):
            yield self._of_use(old, Kind.RETURNED, -returned, reason=CORRECTED)
        if new.taken and moved:
            yield self._of_use(after, Kind.USED, new.taken, at=use.used_at)
        if new.returned and (moved or returned != new.returned):
            yield self._of_use(after, Kind.RETURNED, new.returned, at=new.returned_at)

    def _of_use(
        self, row: UsageDecision, kind: str, units: int, *, at: datetime | None = None, reason: str = ""
    ) -> Entry:
        assert row.document_id is not None
        key = (row.document_id, row.period)
        version = self._version(row.merchant_id, key)
        return self._entry(row.merchant_id, key, version, kind, units, row.usage_id, at=at, reason=reason)

    def _version(self, merchant: str, key: Key) -> int:
        """Return the version of the allowance; of one of another use, before the use was corrected, that of its row."""
        if one := self.settlement.collected.get((merchant, key)):
            return one.version_id
        if row := self.settlement.rows.get((merchant, key)):
            return row.version_id
        if key[0] in self.settlement.versions:
            return self.settlement.versions[key[0]]
        return DocumentVersion.objects.filter(document=key[0]).latest("number").pk

    def _entry(  # noqa: PLR0917  the columns in their order
        self,
        merchant: str,
        key: Key,
        version: int,
        kind: str,
        units: int,
        reference: str,
        *,
        at: datetime | None = None,
        reason: str = "",
    ) -> Entry:
        return Entry(
            document_id=key[0],
            version_id=version,
            merchant_id=merchant,
            period=key[1],
            kind=kind,
            units=units,
            reference=reference,
            at=at or self.at,
            by=self.by,
            reason=reason,
        )


def _request(one: Allowance | Collected | None) -> tuple[str, int] | None:
    return (one.request_no, one.units) if one is not None and one.request_no else None


def _taken(row: UsageDecision) -> tuple[int | None, str, str, int]:
    return row.document_id, row.merchant_id, row.period, row.taken
