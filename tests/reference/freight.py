"""Offers 5 to 9: express coupons, and reductions of freight."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from tests.reference.allocation import CENT, Claim, percent
from tests.reference.facts import FreightOrder, World, los_angeles, shanghai
from tests.reference.trade import CLOSES, OPENS

EXPRESS_LINES = frozenset(
    "3c-select beauty-select general-select jpkr-select us-3c-select us-charter-select 3c-standard aunz-standard "
    "sea-asia-standard beauty-standard no-volumetric-standard eu-us-standard plant-extract-standard "
    "na-special-standard 3c-economy russia-economy heavy-economy ems-economy eu-3c-economy".split()
)
MULTIMODAL_LINES = frozenset(
    "us-matson-select us-seatruck-ddp-standard us-fastship-ddp-standard us-fastship-economy eu-truck-ddp-select "
    "eu-rail-ddp-economy global-heavy-ddp-economy".split()
)
PARCEL_LINES = frozenset("parcel-general-standard parcel-3c-standard parcel-general-economy parcel-3c-economy".split())
ISSUED_AT, COUPONS_END = los_angeles("2022-10-15"), los_angeles("2022-12-01")
PAID_BY = shanghai("2022-10-16")
SUMMER = shanghai("2022-07-01"), shanghai("2022-09-01")
BEFORE_SEASON = shanghai("2022-06-01"), shanghai("2022-09-01")
CONFIGURED_FROM = los_angeles("2022-08-15")
DEPARTED_BY = los_angeles("2022-11-01")
TIERS = ((Decimal(3000), Decimal(300)), (Decimal(1000), Decimal(100)), (Decimal(500), Decimal(50)))


def _by(instant: datetime | None, at: datetime) -> bool:
    return instant is not None and instant <= at


def coupon_grants(world: World) -> Iterator[Claim]:
    """Offer 5: merchants that shipped five counted orders, as of the day of issue."""
    if world.as_of < ISSUED_AT:
        return
    for merchant, orders in world.freight_of.items():
        valid = [
            order
            for order in orders
            if order.service in ("express", "multimodal")
            and _by(order.shipped, ISSUED_AT)
            and not _by(order.cancelled, ISSUED_AT)
        ]
        shipped = [order.shipped for order in valid if order.shipped is not None]
        counted = sorted(
            order.shipped
            for order in valid
            if order.shipped is not None and OPENS <= order.shipped < CLOSES and order.line in EXPRESS_LINES
        )
        baseline = sum(SUMMER[0] <= at < SUMMER[1] for at in shipped)
        if len(counted) >= 5 and baseline < 10 and world.is_eligible_mainland_member(merchant, ISSUED_AT):
            yield Claim(counted[4], merchant, merchant, Decimal("200.00"), "CNY")


def redeem(world: World, merchants: Iterable[str]) -> tuple[Counter[tuple[str, str]], set[str]]:
    """Coupons of each merchant by status, and every order that a coupon was locked to at its placement."""
    counts: Counter[tuple[str, str]] = Counter()
    asked: set[str] = set()
    for merchant in merchants:
        states = _redeem(world, world.freight_of.get(merchant, []), asked)
        for state in states:
            counts[merchant, state] += 1
    return counts, asked


def _redeem(world: World, orders: list[FreightOrder], asked: set[str]) -> list[str]:
    states, held = ["issued"] * 8, dict[str, int]()
    for at, kind, number in _coupon_events(orders):
        if kind == 1:
            free = next((n for n, state in enumerate(states) if state == "issued"), None)
            if free is not None:
                states[free], held[number] = "locked", free
                asked.add(number)
        elif number in held and kind == 2:
            if at < COUPONS_END:
                states[held[number]] = "redeemed"
        elif number in held:
            coupon = held.pop(number)
            states[coupon] = "issued" if at < COUPONS_END else "expired"
    if world.as_of >= COUPONS_END:
        states = ["expired" if state in ("issued", "locked") else state for state in states]
    return states


def _coupon_events(orders: list[FreightOrder]) -> list[tuple[datetime, int, str]]:
    """Cancellations (0), placements (1) and payments (2) of orders that ask for a coupon and fit it, in order."""
    events = []
    for order in orders:
        fits = order.use_coupon and order.service == "express" and order.freight >= 300 and order.currency == "CNY"
        if not fits or order.placed is None or not ISSUED_AT <= order.placed < COUPONS_END:
            continue
        if not _by(order.cancelled, order.placed):
            events.append((order.placed, 1, order.number))
            if order.paid is not None:
                events.append((order.paid, 2, order.number))
            if order.cancelled is not None:
                events.append((order.cancelled, 0, order.number))
    return sorted(events)


def _paid_in_season(world: World, order: FreightOrder) -> datetime | None:
    """The claim of offers 6 to 8 where window, membership, penalty and cancellation let it pass."""
    at = order.paid
    if at is None or not OPENS <= at < PAID_BY or _by(order.cancelled, at):
        return None
    return at if world.is_eligible_mainland_member(order.merchant, at) else None


def _claim(order: FreightOrder, at: datetime, amount: Decimal) -> Claim:
    room = max(Decimal(0), order.freight - CENT)
    status = "released" if order.cancelled is not None else "settled"
    return Claim(at, order.number, order.merchant, min(amount, room), order.currency, status, order.cancelled)


def multimodal(world: World) -> Iterator[Claim]:
    """Offer 6: 50, 100 or 300 yuan off multimodal freight."""
    for order in world.freight:
        if order.service != "multimodal" or order.line not in MULTIMODAL_LINES or order.currency != "CNY":
            continue
        at = _paid_in_season(world, order)
        off = next((off for start, off in TIERS if order.freight >= start), None)
        if at is None or off is None:
            continue
        used_before = any(
            other.service == "multimodal"
            and other.shipped is not None
            and BEFORE_SEASON[0] <= other.shipped < BEFORE_SEASON[1]
            and other.shipped <= at
            and not _by(other.cancelled, at)
            for other in world.freight_of[order.merchant]
        )
        if not used_before:
            yield _claim(order, at, off)


def charter(world: World, with_coupon: set[str]) -> Iterator[Claim]:
    """Offer 7: 5 % off the charter from 760 yuan, unless a coupon was locked to the order."""
    for order in world.freight:
        if order.line != "us-charter-select" or order.service != "express" or order.freight < 760:
            continue
        at = _paid_in_season(world, order)
        if at is not None and order.number not in with_coupon:
            yield _claim(order, at, percent(order.freight, 5))


def parcel(world: World) -> Iterator[Claim]:
    """Offer 8: 11 % off small parcels, for merchants that have newly configured a parcel line."""
    for order in world.freight:
        if order.service != "small_parcel" or order.line not in PARCEL_LINES:
            continue
        at = _paid_in_season(world, order)
        if at is None:
            continue
        lines = [template for template in world.templates.get(order.merchant, ()) if template.line in PARCEL_LINES]
        before = any(template.configured < CONFIGURED_FROM and template.configured <= at for template in lines)
        since = any(
            CONFIGURED_FROM <= template.configured < CLOSES and template.configured <= at and template.products >= 20
            for template in lines
        )
        if since and not before:
            yield _claim(order, at, percent(order.freight, 11))


def port_to_door(world: World) -> Iterator[Claim]:
    """Offer 9: 100 dollars off US West port to door, settled at departure."""
    for order in world.freight:
        at = order.placed
        if order.service != "sea_fcl" or order.line != "dw-us-west-port-to-door" or not order.promo or at is None:
            continue
        merchant = world.merchants[order.merchant]
        logistics = (merchant.category_l1, merchant.category_l2) == ("Business Services", "Logistics Services")
        granted = (
            OPENS <= at < CLOSES
            and order.currency == "USD"
            and not merchant.partner
            and not logistics
            and not _by(order.cancelled, at)
            and world.is_eligible_mainland_member(order.merchant, at)
        )
        if granted:
            status, released_at = _sea_status(world, order)
            room = max(Decimal(0), order.freight - CENT)
            amount = min(Decimal("100.00"), room)
            yield Claim(at, order.number, order.merchant, amount, "USD", status, released_at)


def _sea_status(world: World, order: FreightOrder) -> tuple[str, datetime | None]:
    departed = order.departed is not None and _by(order.paid, order.departed) and order.departed < DEPARTED_BY
    ends_at = order.departed if departed and order.departed is not None else DEPARTED_BY
    if order.cancelled is not None and order.cancelled < ends_at:
        return "released", order.cancelled
    if ends_at <= world.as_of:
        return ("settled" if departed else "forfeited"), None
    return ("locked" if order.paid is not None else "reserved"), None
