"""`manage.py demo_world`: repeatable, of any size, in constant memory."""

import io
import tracemalloc
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from standalone.demo_data.company_names import FIRST, SECOND, STRIDE, brand
from standalone.demo_data.generate import facts
from tests.support.fact_files import read


def demo_world(folder: Path, **options: int) -> dict[str, bytes]:
    call_command("demo_world", folder, stdout=io.StringIO(), **options)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    once, again = (demo_world(tmp_path / name, merchants=20, seed=7) for name in ("once", "again"))
    assert once == again
    assert demo_world(tmp_path / "other", merchants=20, seed=8) != once


def test_size_is_the_number_of_merchants(tmp_path: Path) -> None:
    for merchants in (1, 30):
        demo_world(tmp_path, merchants=merchants)
        assert len(read(tmp_path)["merchants"]) == merchants


def test_row_counts_are_printed(tmp_path: Path) -> None:
    output = io.StringIO()
    call_command("demo_world", tmp_path, merchants=3, stdout=output)
    written = read(tmp_path)
    for line in output.getvalue().splitlines():
        file, count = line.split(": ")
        assert len(written[file]) == int(count)


@pytest.mark.parametrize("merchants", [0, 100_000])
def test_invalid_numbers_of_merchants_are_refused(tmp_path: Path, merchants: int) -> None:
    with pytest.raises(CommandError, match="between 1 and 99999"):
        demo_world(tmp_path, merchants=merchants)


def test_memory_does_not_grow_with_the_number_of_merchants() -> None:
    peaks = []
    for merchants in (10, 80):
        tracemalloc.start()
        for _ in facts(merchants, seed=1):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0] + 500_000


def test_brands_repeat_only_after_all_were_used() -> None:
    brands = len(FIRST) * len(SECOND)
    assert brands % STRIDE
    assert len({brand(number) for number in range(brands)}) == brands
