"""Generate and write facts merchant by merchant, so that memory does not grow with the number of merchants."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

from standalone.demo_data import csv_rows, marketplace_rows
from standalone.demo_data.appeal import appeal_of
from standalone.demo_data.buyers import buyer_actions, buyer_rows, customers
from standalone.demo_data.freight_orders import freight_orders
from standalone.demo_data.listings import credentials, listing_rows, listings
from standalone.demo_data.merchant_profiles import Profile, create_profile
from standalone.demo_data.merchants import freight_templates, merchant_rows
from standalone.demo_data.reference_data import EASY_RETURN_CATEGORIES, LOW_INTENT_SOURCES
from standalone.demo_data.sales import sold
from standalone.demo_data.services import service_rows
from standalone.demo_data.trade_orders import financing_draws, trade_rows

FILES = csv_rows.FILES | marketplace_rows.FILES
RandomSource = Callable[[str], Random]
"""Returns the random generator of one merchant for a topic."""


def facts(merchants: int, seed: int, *, season_only: bool = False) -> Iterator[csv_rows.Row]:
    """Yield all rows. The same size and seed give the same rows in the same order.

    `season_only` leaves out what the season of September does not know: buyers, listings and services.
    """
    for category in EASY_RETURN_CATEGORIES:
        yield csv_rows.ReferenceValue(list_code="easy_return_categories", value=category)
    for source in () if season_only else LOW_INTENT_SOURCES:
        yield csv_rows.ReferenceValue(list_code="low_intent_sources", value=source)
    for number in range(1, merchants + 1):
        rng_for = _random_source(seed, number)
        profile = create_profile(rng_for("profile"), number, merchants)
        trade = trade_rows(rng_for("trade"), profile)
        yield from _season_facts(rng_for, profile)
        yield from trade if season_only else _marketplace_facts(rng_for, profile, trade)


def _random_source(seed: int, number: int) -> RandomSource:
    """Return separate generators by topic, so that a change to parcels leaves the trade orders as they were."""
    return lambda topic: Random(f"{seed}/{number}/{topic}")  # noqa: S311  # demo data, no secrets  # nosec B311


def _season_facts(rng_for: RandomSource, profile: Profile) -> Iterator[csv_rows.Row]:
    yield from merchant_rows(rng_for("merchant"), profile)
    templates = freight_templates(rng_for("templates"), profile)
    yield from templates
    yield from freight_orders(rng_for("freight"), profile, templates)
    yield from financing_draws(rng_for("draws"), profile)


def _marketplace_facts(
    rng_for: RandomSource, profile: Profile, trade: Iterator[csv_rows.TradeOrder | csv_rows.Receipt]
) -> Iterator[csv_rows.Row]:
    appeal = appeal_of(rng_for("appeal"), profile)
    known, offered = customers(rng_for("customers"), profile, appeal), listings(rng_for("listings"), profile, appeal)
    yield from buyer_rows(rng_for("buyers"), known)
    yield from listing_rows(rng_for("prices"), profile, offered)
    yield from credentials(rng_for("credentials"), profile, appeal)
    yield from sold(rng_for("sales"), trade, known, offered)
    yield from buyer_actions(rng_for("actions"), profile, known, offered, appeal)
    yield from service_rows(rng_for("services"), profile, known)


def write_files(folder: Path, merchants: int, seed: int, *, season_only: bool = False) -> Counter[str]:
    """Write the fact files into the folder, replacing existing ones. Return the number of rows by file name."""
    kinds = csv_rows.FILES if season_only else FILES
    folder.mkdir(parents=True, exist_ok=True)
    written: Counter[str] = Counter()
    with ExitStack() as files:
        writers = {}
        for kind, name in kinds.items():
            file = files.enter_context((folder / f"{name}.csv").open("w", encoding="utf-8", newline=""))
            writers[kind] = csv.writer(file, lineterminator="\n")
            writers[kind].writerow(kind.columns())
        for row in facts(merchants, seed, season_only=season_only):
            writers[type(row)].writerow(row.cells())
            written[FILES[type(row)]] += 1
    return written
