"""Generate and write facts merchant by merchant, so that memory does not grow with the number of merchants."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

from standalone.demo_data import csv_rows
from standalone.demo_data.freight_orders import freight_orders
from standalone.demo_data.merchant_profiles import Profile, create_profile
from standalone.demo_data.merchants import freight_templates, merchant_rows
from standalone.demo_data.reference_data import EASY_RETURN_CATEGORIES
from standalone.demo_data.trade_orders import financing_draws, trade_rows

RandomSource = Callable[[str], Random]
"""Returns the random generator of one merchant for a topic."""


def facts(merchants: int, seed: int) -> Iterator[csv_rows.Row]:
    """Yield all rows. The same size and seed give the same rows in the same order."""
    for category in EASY_RETURN_CATEGORIES:
        yield csv_rows.ReferenceValue(list_code="easy_return_categories", value=category)
    for number in range(1, merchants + 1):
        rng_for = _random_source(seed, number)
        yield from _merchant_facts(rng_for, create_profile(rng_for("profile"), number, merchants))


def _random_source(seed: int, number: int) -> RandomSource:
    """Return separate generators by topic, so that a change to parcels leaves the trade orders as they were."""
    return lambda topic: Random(f"{seed}/{number}/{topic}")  # noqa: S311  # demo data, no secrets  # nosec B311


def _merchant_facts(rng_for: RandomSource, profile: Profile) -> Iterator[csv_rows.Row]:
    yield from merchant_rows(rng_for("merchant"), profile)
    templates = freight_templates(rng_for("templates"), profile)
    yield from templates
    yield from freight_orders(rng_for("freight"), profile, templates)
    yield from trade_rows(rng_for("trade"), profile)
    yield from financing_draws(rng_for("draws"), profile)


def write_files(folder: Path, merchants: int, seed: int) -> Counter[str]:
    """Write the fact files into the folder, replacing existing ones. Return the number of rows by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    written: Counter[str] = Counter()
    with ExitStack() as files:
        writers = {}
        for kind, name in csv_rows.FILES.items():
            file = files.enter_context((folder / f"{name}.csv").open("w", encoding="utf-8", newline=""))
            writers[kind] = csv.writer(file, lineterminator="\n")
            writers[kind].writerow(kind.columns())
        for row in facts(merchants, seed):
            writers[type(row)].writerow(row.cells())
            written[csv_rows.FILES[type(row)]] += 1
    return written
