"""Retention: notifications that are done, and old processing runs, can be deleted. Nothing is decided from them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from campaigns.models import Delivery, Message, OutboxEvent, TickRun

BATCH = 1_000
"""Rows deleted in one transaction: nobody waits long for it, and an interrupted purge keeps what it has done."""


@dataclass(frozen=True)
class Purged:
    """Number of rows that were deleted, or that would be, of each kind."""

    deliveries: int
    messages: int
    events: int
    runs: int


def purge(*, before: datetime, dry_run: bool = False) -> Purged:
    """Delete what was recorded before an instant of the host's clock and waits for nothing. Returns how many rows.

    Deliveries that are due, messages to be mailed, events that are not fanned out, and all that names them stay. So do
    messages that an operator wrote, and the latest run. Ledger, audit log, decisions and facts are never touched.
    `dry_run` counts only: events that keep a message or delivery until then are not counted.
    """
    act = _count if dry_run else _delete
    return Purged(
        deliveries=act(Delivery.objects.filter(due_at=None, created_at__lt=before)),
        messages=act(_messages(before)),
        events=act(_events(before)),
        runs=act(TickRun.objects.filter(started_at__lt=before, pk__lt=_latest_run())),
    )


def _messages(before: datetime) -> "QuerySet[Message]":
    """Return the messages of events, and of allowances whose period has ended, that wait for no mail."""
    old = Q(event__recorded_at__lt=before) | Q(allowance__ends_at__lt=before)
    return Message.objects.filter(old).exclude(mail=True, mailed_at=None)


def _events(before: datetime) -> "QuerySet[OutboxEvent]":
    """Return the events recorded before an instant that nothing waits for or names."""
    of_event = {model: Exists(model._default_manager.filter(event=OuterRef("pk"))) for model in (Delivery, Message)}
    events = OutboxEvent.objects.filter(fanned_out=True, recorded_at__lt=before)
    return events.exclude(of_event[Delivery]).exclude(of_event[Message])


def _latest_run() -> int:
    top: Any = TickRun.objects.aggregate(top=Max("pk"))["top"]
    return top or 0


def _count(rows: "QuerySet[Any]") -> int:
    return rows.count()


def _delete(rows: "QuerySet[Any]") -> int:
    """Delete rows in batches, the oldest first."""
    deleted = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        deleted += rows.model._default_manager.filter(pk__in=keys).delete()[0]
    return deleted
