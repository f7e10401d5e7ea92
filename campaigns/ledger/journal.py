"""Journal: one append-only entry for each change of state of a grant or coupon, written in the same transaction."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.db import connection
from django.db.models import Max, Model

from campaigns.models import JournalEntry
from campaigns.notifications import outbox
from core.db import bulk_insert
from core.db.pipeline import execute_deferred

ENGINE = "engine"
"""The author (`by`) of entries that follow from facts."""


@dataclass(slots=True, kw_only=True)  # not frozen: that would triple the cost of making one
class NewEntry:
    """An entry to be written: the columns of JournalEntry, then `merchant` and `subject` for the event about it.

    Exactly one of `grant_id` and `coupon_id` is set. `source` is empty when the grant or coupon is created.
    """

    grant_id: int | None = None
    coupon_id: int | None = None
    offer_id: int
    version_id: int
    at: datetime
    source: str
    target: str
    amount: Decimal
    currency: str
    order_no: str = ""
    by: str
    reason: str
    merchant: str = ""
    subject: str = ""


COLUMNS = tuple(field.name for field in fields(NewEntry) if field.name not in ("merchant", "subject"))
_row = attrgetter(*COLUMNS)


def record(entries: Iterable[NewEntry], audience: outbox.Audience | None = None) -> int:
    """Append entries, publish their events, and return their number. Call it in the transaction of the change.

    `audience` saves a query where the caller has asked for that of the merchants concerned.
    """
    entries = list(entries)
    outbox.publish(map(_event, entries), merchants={entry.merchant for entry in entries}, to=audience)
    return bulk_insert.write(JournalEntry._meta.db_table, COLUMNS, list(map(_row, entries)))


def _event(entry: NewEntry) -> outbox.NewEvent:
    return outbox.NewEvent(
        kind=_kind(entry),
        offer_id=entry.offer_id,
        at=entry.at,
        merchant_id=entry.merchant or None,
        subject=entry.subject,
        grant_id=entry.grant_id,
        coupon_id=entry.coupon_id,
        order_no=entry.order_no,
        amount=entry.amount,
        currency=entry.currency,
        reason=entry.reason,
    )


def _kind(entry: NewEntry) -> str:
    """Return the kind of event of an entry: that of its target state, but `granted` for the first state of a grant."""
    if entry.coupon_id is not None:
        return "coupon_returned" if entry.source and entry.target == "issued" else f"coupon_{entry.target}"
    if not entry.source:
        return "granted"
    return "kept" if entry.source == entry.target else entry.target  # an operator kept it after a review


def send_ids(model: type[Model], count: int) -> Callable[[], Sequence[int]]:
    """Ask for `count` fresh primary keys of `model`, for rows that refer to each other before they are written.

    Returns a function that waits for the keys.
    """
    if count == 0:
        return list
    if connection.vendor == "postgresql":
        sequence = f"pg_get_serial_sequence('{model._meta.db_table}', 'id')"
        fetch = execute_deferred(f"SELECT nextval({sequence}) FROM generate_series(1, %s)", [count])  # noqa: S608  own name
        return lambda: [pk for (pk,) in fetch()]
    # SQLite has one writer at a time, and this transaction is it: the next keys are free.
    newest: Any = model._default_manager.aggregate(newest=Max("pk"))["newest"]
    return lambda: range((newest or 0) + 1, (newest or 0) + 1 + count)
