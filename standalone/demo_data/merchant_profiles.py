"""Profile of each merchant: size, behaviour and volumes. All its facts are generated from the profile."""

from dataclasses import dataclass
from random import Random

from standalone.demo_data.company_names import Company, foreign_company, forwarder, mainland_company

Counts = tuple[int, int, int]  # number of orders in summer, in September, in autumn
NEVER: Counts = (0, 0, 0)
SHOWCASE = 3  # the first merchants take part in everything, so that a demonstration shows every kind of benefit
SEA_SHIPPERS = 267  # merchants that want the promoted sea line, whatever the number of merchants


@dataclass(frozen=True)
class Profile:
    """Traits of one merchant."""

    number: int
    code: str
    company: Company
    accounts: tuple[str, ...]
    partner: bool
    member: str  # steady, upgrading, lapsing, joining, never
    newcomer: bool  # new to the platform's express lines
    parcels: str  # none, first, regular
    express: Counts
    multimodal: Counts
    small_parcel: Counts
    sea: int  # orders on the promoted sea line in September
    trade: Counts
    ticket: float  # median trade order in USD
    retail: float  # share of ready-to-ship orders
    export_mode: str
    open_account: bool
    easy_return: bool
    letters_of_credit: bool

    @property
    def main_account(self) -> str:
        return self.accounts[0]


def create_profile(rng: Random, number: int, merchants: int) -> Profile:
    """Return the profile of merchant `number` of `merchants`. The order of draws from `rng` is part of the result."""
    showcase, code = number <= SHOWCASE, f"M{number:05d}"
    size = 1.5 if showcase else _size(rng)
    company = mainland_company(rng, number) if showcase else _company(rng, number)
    newcomer = showcase or rng.random() < 0.5
    parcels = "first" if showcase else rng.choices(("none", "first", "regular"), (50, 25, 25))[0]
    return Profile(
        number=number,
        code=code,
        company=company,
        accounts=(f"{code}-main", *(f"{code}-sub{n}" for n in range(1, rng.choice((1, 1, 2, 2, 3, 5))))),
        partner=not showcase and rng.random() < 0.03,
        member="steady" if showcase else _member(rng),
        newcomer=newcomer,
        parcels=parcels,
        express=_express(rng, size, newcomer),
        multimodal=_multimodal(rng, showcase),
        small_parcel=_small_parcel(rng, size, parcels),
        sea=_sea(rng, merchants, showcase),
        trade=_scaled(rng, size, (10, 6, 11)),
        ticket=9000 if showcase else rng.lognormvariate(8.75, 0.6),
        retail=0.35 if showcase else rng.betavariate(2, 3),
        export_mode=_export_mode(rng),
        open_account=showcase or rng.random() < 0.25,
        easy_return=showcase or rng.random() < 0.4,
        letters_of_credit=showcase or rng.random() < 0.2,
    )


def _size(rng: Random) -> float:
    """Draw a size: many small merchants, few large ones, about 1 on average."""
    return min(max(rng.lognormvariate(-0.25, 0.7), 0.2), 4)


def _company(rng: Random, number: int) -> Company:
    kind = rng.choices((mainland_company, foreign_company, forwarder), (90, 6, 4))[0]
    return kind(rng, number)


def _member(rng: Random) -> str:
    return rng.choices(("steady", "upgrading", "lapsing", "joining", "never"), (76, 8, 6, 4, 6))[0]


def _export_mode(rng: Random) -> str:
    modes = ("onetouch_agency", "market_procurement", "self_operated", "convenient_shipping")
    return rng.choices(modes, (40, 15, 35, 10))[0]


def _scaled(rng: Random, size: float, usual: Counts) -> Counts:
    summer, september, autumn = (round(count * size * rng.uniform(0.7, 1.3)) for count in usual)
    return summer, september, autumn


def _express(rng: Random, size: float, newcomer: bool) -> Counts:
    if newcomer:
        return rng.randint(0, 6), rng.randint(1, 12), rng.randint(6, 24)
    return _scaled(rng, size, (21, 8, 27))


def _multimodal(rng: Random, showcase: bool) -> Counts:
    kind = 0.0 if showcase else rng.random()
    if kind < 0.35:
        return 0, rng.randint(1, 7), rng.randint(0, 6)
    return (rng.randint(2, 10), rng.randint(1, 5), rng.randint(3, 10)) if kind < 0.6 else NEVER


def _small_parcel(rng: Random, size: float, parcels: str) -> Counts:
    if parcels == "first":
        return 0, rng.randint(8, 40), rng.randint(8, 40)
    return _scaled(rng, size, (22, 9, 30)) if parcels == "regular" else NEVER


def _sea(rng: Random, merchants: int, showcase: bool) -> int:
    share = min(0.89, SEA_SHIPPERS / merchants)
    return rng.choices((1, 2, 3, 4), (10, 45, 30, 15))[0] if showcase or rng.random() < share else 0
