"""What becomes of coupons: a pure fold over one merchant's coupons and the orders that ask for one.

programs.md, section 5, offer 5, and section 7. At one instant cancellations come first, then placements by order
number, then payments; the end of validity comes before all of them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

ISSUED, LOCKED, REDEEMED, EXPIRED = "issued", "locked", "redeemed", "expired"


@dataclass(slots=True)
class Coupon:
    """A coupon as it stands, issued under `terms`. `order` is the order it is locked to or was redeemed on."""

    id: int
    terms: int
    status: str
    face_value: Decimal
    issued_at: datetime
    valid_from: datetime
    valid_until: datetime
    number: int
    value: Decimal = Decimal(0)
    order: str | None = None

    def open_at(self, at: datetime) -> bool:
        """Whether `at` lies in its validity, and not before it was issued."""
        return max(self.valid_from, self.issued_at) <= at < self.valid_until


@dataclass(frozen=True, slots=True)
class Order:
    """An order that asks for a coupon; `worth` is what a coupon would take off under each terms that fit."""

    number: str
    placed_at: datetime
    paid_at: datetime | None
    cancelled_at: datetime | None
    worth: dict[int, Decimal]


@dataclass(frozen=True, slots=True)
class Move:
    """A coupon went from one state to the next."""

    coupon: Coupon
    at: datetime
    source: str
    target: str
    value: Decimal
    order: str


@dataclass
class Spent:
    """What the fold found: moves in order, and which coupon each newly placed order got, if any."""

    moves: list[Move] = field(default_factory=list)
    attached: dict[str, int | None] = field(default_factory=dict)


END, CANCELLED, PLACED, PAID = 0, 1, 2, 3


def replay(
    coupons: list[Coupon], orders: Iterable[Order], known: set[str], *, since: datetime | None, until: datetime
) -> Spent:
    """Bring the coupons up to `until`. They are changed in place.

    `known` are orders whose placement was decided before, for good. What is dated at or before `since` and was told
    late happens then.
    """
    wallet = _Wallet(coupons)
    for event in sorted(_events(coupons, orders, known, since, until), key=lambda event: event[:4]):
        now, at, kind, _number, what = event
        if isinstance(what, Coupon):
            wallet.end(what)
        elif kind == CANCELLED:
            wallet.give_back(what, at, now)
        elif kind == PLACED:
            wallet.attach(what, now)
        else:
            wallet.redeem(what, at)
    return wallet.spent


# When it counts, when it happened, what kind it is, of which coupon or order.
Event = tuple[datetime, datetime, int, str, Coupon | Order]


def _events(
    coupons: list[Coupon], orders: Iterable[Order], known: set[str], since: datetime | None, until: datetime
) -> Iterator[Event]:
    for coupon in coupons:
        if coupon.valid_until <= until:
            yield coupon.valid_until, coupon.valid_until, END, f"{coupon.id:020}", coupon
    for order in orders:
        paid = order.paid_at if order.paid_at is not None and order.paid_at >= order.placed_at else None
        instants = [(PAID, paid), (CANCELLED, order.cancelled_at)]  # what was paid before it was placed redeems nothing
        if order.number not in known:
            instants.append((PLACED, order.placed_at))
        for kind, at in instants:
            if at is not None and at <= until:
                yield max(at, since) if since is not None else at, at, kind, order.number, order


class _Wallet:
    def __init__(self, coupons: list[Coupon]) -> None:
        self.coupons = sorted(coupons, key=lambda coupon: (coupon.issued_at, coupon.id))
        self.spent = Spent()

    def _on(self, order: Order) -> Coupon | None:
        return next((coupon for coupon in self.coupons if coupon.order == order.number), None)

    def _move(self, coupon: Coupon, target: str, at: datetime, order: str, value: Decimal) -> None:
        self.spent.moves.append(Move(coupon, at, coupon.status, target, value, order))
        coupon.status, coupon.value = target, value
        coupon.order = order if target in (LOCKED, REDEEMED) else None

    def end(self, coupon: Coupon) -> None:
        """The validity is over."""
        if coupon.status in (ISSUED, LOCKED):
            self._move(coupon, EXPIRED, coupon.valid_until, coupon.order or "", coupon.face_value)

    def attach(self, order: Order, now: datetime) -> None:
        """The order was placed: it locks the oldest coupon that fits, if any."""
        cancelled = order.cancelled_at is not None and order.cancelled_at <= order.placed_at
        coupon = None if cancelled else self._fitting(order, now)
        self.spent.attached[order.number] = coupon.id if coupon else None
        if coupon:
            self._move(coupon, LOCKED, order.placed_at, order.number, min(order.worth[coupon.terms], coupon.face_value))

    def _fitting(self, order: Order, now: datetime) -> Coupon | None:
        for coupon in self.coupons:
            usable = coupon.open_at(order.placed_at) and coupon.open_at(now)
            if coupon.status == ISSUED and coupon.terms in order.worth and usable:
                return coupon
        return None

    def redeem(self, order: Order, at: datetime) -> None:
        """The order was paid."""
        coupon = self._on(order)
        if coupon and coupon.status == LOCKED and coupon.open_at(at):
            self._move(coupon, REDEEMED, at, order.number, coupon.value)

    def give_back(self, order: Order, at: datetime, now: datetime) -> None:
        """The order was cancelled: its coupon comes back, or expires where its validity is over by `now`."""
        coupon = self._on(order)
        if coupon:
            target = ISSUED if coupon.open_at(now) else EXPIRED
            when = at if target == ISSUED else max(at, coupon.valid_until)
            self._move(coupon, target, when, order.number, coupon.face_value)
