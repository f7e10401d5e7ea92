"""Freight orders, from placement over payment and pick-up to departure, or to a cancellation on the way."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from random import Random

from standalone.demo_data.csv_rows import FreightOrder, FreightTemplate, money
from standalone.demo_data.merchant_profiles import Counts, Profile
from standalone.demo_data.merchants import PARCEL_LINES
from standalone.demo_data.timing import AUTUMN, BEIJING, SEASONS, SEPTEMBER, SUMMER, Span, recorded

COUPONS_FROM = datetime(2022, 10, 15, 15, tzinfo=BEIJING)
COUPON_EVENING = Span(0.02, 7)  # the new coupons are tried out at once
PROMOTED = "dw-us-west-port-to-door"


@dataclass(frozen=True)
class Lane:
    """A way of shipping: its lines, what it costs, and how long each step takes."""

    service: str
    lines: tuple[str, ...]
    median: float
    spread: float
    paying: Span
    loading: Span
    leaving: Span
    currency: str = "CNY"
    rolled: float = 0.0  # share that misses its vessel and waits for weeks


EXPRESS = Lane(
    "express",
    (
        *("us-charter-select",) * 8,
        *("3c-select", "beauty-select", "general-select", "jpkr-select", "us-3c-select", "3c-standard"),
        *("aunz-standard", "sea-asia-standard", "beauty-standard", "no-volumetric-standard", "eu-us-standard"),
        *("plant-extract-standard", "na-special-standard", "3c-economy", "russia-economy", "heavy-economy"),
        *("ems-economy", "eu-3c-economy", "global-courier-premium", "latam-standard", "africa-economy"),
    ),
    median=720,
    spread=0.75,
    paying=Span(0.05, 16),
    loading=Span(6, 84),
    leaving=Span(10, 72),
)
MULTIMODAL = Lane(
    "multimodal",
    (
        *("us-matson-select", "us-seatruck-ddp-standard", "us-fastship-ddp-standard", "us-fastship-economy"),
        *("eu-truck-ddp-select", "eu-rail-ddp-economy", "global-heavy-ddp-economy", "jp-ferry-ddp-standard"),
    ),
    median=1250,
    spread=0.9,
    paying=Span(0.3, 60),
    loading=Span(24, 130),
    leaving=Span(40, 190),
)
SMALL_PARCEL = Lane(
    "small_parcel",
    (*PARCEL_LINES * 3, "parcel-special-standard"),
    median=68,
    spread=0.55,
    paying=Span(0.02, 10),
    loading=Span(5, 50),
    leaving=Span(10, 70),
)
SEA = Lane(
    "sea_fcl",
    ("us-east-port-to-door", "eu-port-to-port", "us-west-port-to-port", PROMOTED),
    median=3900,
    spread=0.35,
    paying=Span(1, 110),
    loading=Span(70, 330),
    leaving=Span(40, 240),
    currency="USD",
    rolled=0.08,
)
LIMITED = replace(SEA, lines=(PROMOTED,))
ROLLED = Span(500, 1100)


@dataclass(frozen=True)
class Course:
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    departed_at: datetime | None = None
    cancelled_at: datetime | None = None


def freight_orders(rng: Random, of: Profile, templates: Iterable[FreightTemplate]) -> Iterator[FreightOrder]:
    """All shipments of a merchant, service by service; a parcel needs a template first."""
    numbers = count(1)
    parcels_from = min((template.configured_at for template in templates), default=SUMMER.moment(rng))
    for lane, counts in ((EXPRESS, of.express), (MULTIMODAL, of.multimodal), (SMALL_PARCEL, of.small_parcel)):
        for placed in _placements(rng, counts):
            if lane is not SMALL_PARCEL or placed >= parcels_from:
                yield _order(rng, of, lane, placed, next(numbers))
    for placed in SEPTEMBER.moments(rng, of.sea):
        yield _order(rng, of, LIMITED, placed, next(numbers), promo=rng.random() < 0.95)
    for placed in _other_sea(rng, of):
        yield _order(rng, of, SEA, placed, next(numbers), promo=rng.random() < 0.1)
    if of.newcomer and rng.random() < 0.9:
        yield _order(rng, of, EXPRESS, COUPON_EVENING.at_work(rng, COUPONS_FROM), next(numbers))


def _placements(rng: Random, counts: Counts) -> Iterator[datetime]:
    for season, times in zip(SEASONS, counts, strict=True):
        yield from season.moments(rng, times)


def _other_sea(rng: Random, of: Profile) -> list[datetime]:
    often = rng.randint(0, 3) if of.sea else 0
    return SUMMER.moments(rng, often) + SEPTEMBER.moments(rng, often // 2) + AUTUMN.moments(rng, often)


def _order(rng: Random, of: Profile, lane: Lane, placed: datetime, number: int, *, promo: bool = False) -> FreightOrder:
    course = _course(rng, lane, placed)
    return FreightOrder(
        order_no=f"F{placed:%y%m%d}{of.number:05d}{number:04d}",
        merchant_code=of.code,
        account_code=rng.choice(of.accounts),
        service=lane.service,
        line=rng.choice(lane.lines),
        base_freight=money(lane.median * rng.lognormvariate(0, lane.spread)),
        currency=lane.currency,
        promo_flag=promo,
        use_coupon=lane is EXPRESS and _asks_for_coupon(rng, of, placed),
        placed_at=placed,
        paid_at=recorded(course.paid_at),
        shipped_at=recorded(course.shipped_at),
        departed_at=recorded(course.departed_at),
        cancelled_at=recorded(course.cancelled_at),
    )


def _asks_for_coupon(rng: Random, of: Profile, placed: datetime) -> bool:
    """Newcomers got coupons and use them; others sometimes tick the box in vain."""
    return placed >= COUPONS_FROM and rng.random() < (0.7 if of.newcomer else 0.03)


def _course(rng: Random, lane: Lane, placed: datetime) -> Course:
    fate, paid = rng.random(), lane.paying.at_work(rng, placed)
    if fate < 0.02:
        return Course(cancelled_at=Span(0.1, 70).at_work(rng, placed))
    if fate < 0.03:
        return Course()  # forgotten in the basket
    if fate < 0.035:  # the payment was on its way while the order was cancelled
        return Course(paid_at=paid, cancelled_at=max(placed, paid - timedelta(seconds=rng.randint(20, 900))))
    if fate < 0.06:
        return Course(paid_at=paid, cancelled_at=Span(0.5, 60).at_work(rng, paid))
    shipped = lane.loading.at_work(rng, paid)
    departed = lane.leaving.after(rng, shipped)
    if rng.random() < lane.rolled:
        departed = ROLLED.after(rng, departed)
    lost = Span(1, 48).after(rng, shipped) if fate < 0.065 else None
    return Course(paid, shipped, None if lost else departed, lost)
