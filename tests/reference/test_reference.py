"""The reference program against the cases: a third, independent opinion."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from tests.reference.season import decide
from tests.support.season import Case, cases

COLUMNS = "offer subject merchant_code status amount currency claimed_at".split()


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.folder.name)
def test_it_agrees_with_the_cases_at_every_checkpoint(case: Case) -> None:
    for at, expected in case.steps:
        found = decide(case.folder / "facts", at, case.setting["overrides"])
        assert found.grants == [tuple(row[name] for name in COLUMNS) for row in rows(expected / "grants.csv")], at
        coupons = {
            (r["offer"], r["merchant_code"], r["status"]): int(r["count"]) for r in rows(expected / "coupons.csv")
        }
        assert found.coupons == +Counter(coupons), at
