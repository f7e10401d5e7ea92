"""Wallet: a pure function that replays one merchant's coupons for one kind of order over those that ask for one.

Rules: an order locks the oldest issued coupon that fits when it is placed, of equally old ones that of the first offer
by code; its payment within the validity redeems the
coupon; its cancellation, before or after payment, returns it, or expires it once the validity is over. At the end of
validity whatever is issued or locked expires.

At one instant the end of validity comes first (validity is half-open: its end is the first instant at which a coupon
is not valid), then cancellations, so that a returned coupon can be used again at once, then placements by order number,
then payments.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

ISSUED, LOCKED, REDEEMED, EXPIRED = "issued", "locked", "redeemed", "expired"


@dataclass(slots=True)
class Coupon:
    """State of a coupon issued under the version `terms` of `offer`.

    `order` is the order that it is locked to or redeemed on, `face_value` its value while it is on none: 0.00 where it
    sets a price.
    """

    id: int
    offer: str
    terms: int
    status: str
    face_value: Decimal
    issued_at: datetime
    valid_from: datetime
    valid_until: datetime
    value: Decimal = Decimal(0)
    order: str | None = None
    is_new: bool = False

    def open_at(self, at: datetime) -> bool:
        """Return True if the coupon is valid at `at` and was issued by then."""
        return max(self.valid_from, self.issued_at) <= at < self.valid_until

    def take_off(self, at: datetime) -> "Move":
        """Return a locked coupon with its full value to the wallet: its order asks for none any more."""
        move = Move(self, at, self.status, ISSUED, self.face_value, self.order or "")
        self.status, self.value, self.order = ISSUED, self.face_value, None
        return move


@dataclass(frozen=True, slots=True)
class Order:
    """An order that asks for a coupon. `worth` maps each version whose coupons fit to the reduction by one of them.

    `chosen` is the coupon that the merchant chose; without it the order takes the oldest that fits. `asked_at` is when
    a member asked for the coupon, after the placement: the placement decides, the journal tells when it was asked. An
    order that `asks_again` found no coupon before, and takes a new one alone: others were not free when it was placed.
    """

    number: str
    placed_at: datetime
    paid_at: datetime | None
    cancelled_at: datetime | None
    worth: dict[int, Decimal]
    chosen: int | None = None
    asked_at: datetime | None = None
    asks_again: bool = False

    @property
    def is_cancelled_when_placed(self) -> bool:
        """Return True if the order was cancelled no later than placed."""
        return self.cancelled_at is not None and self.cancelled_at <= self.placed_at


@dataclass(frozen=True, slots=True)
class Move:
    """Change of a coupon from the state `source` to `target`. `value` is what the journal moves."""

    coupon: Coupon
    at: datetime
    source: str
    target: str
    value: Decimal
    order: str


@dataclass
class Replay:
    """Result of a replay: moves in order, and the coupon of each newly placed order, None for an order without one."""

    moves: list[Move] = field(default_factory=list)
    attached: dict[str, int | None] = field(default_factory=dict)


END, CANCELLED, PLACED, PAID = 0, 1, 2, 3


def replay(
    coupons: list[Coupon], orders: Iterable[Order], known: set[str], *, since: datetime | None, until: datetime
) -> Replay:
    """Bring the coupons up to `until`, changing them in place.

    `known` are orders whose placement was decided before, for good. A fact dated before `since` that arrived late takes
    effect at `since`: what was decided up to then stays.
    """
    wallet = _Wallet(coupons)
    for event in sorted(_events(coupons, orders, known, since, until), key=lambda event: event[:4]):
        now, at, kind, _number, item = event
        if isinstance(item, Coupon):
            wallet.expire(item)
        elif kind == CANCELLED:
            wallet.give_back(item, at, now)
        elif kind == PLACED:
            wallet.attach(item, now)
        else:
            wallet.redeem(item, at)
    return wallet.result


# The instant at which it takes effect, the instant of the fact, its kind, the key of its coupon or order, and these.
Event = tuple[datetime, datetime, int, str, Coupon | Order]


def _events(
    coupons: list[Coupon], orders: Iterable[Order], known: set[str], since: datetime | None, until: datetime
) -> Iterator[Event]:
    for coupon in coupons:
        if coupon.valid_until <= until:
            yield coupon.valid_until, coupon.valid_until, END, f"{coupon.id:020}", coupon
    for order in orders:
        # A payment dated before the placement redeems nothing: there was no coupon on the order yet.
        paid = order.paid_at if order.paid_at is not None and order.paid_at >= order.placed_at else None
        instants = [(PAID, paid), (CANCELLED, order.cancelled_at)]
        if order.number not in known:
            instants.append((PLACED, order.placed_at))
        for kind, at in instants:
            if at is not None and at <= until:
                yield max(at, since) if since is not None else at, at, kind, order.number, order


class _Wallet:
    def __init__(self, coupons: list[Coupon]) -> None:
        self.coupons = sorted(coupons, key=lambda coupon: (coupon.issued_at, coupon.offer, coupon.id))
        self.result = Replay()

    def _on(self, order: Order) -> Coupon | None:
        return next((coupon for coupon in self.coupons if coupon.order == order.number), None)

    def _move(self, coupon: Coupon, target: str, at: datetime, order: str, value: Decimal) -> None:
        self.result.moves.append(Move(coupon, at, coupon.status, target, value, order))
        coupon.status, coupon.value = target, value
        coupon.order = order if target in (LOCKED, REDEEMED) else None

    def expire(self, coupon: Coupon) -> None:
        """End the validity of a coupon."""
        if coupon.status in (ISSUED, LOCKED):
            self._move(coupon, EXPIRED, coupon.valid_until, coupon.order or "", coupon.face_value)

    def attach(self, order: Order, now: datetime) -> None:
        """Lock the chosen coupon, or the oldest that fits, to a placed order, if there is one."""
        coupon = None if order.is_cancelled_when_placed else self._fitting(order, now)
        self.result.attached[order.number] = coupon.id if coupon else None
        if coupon:
            self._move(coupon, LOCKED, order.asked_at or order.placed_at, order.number, order.worth[coupon.terms])

    def _fitting(self, order: Order, now: datetime) -> Coupon | None:
        for coupon in self.coupons:
            usable = coupon.open_at(order.placed_at) and coupon.open_at(now)
            wanted = order.chosen in (None, coupon.id) and (coupon.is_new or not order.asks_again)
            if wanted and coupon.status == ISSUED and coupon.terms in order.worth and usable:
                return coupon
        return None

    def redeem(self, order: Order, at: datetime) -> None:
        """Redeem the coupon of a paid order, if it is valid."""
        coupon = self._on(order)
        if coupon and coupon.status == LOCKED and coupon.open_at(at):
            self._move(coupon, REDEEMED, at, order.number, coupon.value)

    def give_back(self, order: Order, at: datetime, now: datetime) -> None:
        """Return the coupon of a cancelled order, or expire it if its validity is over by `now`."""
        coupon = self._on(order)
        if coupon:
            target = ISSUED if now < coupon.valid_until else EXPIRED
            when = at if target == ISSUED else max(at, coupon.valid_until)
            self._move(coupon, target, when, order.number, coupon.face_value)
