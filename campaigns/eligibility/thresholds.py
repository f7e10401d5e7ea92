"""Which orders count towards a merchant's threshold and which come after it: a pure fold over its receipts.

programs.md, section 5, offer 1, and section 7. All receipts given belong to one merchant and to orders that count.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money booked against an order at `booked_at`, in the window; cancelled later, earlier, or not."""

    order: str
    number: str
    amount: Decimal
    booked_at: datetime
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    """What an order is since its first booking `at`, and the merchant's sum just before it was judged."""

    order: str
    candidate: bool
    at: datetime
    judged_at: datetime
    total: Decimal


def total(receipts: Iterable[Receipt], *, height: Decimal, until: datetime, known: Mapping[str, Tag]) -> Decimal:
    """The sum by which an order first booked just after `until` would be judged."""
    next_order = Receipt("\U0010ffff", "", Decimal(0), until)
    tags = fold([*receipts, next_order], height=height, until=until, known=known)
    return next(tag.total for tag in tags if tag.order == next_order.order)


CANCELLED, BOOKED, LATE = 0, 1, 2
Event = tuple[datetime, int, str, datetime, str, Receipt]


def fold(
    receipts: Iterable[Receipt],
    *,
    height: Decimal,
    until: datetime,
    known: Mapping[str, Tag],
    since: datetime | None = None,
) -> list[Tag]:
    """The tag of each order, as its receipts give it now.

    `known` are tags given before: they decide which receipts add, whatever the receipts say now. Orders not known
    whose first booking lies at or before `since` were told late: they are judged after everything up to then. At one
    instant cancellations come first, then bookings by order and receipt number.
    """
    tags: dict[str, Tag] = {}
    added: set[str] = set()
    total = Decimal(0)
    for at, kind, _order, _booked, _number, receipt in _events(receipts, until, known, since):
        if kind == CANCELLED:
            if receipt.number in added:
                total -= receipt.amount
            continue
        tag = tags.setdefault(receipt.order, Tag(receipt.order, total >= height, receipt.booked_at, at, total))
        lives = receipt.cancelled_at is None or receipt.cancelled_at > at
        if lives and not known.get(receipt.order, tag).candidate:
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
