"""Offers 1 to 4: service fee, open account fee, Easy Return premium, first financing draw."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tests.reference.allocation import CENT, Claim, percent
from tests.reference.facts import SHANGHAI, Receipt, TradeOrder, World, los_angeles, shanghai

OPENS, CLOSES = los_angeles("2022-09-01"), los_angeles("2022-10-01")
HEIGHT = Decimal(40_000)
PRODUCTS = ("trade_assurance", "e_collection")
DISCOUNTED_MODES = ("onetouch_agency", "market_procurement", "self_operated")
COUNTED_MODES = (*DISCOUNTED_MODES, "convenient_shipping")
FULFILLED_BY = los_angeles("2023-01-01")
DESTINATIONS = ("US", "GB", "DE", "AU", "CA", "NL", "IT", "RU")


def _by(instant: datetime | None, at: datetime) -> bool:
    return instant is not None and instant <= at


def first_payments(world: World) -> dict[str, datetime]:
    """The earliest booked receipt of kind `first` of each order, also when it was cancelled later."""
    return {
        order: min(firsts)
        for order, receipts in world.receipts.items()
        if (firsts := [receipt.booked for receipt in receipts if receipt.kind == "first"])
    }


def candidates(world: World) -> Iterator[tuple[TradeOrder, datetime]]:
    """Orders first booked while their merchant's threshold orders stood at 40,000.00 or more, with that instant."""
    events: dict[str, list[tuple[datetime, int, str, str, Receipt]]] = defaultdict(list)
    for number, receipts in world.receipts.items():
        order = world.trade_orders[number]
        if order.mode not in COUNTED_MODES or order.product not in PRODUCTS:
            continue
        for receipt in receipts:
            if OPENS <= receipt.booked < CLOSES:
                events[order.merchant].append((receipt.booked, 1, number, receipt.number, receipt))
                if receipt.cancelled is not None and receipt.cancelled > receipt.booked:
                    events[order.merchant].append((receipt.cancelled, 0, number, receipt.number, receipt))
    for of_merchant in events.values():
        yield from _candidates(world, sorted(of_merchant, key=lambda event: event[:4]))


def _candidates(
    world: World, events: list[tuple[datetime, int, str, str, Receipt]]
) -> Iterator[tuple[TradeOrder, datetime]]:
    total, counted = Decimal(0), {}
    for at, is_booking, number, _receipt, receipt in events:
        if is_booking and number not in counted:
            counted[number] = total < HEIGHT
            if not counted[number]:
                yield world.trade_orders[number], at
        adds = counted.get(number) and not _by(receipt.cancelled, receipt.booked)
        if adds:
            total += receipt.amount if is_booking else -receipt.amount


def service_fee(world: World) -> Iterator[Claim]:
    """Offer 1: half the service fee of candidates."""
    first = first_payments(world)
    for order, at in candidates(world):
        settles_at = _settlement(order)
        refused = (
            order.mode not in DISCOUNTED_MODES
            or order.payment in ("TALC", "TAPLC", "TAOLC")
            or world.has_package(order.merchant, "onetouch_3n", at)
            or _by(first.get(order.number), OPENS - timedelta(microseconds=1))
            or _by(order.cancelled, at)
            or _by(order.abnormal, at)
            or (order.mode == "onetouch_agency" and order.cleared is not None and order.cleared < at)
            or (settles_at is not None and settles_at < at)
        )
        if not refused:
            status = _service_fee_status(world, order, settles_at)
            released_at = order.cancelled if status == "released" else None
            yield Claim(at, order.number, order.merchant, percent(order.fee, 50), "USD", status, released_at)


def _settlement(order: TradeOrder) -> datetime | None:
    if order.mode != "onetouch_agency":
        return order.completed
    if order.port_data is None:
        return None
    day = order.port_data.astimezone(SHANGHAI).date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


def _service_fee_status(world: World, order: TradeOrder, settles_at: datetime | None) -> str:
    fulfilled = order.cleared if order.mode == "onetouch_agency" else order.shipped
    in_time = fulfilled is not None and fulfilled < FULFILLED_BY
    ends_at = settles_at if in_time else min(settles_at or FULFILLED_BY, FULFILLED_BY)
    if ends_at is not None and ends_at > world.as_of:
        ends_at = None
    stops = [(at, word) for at, word in ((order.cancelled, "released"), (order.abnormal, "revoked")) if at is not None]
    stops = [(at, word) for at, word in stops if ends_at is None or at < ends_at]
    if stops:
        return min(stops, key=lambda stop: (stop[0], stop[1] == "revoked"))[1]
    if ends_at is None:
        return "locked"
    held = in_time and ends_at == settles_at and fulfilled is not None and fulfilled <= ends_at
    return "settled" if held and world.is_member(order.merchant, ends_at) else "forfeited"


def open_account(world: World) -> Iterator[Claim]:
    """Offer 2: the open account fee waived."""
    first, paid_by = first_payments(world), los_angeles("2022-11-01")
    for order in world.trade_orders.values():
        paid = first.get(order.number)
        if order.oa_mode != "platform_insured" or order.confirmed is None or paid is None:
            continue
        at = max(order.confirmed, paid)
        granted = (
            order.product == "trade_assurance"
            and order.mode in ("self_operated", "onetouch_agency")
            and order.drafted is not None
            and OPENS <= order.drafted < CLOSES
            and order.drafted <= at
            and OPENS <= order.confirmed < CLOSES
            and paid < paid_by
            and not _by(order.cancelled, at)
            and not _by(order.abnormal, at)
        )
        if granted:
            waived = (order.amount * 3 / 1000).quantize(CENT, ROUND_HALF_UP)
            yield Claim(at, order.number, order.merchant, waived, "USD")


def easy_return(world: World) -> Iterator[Claim]:
    """Offer 3: half the Easy Return premium."""
    first, shipped_by = first_payments(world), shanghai("2023-01-01")
    for order in world.trade_orders.values():
        at, paid = order.shipped, first.get(order.number)
        if not order.easy_return or at is None:
            continue
        granted = (
            order.product == "trade_assurance"
            and order.ready
            and order.amount <= 1000
            and order.category in world.categories
            and order.destination in DESTINATIONS
            and order.drafted is not None
            and OPENS <= order.drafted < CLOSES
            and order.drafted <= at
            and paid is not None
            and paid < CLOSES
            and paid <= at
            and at < shipped_by
            and world.has_package(order.merchant, "easy_return", at)
            and not _by(order.cancelled, at)
            and not _by(order.abnormal, at)
        )
        if granted:
            yield Claim(at, order.number, order.merchant, percent(order.premium, 50), "USD")


def financing(world: World) -> Iterator[Claim]:
    """Offer 4: the first financing draw of a year at 60 % of its fee."""
    year = timedelta(hours=8760)
    drawn: dict[str, list[datetime]] = defaultdict(list)
    draws = [draw for draw in world.draws if draw.product == "lc_post_document"]
    for draw in draws:
        drawn[draw.merchant].append(draw.drawn)
    for draw in draws:
        blocked = any(draw.drawn - year <= other < draw.drawn for other in drawn[draw.merchant])
        if OPENS <= draw.drawn < CLOSES and not blocked:
            yield Claim(draw.drawn, draw.number, draw.merchant, percent(draw.fee, 40), draw.currency)
