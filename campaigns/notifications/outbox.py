"""Outbox: events are written in the transaction of the change that they report.

Members and webhooks subscribe to merchants. An event without a subscriber is not written, so that a run that decides
a million claims pays nothing for it. Marks of a quota are always written: operators are told of them, and an offer has
few.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet

from campaigns.models import OutboxEvent
from core.db import bulk_insert
from core.db.compiled_queries import compiled_query


@dataclass(frozen=True)
class Audience:
    """The merchants that somebody subscribes to: all of them (`everything`), or those named."""

    everything: bool = False
    merchants: frozenset[str] = frozenset()

    def includes(self, merchant: str | None) -> bool:
        """Return True if somebody subscribes to the merchant; None stands for events that concern no merchant."""
        return self.everything or merchant in self.merchants

    def __bool__(self) -> bool:
        return self.everything or bool(self.merchants)


@dataclass(slots=True, kw_only=True)  # not frozen: that would triple the cost of making one
class NewEvent:
    """An event to be written: the columns of OutboxEvent."""

    kind: str
    offer_id: int
    at: datetime
    merchant_id: str | None = None
    subject: str = ""
    grant_id: int | None = None
    coupon_id: int | None = None
    order_no: str = ""
    amount: Decimal | None = None
    currency: str = ""
    reason: str = ""
    fanned_out: bool = False


COLUMNS = tuple(field.name for field in fields(NewEvent))
_row = attrgetter(*COLUMNS)
Listener = Callable[[bool], "QuerySet[Any, Any]"]
LISTENERS: list[Listener] = []
"""Queries for the merchants that subscribers of one sort have chosen, NULL for all merchants. The argument says whether
the query is limited to the parameter `merchants`."""
FEW = 200
"""Up to this many merchants the query names them; for more it asks for the merchants of all subscribers."""


def audience(merchants: Collection[str] | None = None) -> Audience:
    """Return the present audience; with `merchants`, at least the part of it that concerns them."""
    return send_audience(merchants)()


def send_audience(merchants: Collection[str] | None = None) -> Callable[[], Audience]:
    """Start the query of `audience` and return a function that waits for its result."""
    limited = merchants is not None and len(merchants) <= FEW
    fetch = _subscribed(limited).execute_deferred(merchants=sorted(merchants or ()) if limited else [])

    def wait() -> Audience:
        codes = {code for (code,) in fetch()}
        return Audience(None in codes, frozenset(codes - {None}))

    return wait


@compiled_query
def _subscribed(limited: bool) -> "QuerySet[Any, Any]":
    first, *others = (listener(limited) for listener in LISTENERS)
    return first.union(*others, all=True)


def publish(events: Iterable[NewEvent], *, merchants: Collection[str] | None = None, to: Audience | None = None) -> int:
    """Write the events that have a subscriber and return their number.

    `merchants` are the merchants of the events, where the caller knows them: it keeps the query for the audience small.
    `to` is the audience, where the caller has asked for it already.
    """
    if to is None:
        if merchants is not None and not merchants:
            return 0
        to = audience(merchants)
    if not to:
        return 0
    rows = [_row(event) for event in events if to.includes(event.merchant_id)]
    return bulk_insert.write(OutboxEvent._meta.db_table, COLUMNS, rows) if rows else 0
