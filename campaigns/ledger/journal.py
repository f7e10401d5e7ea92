"""The append-only record: one entry for each move of a grant or a coupon, written in the transaction of the move."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Max, Model

from campaigns.models import JournalEntry
from campaigns.notifications import outbox
from core.db import bulk_insert
from core.db.pipeline import execute_deferred

ENGINE = "engine"


class NewEntry(NamedTuple):
    """One entry, in the order of the table's columns; then whom and what it is about, for those who listen."""

    grant_id: int | None
    coupon_id: int | None
    offer_id: int
    version_id: int
    at: datetime
    source: str
    target: str
    amount: Decimal
    currency: str
    order_no: str
    by: str
    reason: str
    merchant: str = ""
    subject: str = ""


COLUMNS = NewEntry._fields[:-2]


def record(moves: Iterable[NewEntry], heard: outbox.Audience | None = None) -> int:
    """Append entries and tell those who listen; returns how many. Belongs into the transaction that makes the moves.

    `heard` is who listens for the merchants concerned, where that was asked already.
    """
    moves = list(moves)
    if heard is None:
        outbox.publish(map(_event, moves), of={move.merchant for move in moves})
    else:
        outbox.tell_those(heard, map(_event, moves))
    return bulk_insert.write(JournalEntry._meta.db_table, COLUMNS, [move[: len(COLUMNS)] for move in moves])


def _event(move: NewEntry) -> outbox.NewEvent:
    return outbox.NewEvent(
        _kind(move), move.offer_id, move.merchant, move.subject, move.grant_id, move.coupon_id, move.order_no,
        move.at, move.amount, move.currency, move.reason,
    )  # fmt: skip


def _kind(move: NewEntry) -> str:
    """What a move is called by those who listen: a grant is granted first, then settled, released, …"""
    if move.coupon_id is not None:
        return f"coupon_{'returned' if move.source and move.target == 'issued' else move.target}"
    return "granted" if not move.source else "kept" if move.source == move.target else move.target


def send_ids(model: type[Model], count: int) -> Callable[[], Sequence[int]]:
    """`count` fresh primary keys of `model`, for rows that refer to each other before they are written.

    They are had by calling what is returned.
    """
    if count == 0:
        return list
    if connection.vendor == "postgresql":
        sequence = f"pg_get_serial_sequence('{model._meta.db_table}', 'id')"
        fetch = execute_deferred(f"SELECT nextval({sequence}) FROM generate_series(1, %s)", [count])  # noqa: S608  own name
        return lambda: [pk for (pk,) in fetch()]
    newest: Any = model._default_manager.aggregate(newest=Max("pk"))["newest"]
    return lambda: range((newest or 0) + 1, (newest or 0) + 1 + count)
