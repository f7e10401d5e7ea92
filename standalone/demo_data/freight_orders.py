"""Freight orders with their course: placed, paid, shipped, departed, or cancelled on the way."""

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
FIRST_COUPON_HOURS = Span(0.02, 7)  # many coupons are used on the evening of their issue
PROMOTED_LINE = "dw-us-west-port-to-door"


@dataclass(frozen=True)
class Lane:
    """Freight service: its lines, the distribution of its price, and the duration of each step."""

    service: str
    lines: tuple[str, ...]
    median: float
    spread: float
    paying: Span
    loading: Span
    leaving: Span
    currency: str = "CNY"
    rolled: float = 0.0  # share of orders that miss their vessel and leave weeks later


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
    ("us-east-port-to-door", "eu-port-to-port", "us-west-port-to-port", PROMOTED_LINE),
    median=3900,
    spread=0.35,
    paying=Span(1, 110),
    loading=Span(70, 330),
    leaving=Span(40, 240),
    currency="USD",
    rolled=0.08,
)
PROMOTED_SEA = replace(SEA, lines=(PROMOTED_LINE,))
ROLLED_DELAY = Span(500, 1100)


@dataclass(frozen=True)
class Course:
    """Instants of an order's steps; None for steps that did not happen."""

    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    departed_at: datetime | None = None
    cancelled_at: datetime | None = None


def freight_orders(rng: Random, profile: Profile, templates: Iterable[FreightTemplate]) -> Iterator[FreightOrder]:
    """Yield all freight orders of a merchant, service by service. Parcels need a freight template first."""
    numbers = count(1)
    parcels_from = min((template.configured_at for template in templates), default=SUMMER.moment(rng))
    for lane, counts in (
        (EXPRESS, profile.express),
        (MULTIMODAL, profile.multimodal),
        (SMALL_PARCEL, profile.small_parcel),
    ):
        for placed in _placements(rng, counts):
            if lane is not SMALL_PARCEL or placed >= parcels_from:
                yield _order(rng, profile, lane, placed, next(numbers))
    for placed in SEPTEMBER.moments(rng, profile.sea):
        yield _order(rng, profile, PROMOTED_SEA, placed, next(numbers), promo=rng.random() < 0.95)
    for placed in _other_sea(rng, profile):
        yield _order(rng, profile, SEA, placed, next(numbers), promo=rng.random() < 0.1)
    if profile.newcomer and rng.random() < 0.9:
        yield _order(rng, profile, EXPRESS, FIRST_COUPON_HOURS.at_work(rng, COUPONS_FROM), next(numbers))


def _placements(rng: Random, counts: Counts) -> Iterator[datetime]:
    for season, times in zip(SEASONS, counts, strict=True):
        yield from season.moments(rng, times)


def _other_sea(rng: Random, profile: Profile) -> list[datetime]:
    often = rng.randint(0, 3) if profile.sea else 0
    return SUMMER.moments(rng, often) + SEPTEMBER.moments(rng, often // 2) + AUTUMN.moments(rng, often)


def _order(
    rng: Random, profile: Profile, lane: Lane, placed: datetime, number: int, *, promo: bool = False
) -> FreightOrder:
    course = _course(rng, lane, placed)
    return FreightOrder(
        order_no=f"F{placed:%y%m%d}{profile.number:05d}{number:04d}",
        merchant_code=profile.code,
        account_code=rng.choice(profile.accounts),
        service=lane.service,
        line=rng.choice(lane.lines),
        base_freight=money(lane.median * rng.lognormvariate(0, lane.spread)),
        currency=lane.currency,
        promo_flag=promo,
        use_coupon=lane is EXPRESS and _asks_for_coupon(rng, profile, placed),
        placed_at=placed,
        paid_at=recorded(course.paid_at),
        shipped_at=recorded(course.shipped_at),
        departed_at=recorded(course.departed_at),
        cancelled_at=recorded(course.cancelled_at),
    )


def _asks_for_coupon(rng: Random, profile: Profile, placed: datetime) -> bool:
    """Return True for most orders of newcomers, who have coupons, and for a few of others, who have none."""
    return placed >= COUPONS_FROM and rng.random() < (0.7 if profile.newcomer else 0.03)


def _course(rng: Random, lane: Lane, placed: datetime) -> Course:
    fate, paid = rng.random(), lane.paying.at_work(rng, placed)
    if fate < 0.02:
        return Course(cancelled_at=Span(0.1, 70).at_work(rng, placed))
    if fate < 0.03:
        return Course()  # never paid
    if fate < 0.035:  # the payment arrives just after the cancellation
        return Course(paid_at=paid, cancelled_at=max(placed, paid - timedelta(seconds=rng.randint(20, 900))))
    if fate < 0.06:
        return Course(paid_at=paid, cancelled_at=Span(0.5, 60).at_work(rng, paid))
    shipped = lane.loading.at_work(rng, paid)
    departed = lane.leaving.after(rng, shipped)
    if rng.random() < lane.rolled:
        departed = ROLLED_DELAY.after(rng, departed)
    lost = Span(1, 48).after(rng, shipped) if fate < 0.065 else None
    return Course(paid_at=paid, shipped_at=shipped, departed_at=None if lost else departed, cancelled_at=lost)
