"""The append-only record: one entry for each move of a grant or a coupon, written in the transaction of the move."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Max, Model

from campaigns.models import Entry
from merchants.intake import rows

ENGINE = "engine"


class Move(NamedTuple):
    """One entry, in the order of the table's columns."""

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


def record(moves: Iterable[Move]) -> int:
    """Append entries; returns how many. Belongs into the transaction that makes the moves."""
    return rows.write(Entry._meta.db_table, Move._fields, moves)


def new_ids(model: type[Model], count: int) -> range | list[int]:
    """`count` fresh primary keys of `model`, for rows that refer to each other before they are written."""
    if count == 0:
        return []
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            sequence = f"pg_get_serial_sequence('{model._meta.db_table}', 'id')"
            cursor.execute(f"SELECT nextval({sequence}) FROM generate_series(1, %s)", [count])  # noqa: S608  own table name
            return [row[0] for row in cursor.fetchall()]
    newest: Any = model._default_manager.aggregate(newest=Max("pk"))["newest"]
    return range((newest or 0) + 1, (newest or 0) + 1 + count)
