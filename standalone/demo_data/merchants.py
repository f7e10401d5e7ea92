"""Merchants with their accounts, memberships, service packages, penalties and freight templates."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

from standalone.demo_data.csv_rows import Account, FreightTemplate, Membership, Merchant, Penalty, Row, ServicePackage
from standalone.demo_data.merchant_profiles import SHOWCASE, Profile
from standalone.demo_data.timing import BEIJING, SUMMER, YEAR_BEFORE, YEARS_BEFORE, Season, Span

PLANS = ("export_pass", "global_pass", "verified_supplier")
CHANGES = Season(date(2022, 8, 25), date(2022, 11, 20))  # memberships end or change around the campaign
JOINING = Season(date(2022, 9, 3), date(2022, 9, 26))
PENALISED = Season(date(2022, 8, 10), date(2022, 10, 10))
FIRST_TEMPLATES = Season(date(2022, 8, 16), date(2022, 9, 14))
REASONS = {
    "embargo": "shipment to an embargoed destination",
    "prohibited_goods": "parcel with undeclared lithium batteries",
    "improper_trade": "order without goods",
    "other": "late reply to a customs inquiry",
}
PARCEL_LINES = (
    "parcel-general-standard",
    "parcel-3c-standard",
    "parcel-general-economy",
    "parcel-3c-economy",
)


def merchant_rows(rng: Random, profile: Profile) -> Iterator[Row]:
    """Yield the merchant, then its accounts, memberships, packages and penalties."""
    company = profile.company
    yield Merchant(
        merchant_code=profile.code,
        name=company.name,
        name_en=company.name_en,
        country=company.country,
        category_l1=company.trade.category_l1,
        category_l2=company.trade.category_l2,
        logistics_partner=profile.partner,
    )
    for account in profile.accounts:
        role = "main" if account == profile.main_account else "sub"
        yield Account(account_code=account, merchant_code=profile.code, role=role)
    yield from _memberships(rng, profile)
    yield from _packages(rng, profile)
    yield from _penalties(rng, profile)


def _memberships(rng: Random, profile: Profile) -> Iterator[Membership]:
    start, change, plan = YEARS_BEFORE.moment(rng), CHANGES.moment(rng), rng.choice(PLANS[:2])
    if profile.member == "steady":
        paid_until = rng.choice((None, datetime(2023, rng.randint(2, 12), 1, tzinfo=BEIJING)))
        yield Membership(merchant_code=profile.code, plan=rng.choice(PLANS), starts_at=start, ends_at=paid_until)
    elif profile.member == "joining":
        yield Membership(merchant_code=profile.code, plan=plan, starts_at=JOINING.moment(rng))
    elif profile.member in ("lapsing", "upgrading"):
        yield Membership(merchant_code=profile.code, plan=plan, starts_at=start, ends_at=change)
    if profile.member == "upgrading":
        yield Membership(merchant_code=profile.code, plan="verified_supplier", starts_at=change)


def _packages(rng: Random, profile: Profile) -> Iterator[ServicePackage]:
    start = YEAR_BEFORE.moment(rng)
    if profile.export_mode == "onetouch_agency" and rng.random() < 0.35:
        paid_until = start + timedelta(days=rng.choice((365, 730)))
        yield ServicePackage(merchant_code=profile.code, package="onetouch_3n", starts_at=start, ends_at=paid_until)
    if profile.easy_return and rng.random() < 0.9:
        ends = CHANGES.moment(rng) if rng.random() < 0.15 else None
        yield ServicePackage(merchant_code=profile.code, package="easy_return", starts_at=start, ends_at=ends)


def _penalties(rng: Random, profile: Profile) -> Iterator[Penalty]:
    if profile.number <= SHOWCASE or rng.random() > 0.1:
        return
    start, kind = PENALISED.moment(rng), rng.choice(tuple(REASONS))
    ends = start + timedelta(days=rng.choice((14, 30, 90))) if rng.random() < 0.8 else None
    yield Penalty(merchant_code=profile.code, kind=kind, starts_at=start, ends_at=ends, reason=REASONS[kind])


def freight_templates(rng: Random, profile: Profile) -> list[FreightTemplate]:
    """Return the merchant's parcel lines, configured long ago or for the first time shortly before the campaign."""
    if profile.parcels == "none":
        return []
    lines = rng.sample(PARCEL_LINES, rng.choice((1, 2, 2, 3)))
    start = (FIRST_TEMPLATES if profile.parcels == "first" else SUMMER).moment(rng)
    if profile.parcels == "regular":
        start -= timedelta(days=rng.randint(80, 500))
    return [_freight_template(rng, profile, line, start) for line in lines]


def _freight_template(rng: Random, profile: Profile, line: str, start: datetime) -> FreightTemplate:
    products = rng.choice((8, 15, 19)) if rng.random() < 0.12 else round(rng.lognormvariate(4, 0.7)) + 20
    moment = Span(0.1, 60).at_work(rng, start)
    return FreightTemplate(merchant_code=profile.code, line=line, configured_at=moment, rts_products=products)
