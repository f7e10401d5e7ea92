"""Services that merchants order, requests for offers and allowances, and uses of allowances."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count
from random import Random

from standalone.demo_data.buyers import Customers
from standalone.demo_data.csv_rows import Row, money
from standalone.demo_data.marketplace_rows import ClaimRequest, ServiceOrder, Usage
from standalone.demo_data.merchant_profiles import SHOWCASE, Profile
from standalone.demo_data.timing import BEIJING, Season, Span, recorded

SALE_DAY = date(2022, 8, 25)
ORDERED = Season(SALE_DAY, date(2022, 10, 10))
USED = Season(date(2022, 9, 5), date(2022, 10, 31))


@dataclass(frozen=True)
class Tool:
    """Tool of the flash sale: its offer, its service, the hour at which its session begins, and its list price."""

    offer: str
    service: str
    hour: int
    price: float


TOOLS = (
    Tool("flash-listing-tool", "listing_tool", 11, 99),
    Tool("flash-photo-tool", "photo_tool", 14, 59),
    Tool("flash-bidding-tool", "bidding_tool", 15, 199),
    Tool("flash-rfq-tool", "rfq_tool", 16, 129),
)
MONTHLY = {
    "pinned-quotes": "pinned_quote",
    "limited-quotes": "limited_quote",
    "rfq-quotes": "rfq_quote",
    "rfq-pass": "rfq_pass",
}
"""Allowances that are collected each month, with what is used of them."""
DIAGNOSIS = "shop_diagnosis"


def service_rows(rng: Random, profile: Profile, known: Customers) -> Iterator[Row]:
    """Yield what the merchant claimed in the flash sale and each month, what it ordered, and what it used."""
    keen = profile.number <= SHOWCASE or rng.random() < 0.4
    tools = [tool for tool in TOOLS if keen and rng.random() < 0.7]
    yield from _requests(rng, profile, tools)
    yield from _orders(rng, profile, tools)
    yield from _usages(rng, profile, known.codes)


def _requests(rng: Random, profile: Profile, tools: Sequence[Tool]) -> Iterator[ClaimRequest]:
    wanted = [(tool.offer, _on(SALE_DAY, tool.hour) + timedelta(seconds=rng.randint(0, 5400))) for tool in tools]
    for month in (9, 10):
        wanted += [
            (code, _on(date(2022, month, 5), 0) + timedelta(hours=rng.randint(1, 400)))
            for code in MONTHLY
            if rng.random() < (1 if profile.number <= SHOWCASE else 0.3)
        ]
    for number, (code, at) in enumerate(wanted, start=1):
        account = profile.main_account if rng.random() < 0.9 else rng.choice(profile.accounts)
        yield ClaimRequest(
            request_no=f"Q{profile.number:05d}{number:03d}",
            offer=code,
            merchant_code=profile.code,
            account_code=account,
            requested_at=at,
        )


def _on(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), BEIJING)


def _orders(rng: Random, profile: Profile, tools: Sequence[Tool]) -> Iterator[ServiceOrder]:
    wanted = [(tool.service, tool.price) for tool in tools if rng.random() < 0.8]
    if rng.random() < 0.5:
        wanted.append((DIAGNOSIS, 299))
    for number, (service, price) in enumerate(wanted, start=1):
        placed = ORDERED.moment(rng)
        account = profile.main_account if rng.random() < 0.8 else rng.choice(profile.accounts)
        paid = recorded(Span(0.1, 24).after(rng, placed)) if rng.random() < 0.85 else None
        yield ServiceOrder(
            order_no=f"S{profile.number:05d}{number:02d}",
            merchant_code=profile.code,
            account_code=account,
            service=service,
            list_price=money(price),
            currency="CNY",
            use_coupon=service != DIAGNOSIS,
            placed_at=placed,
            paid_at=paid,
            delivered_at=recorded(Span(1, 200).after(rng, paid)) if paid else None,
            cancelled_at=None if paid else recorded(Span(24, 72).after(rng, placed)),
        )


def _usages(rng: Random, profile: Profile, buyers: Sequence[str]) -> Iterator[Usage]:
    numbers = count(1)
    times = 14 if profile.number <= SHOWCASE else rng.choice((0, 0, 2, 6))
    for used in USED.moments(rng, times):
        use = rng.choice((*MONTHLY.values(), "marketing_mail", "marketing_buyer"))
        of_buyer = use == "marketing_buyer"
        yield Usage(
            usage_no=f"U{profile.number:05d}{next(numbers):03d}",
            merchant_code=profile.code,
            account_code=profile.main_account,
            use=use,
            quantity=rng.randint(10, 80) if use == "marketing_mail" else None,
            buyer_code=rng.choice(buyers) if of_buyer else "",
            used_at=used,
        )
