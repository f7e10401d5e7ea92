"""What is to be told to those who listen, written in the transaction in which it happens.

Listeners say which merchants they want to hear of. Where nobody listens nothing is written, so that deciding a
million claims costs no more than before.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import QuerySet

from campaigns.models import OutboxEvent
from core.db import bulk_insert
from core.db.compiled_queries import compiled_query


@dataclass(frozen=True)
class Audience:
    """Whom somebody listens for: everything, or the merchants named."""

    everything: bool = False
    merchants: frozenset[str] = frozenset()

    def hears(self, merchant: str) -> bool:
        """Whether somebody listens for what happens to the merchant; empty for what concerns none."""
        return self.everything or merchant in self.merchants

    def __bool__(self) -> bool:
        return self.everything or bool(self.merchants)


class NewEvent(NamedTuple):
    """One event, in the order of the table's columns."""

    kind: str
    offer_id: int
    merchant_id: str
    subject: str
    grant_id: int | None
    coupon_id: int | None
    order_no: str
    at: datetime
    amount: Decimal | None
    currency: str
    reason: str


COLUMNS = (*NewEvent._fields, "spread")
Listener = Callable[[bool], "QuerySet[Any, Any]"]
# Each gives the codes that one kind of listener listens for, NULL for everything: of some `merchants`, or of all.
LISTENERS: list[Listener] = []
FEW = 200


def audience(of: Collection[str] | None = None) -> Audience:
    """Everybody who listens now, for everything or for some of the merchants `of`; for any without them."""
    return send_audience(of)()


def send_audience(of: Collection[str] | None = None) -> Callable[[], Audience]:
    """As `audience`; it is had by calling what is returned."""
    some = of is not None and len(of) <= FEW
    fetch = _listening(some).execute_deferred(merchants=sorted(of or ()) if some else [])

    def hear() -> Audience:
        heard = {merchant for (merchant,) in fetch()}
        return Audience(None in heard, frozenset(heard - {None}))

    return hear


@compiled_query
def _listening(some: bool) -> "QuerySet[Any, Any]":
    first, *others = (listener(some) for listener in LISTENERS)
    return first.union(*others, all=True)


def publish(events: Iterable[NewEvent], *, of: Collection[str] | None = None) -> int:
    """Write the events that somebody wants to hear of; returns how many. `of`: the merchants, where they are known."""
    return 0 if of is not None and not of else tell_those(audience(of), events)


def tell_those(heard: Audience, events: Iterable[NewEvent]) -> int:
    """Write the events that an audience wants to hear of; returns how many."""
    if not heard:
        return 0
    wanted = [
        (*event._replace(merchant_id=event.merchant_id or None), False)  # type: ignore[arg-type]  # NULL in the table
        for event in events
        if heard.hears(event.merchant_id)
    ]
    return bulk_insert.write(OutboxEvent._meta.db_table, COLUMNS, wanted) if wanted else 0
