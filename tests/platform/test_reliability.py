"""docs/reliability.md and docs/security.md have every case and requirement, and name tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = {name: (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("reliability", "security")}
CASES = {"L": 10, "F": 16, "T": 10, "B": 11, "S": 14}
# ASVS 5.0: number of requirements of levels 1 and 2 in each section; a section lists them first. Chapters 9, 10 and 17
# do not apply as a whole.
SECTIONS = """
1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2 4.1:3 4.2:1 4.3:2 4.4:4
5.1:1 5.2:3 5.3:2 5.4:3 6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4 7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 7.6:2
8.1:2 8.2:3 8.3:1 8.4:1 11.1:2 11.2:3 11.3:3 11.4:4 11.5:1 11.6:1 12.1:3 12.2:2 12.3:4 13.1:1 13.2:5 13.3:2 13.4:5
14.1:2 14.2:4 14.3:3 15.1:3 15.2:3 15.3:7 16.1:1 16.2:5 16.3:4 16.4:3 16.5:3
"""


def test_every_case_has_a_row() -> None:
    rows = re.findall(r"^\| ([LFTBS]\d+)\b", PAGES["reliability"], re.M)
    assert sorted(rows) == sorted(f"{letter}{n + 1}" for letter, count in CASES.items() for n in range(count))


def test_every_case_that_is_covered_names_a_test() -> None:
    covered = PAGES["reliability"].partition("## Not covered")[0]
    untested = [row for row in re.findall(r"^\| [LFTBS]\d+ .*$", covered, re.M) if ".py::test_" not in row]
    assert not untested, "\n".join(untested)


def test_every_security_requirement_has_one_row() -> None:
    lines = [f"{section}.{n + 1}" for section, count in re.findall(r"(\S+):(\d+)", SECTIONS) for n in range(int(count))]
    rows = re.findall(r"^\| ([\d., ]+) \|", PAGES["security"], re.M)
    assert sorted(", ".join(rows).split(", ")) == sorted([*lines, "9", "10", "17"])


@pytest.mark.parametrize("page", PAGES)
def test_the_named_tests_exist(page: str) -> None:
    named = set(re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", PAGES[page]))
    assert len(named) > 100
    missing = []
    for file, name in sorted(named):
        path = ROOT / "tests" / file
        if not path.exists() or (name and f"def {name}(" not in path.read_text(encoding="utf-8")):
            missing.append(f"{file}::{name}")
    assert not missing, "\n".join(missing)
