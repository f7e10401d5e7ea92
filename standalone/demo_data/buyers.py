"""Buyers of a merchant with their levels, and what they do at its shop: visits, chats and inquiries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from random import Random

from standalone.demo_data.csv_rows import Row
from standalone.demo_data.marketplace_rows import Buyer, BuyerAction, BuyerLevel, Listing
from standalone.demo_data.merchant_profiles import SHOWCASE, Profile
from standalone.demo_data.timing import YEARS_BEFORE, Season, Span, recorded
from standalone.demo_data.trade_orders import DESTINATION_WEIGHTS, DESTINATIONS

LEVELLED = Season(date(2022, 6, 1), date(2022, 10, 31))
VISITED = Season(date(2022, 7, 1), date(2022, 11, 15))
SHARED = 4
"""The first buyers of a merchant trade with the next merchant too."""
SOURCES = ("search", "category", "recommendation", "offsite_banner", "new_user_push")
SOURCE_WEIGHTS = (50, 20, 15, 10, 5)


@dataclass(frozen=True)
class Customers:
    """Buyers who trade with a merchant: their codes, and how many of them are its own."""

    codes: Sequence[str]
    own: int


def _code(number: int, n: int) -> str:
    return f"B{number:05d}{n:02d}"


def customers(rng: Random, profile: Profile, appeal: float) -> Customers:
    """Return the buyers of a merchant: its own, and some that it shares with the merchant before it."""
    own = rng.randint(55, 75) if profile.number <= SHOWCASE else SHARED + round(115 * appeal**2 * rng.uniform(0.6, 1))
    shared = [_code(profile.number - 1, n) for n in range(1, SHARED + 1)] if profile.number > 1 else []
    return Customers([*(_code(profile.number, n) for n in range(1, own + 1)), *shared], own)


def buyer_rows(rng: Random, known: Customers) -> Iterator[Row]:
    """Yield the merchant's own buyers, each followed by its levels."""
    for code in known.codes[: known.own]:
        registered = YEARS_BEFORE.moment(rng)
        country = rng.choices(DESTINATIONS, DESTINATION_WEIGHTS)[0]
        closed = LEVELLED.moment(rng) if rng.random() < 0.01 else None
        yield Buyer(buyer_code=code, country=country, registered_at=registered, closed_at=closed)
        level = rng.choices((0, 1, 2, 3), (35, 30, 25, 10))[0]
        if level:
            yield BuyerLevel(buyer_code=code, from_at=registered, level=level)
        if rng.random() < 0.3:
            yield BuyerLevel(buyer_code=code, from_at=LEVELLED.moment(rng), level=level + 1)


def buyer_actions(
    rng: Random, profile: Profile, known: Customers, listings: Sequence[Listing], appeal: float
) -> Iterator[BuyerAction]:
    """Yield visits, and after some of them a chat or an inquiry about a listing."""
    keen = 0.15 + 0.6 * appeal * rng.uniform(0.6, 1)
    numbers = count(1)
    visits = round((2 + 8 * appeal) * len(known.codes))
    for visited in VISITED.moments(rng, visits):
        buyer, listing = rng.choice(known.codes), rng.choice(listings)
        source = rng.choices(SOURCES, SOURCE_WEIGHTS)[0]
        for kind, at in _course(rng, visited, keen):
            yield BuyerAction(
                action_no=f"A{profile.number:05d}{next(numbers):05d}",
                buyer_code=buyer,
                merchant_code=profile.code,
                listing_no=listing.listing_no,
                kind=kind,
                at=at,
                source=source,
            )


def _course(rng: Random, visited: datetime, keen: float) -> Iterator[tuple[str, datetime]]:
    """Yield the visit, and the action that follows it with the probability `keen`."""
    yield "visit", visited
    asked = recorded(Span(0.05, 72).after(rng, visited))
    if asked and rng.random() < keen:
        yield rng.choices(("chat", "inquiry", "order"), (30, 60, 10))[0], asked
