"""Thresholds: a pure function that tags one merchant's orders by the sum of its receipts.

Rules: receipts add up in the order of booking. An order is tagged when its first receipt is booked: a threshold order
while the sum is below the height, else a candidate. The order that carries the sum across the height is still a
threshold order. A receipt of a threshold order adds when booked and leaves the sum when cancelled; receipts of
candidates never count. If the sum falls below the height, later orders are threshold orders again. A tag never changes.

At one instant cancellations come first, then bookings by order and receipt number. So a receipt that was cancelled no
later than it was booked tags its order and never adds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Receipt:
    """Receipt in USD, booked at `booked_at`. `cancelled_at` may be later, earlier, or None."""

    order: str
    number: str
    amount: Decimal
    booked_at: datetime
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    """Tag of an order since its first booking at `at`.

    `total` is the sum just before `judged_at`: the first booking, or later where the receipt arrived late.
    """

    order: str
    candidate: bool
    at: datetime
    judged_at: datetime
    total: Decimal


def total(receipts: Iterable[Receipt], *, height: Decimal, until: datetime, known: Mapping[str, Tag]) -> Decimal:
    """Return the sum by which an order first booked just after `until` would be tagged."""
    next_order = Receipt("\U0010ffff", "", Decimal(0), until)  # the highest number: after all others at this instant
    tags = tag_orders([*receipts, next_order], height=height, until=until, known=known)
    return next(tag.total for tag in tags if tag.order == next_order.order)


CANCELLED, BOOKED, LATE = 0, 1, 2
Event = tuple[datetime, int, str, datetime, str, Receipt]


def tag_orders(
    receipts: Iterable[Receipt],
    *,
    height: Decimal,
    until: datetime,
    known: Mapping[str, Tag],
    since: datetime | None = None,
) -> list[Tag]:
    """Return the tag of each order as its receipts would give it now.

    `known` are tags given before: they decide which receipts add, whatever the receipts say now. Orders without a tag
    whose first booking lies at or before `since` arrived late: they are tagged after everything up to then.
    """
    tags, added, total = dict[str, Tag](), set[str](), Decimal(0)
    for at, kind, *_, receipt in _events(receipts, until, known, since):
        if kind == CANCELLED:
            if receipt.number in added:
                total -= receipt.amount
            continue
        tag = tags.setdefault(receipt.order, Tag(receipt.order, total >= height, receipt.booked_at, at, total))
        is_live = receipt.cancelled_at is None or receipt.cancelled_at > at
        if is_live and not known.get(receipt.order, tag).candidate:
            added.add(receipt.number)
            total += receipt.amount
    return list(tags.values())


def _events(
    receipts: Iterable[Receipt], until: datetime, known: Mapping[str, Tag], since: datetime | None
) -> list[Event]:
    events: list[Event] = []
    for receipt in receipts:
        booked = receipt.booked_at
        if booked <= until:
            judged = known[receipt.order].judged_at if receipt.order in known else since
            late = judged is not None and (booked < judged if receipt.order in known else booked <= judged)
            at, kind = (judged, LATE) if late and judged else (booked, BOOKED)
            events.append((at, kind, receipt.order, booked, receipt.number, receipt))
        if receipt.cancelled_at is not None and receipt.cancelled_at <= until:
            events.append((receipt.cancelled_at, CANCELLED, receipt.order, booked, receipt.number, receipt))
    return sorted(events, key=lambda event: event[:5])
