"""Writes the world, merchant by merchant: nothing is kept, so a large one takes no more memory than a small one."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

from standalone.demo_data import csv_rows
from standalone.demo_data.freight_orders import freight_orders
from standalone.demo_data.merchant_profiles import Profile, profile
from standalone.demo_data.merchants import merchant_rows, templates
from standalone.demo_data.reference_data import EASY_RETURN_CATEGORIES
from standalone.demo_data.trade_orders import financing_draws, trade

Source = Callable[[str], Random]


def facts(merchants: int, seed: int) -> Iterator[csv_rows.Row]:
    """Every row of the world. The same size and seed give the same rows in the same order."""
    for category in EASY_RETURN_CATEGORIES:
        yield csv_rows.ReferenceValue(list_code="easy_return_categories", value=category)
    for number in range(1, merchants + 1):
        chance = _chance(seed, number)
        yield from _life(chance, profile(chance("profile"), number, merchants))


def _chance(seed: int, number: int) -> Source:
    """Each merchant and topic has its own dice: a change to parcels leaves the trade orders as they were."""
    return lambda topic: Random(f"{seed}/{number}/{topic}")  # noqa: S311  # a made-up world holds no secrets  # nosec B311


def _life(chance: Source, of: Profile) -> Iterator[csv_rows.Row]:
    yield from merchant_rows(chance("merchant"), of)
    configured = templates(chance("templates"), of)
    yield from configured
    yield from freight_orders(chance("freight"), of, configured)
    yield from trade(chance("trade"), of)
    yield from financing_draws(chance("draws"), of)


def write(folder: Path, merchants: int, seed: int) -> Counter[str]:
    """Write the fact files into the folder, replacing those that are there, and count the rows of each."""
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
