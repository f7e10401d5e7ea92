"""Listings of a merchant with their cartons and prices, discounts for new buyers, and credentials."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from standalone.demo_data.csv_rows import Row, money
from standalone.demo_data.marketplace_rows import CartonSpec, Credential, Listing, PriceTier, StoreDiscount
from standalone.demo_data.merchant_profiles import SHOWCASE, Profile
from standalone.demo_data.timing import YEAR_BEFORE, Season

WORDS = ("wholesale", "custom logo", "OEM", "heavy duty", "portable", "2022 new", "factory direct", "eco-friendly")
CARTONS = ((40, 30, 30, 12), (60, 40, 40, 24), (50, 50, 35, 20))
DISCOUNTED = Season(date(2022, 8, 1), date(2022, 9, 10))
VERIFIED = Season(date(2021, 6, 1), date(2022, 8, 25))
KINDS = (
    "ip_right", "aeo", "brand_oem", "overseas_after_sales", "home_3d_models", "software_copyright", "overseas_stock",
    "engineering_capability", "engineering_case",
)  # fmt: skip


def listings(rng: Random, profile: Profile, appeal: float) -> list[Listing]:
    """Return the merchant's listings: some ready to ship, the others made to order."""
    n = 8 if profile.number <= SHOWCASE else rng.randint(2, 7)
    return [_listing(rng, profile, number, appeal) for number in range(1, n + 1)]


def _listing(rng: Random, profile: Profile, number: int, appeal: float) -> Listing:
    trade, good = profile.company.trade, profile.number <= SHOWCASE
    ready = rng.random() < profile.retail
    score = rng.uniform(82, 99) if good else min(max(rng.gauss(45 + 52 * appeal, 7), 5), 99)
    published = YEAR_BEFORE.moment(rng)
    removed = published + timedelta(days=rng.randint(200, 700)) if not good and rng.random() < 0.08 else None
    return Listing(
        listing_no=f"L{profile.number:05d}{number:02d}",
        merchant_code=profile.code,
        title=" ".join(part.capitalize() for part in (*rng.sample(WORDS, rng.randint(1, 4)), trade.category_l2)),
        category=f"{trade.category_l1}>{trade.category_l2}",
        is_rts=ready,
        customizable=not ready or rng.random() < 0.3,
        local_service=rng.random() < 0.1,
        country_pricing=rng.random() < 0.1,
        published_at=published,
        removed_at=removed,
        growth_score=money(score) if rng.random() < 0.95 else None,
        images=rng.randint(1, 9),
        has_video=good or rng.random() < 0.4,
        attributes_filled=rng.randint(60, 100),
        moq=rng.choice((None, 1, 2, 10, 50, 100)),
        sku_count=rng.choice((0, 1, 4, 12)),
        lead_time_days=rng.choice((None, 7, 15, 30)),
        description_chars=rng.randint(50, 2500),
        carton_no=f"K{profile.number:05d}{number:02d}" if ready else "",
    )


def listing_rows(rng: Random, profile: Profile, found: list[Listing]) -> Iterator[Row]:
    """Yield each listing with its carton, its prices and at times a discount for new buyers."""
    for listing in found:
        price = rng.lognormvariate(2, 1) + 0.5
        if listing.carton_no:
            yield from _carton(rng, listing, price)
        yield listing
        for quantity, share in ((1, 1.0), (50, 0.92), (500, 0.8)):
            unit = money(price * share)
            yield PriceTier(listing_no=listing.listing_no, mode="piece", min_quantity=quantity, unit_price_usd=unit)
        if listing.is_rts and rng.random() < 0.5:
            yield _discount(rng, profile, listing)


def _carton(rng: Random, listing: Listing, price: float) -> Iterator[Row]:
    length, width, height, units = rng.choice(CARTONS)
    yield CartonSpec(
        carton_no=listing.carton_no,
        merchant_code=listing.merchant_code,
        name=f"carton of {units}",
        length_cm=Decimal(length),
        width_cm=Decimal(width),
        height_cm=Decimal(height),
        empty_weight_kg=Decimal("0.8"),
        units=units,
    )
    unit = money(price * rng.choice((0.9, 0.95, 1.05)))
    yield PriceTier(listing_no=listing.listing_no, mode="carton", min_quantity=1, unit_price_usd=unit)


def _discount(rng: Random, profile: Profile, listing: Listing) -> StoreDiscount:
    starts = DISCOUNTED.moment(rng)
    return StoreDiscount(
        discount_no=f"D{listing.listing_no[1:]}",
        merchant_code=profile.code,
        listing_no=listing.listing_no,
        percent=rng.choice((3, 5, 8, 10)),
        stock=rng.choice((2, 5, 20, 100)),
        starts_at=starts,
        ends_at=starts + timedelta(days=rng.choice((30, 60, 90))) if rng.random() < 0.7 else None,
    )


def credentials(rng: Random, profile: Profile, appeal: float) -> Iterator[Credential]:
    """Yield what was verified about the merchant: its export volume, rights, certificates and cases."""
    kinds = [kind for kind in KINDS for _n in range(_number(rng, kind, appeal))]
    if profile.number <= SHOWCASE or rng.random() < 0.6:
        kinds.append("export_volume")
    for number, kind in enumerate(kinds, start=1):
        verified = VERIFIED.moment(rng)
        yield Credential(
            credential_no=f"C{profile.number:05d}{number:02d}",
            merchant_code=profile.code,
            kind=kind,
            verified_at=verified,
            ends_at=verified + timedelta(days=1095) if rng.random() < 0.5 else None,
            amount_usd=money(rng.lognormvariate(14.5, 1)) if kind == "export_volume" else None,
        )


def _number(rng: Random, kind: str, appeal: float) -> int:
    if kind == "engineering_case":
        return rng.choice((0, 0, 1, 2, 3))
    return int(rng.random() < 0.1 + 0.8 * appeal**2)
