"""docs/reliability.md and docs/security.md name every case, and only tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
CASES = {f"{letter}{n}" for letter, most in zip("LFTBS", (10, 15, 10, 11, 14), strict=True) for n in range(1, most + 1)}


def rows() -> dict[str, str]:
    return dict(re.findall(r"^\| ([LFTBS]\d+) \| (.*) \|$", PAGE, re.M))


def test_every_case_of_the_list_is_told_of() -> None:
    assert set(rows()) == CASES


def test_what_is_named_is_there_and_carries_the_case() -> None:
    for case, rest in rows().items():
        for name, number in re.findall(r"`([\w/]+\.py)`(?: \((\d+)\))?", rest.partition(" | ")[0]):
            found = re.findall(rf"def test_{case}_", (ROOT / "tests" / name).read_text(encoding="utf-8"))
            assert len(found) == int(number or 1), (case, name)


SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
# ASVS 5.0: how many lines of levels 1 and 2 each section has; they come first in it. Whole chapters by their number.
SECTIONS = """
1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2 4.1:3 4.2:1 4.3:2 4.4:4
5.1:1 5.2:3 5.3:2 5.4:3 6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4 7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 7.6:2
8.1:2 8.2:3 8.3:1 8.4:1 11.1:2 11.2:3 11.3:3 11.4:4 11.5:1 11.6:1 12.1:3 12.2:2 12.3:4 13.1:1 13.2:5 13.3:2 13.4:5
14.1:2 14.2:4 14.3:3 15.1:3 15.2:3 15.3:7 16.1:1 16.2:5 16.3:4 16.4:3 16.5:3
"""


def test_every_line_on_security_is_told_of_once() -> None:
    lines = [f"{section}.{n + 1}" for section, count in re.findall(r"(\S+):(\d+)", SECTIONS) for n in range(int(count))]
    told = re.findall(r"^\| ([\d., ]+) \|", SECURITY, re.M)
    assert sorted(", ".join(told).split(", ")) == sorted([*lines, "9", "10", "17"])


def test_the_page_on_security_names_only_tests_that_are_there() -> None:
    named = set(re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", SECURITY))
    assert len(named) > 100
    for file, name in sorted(named):
        found = (ROOT / "tests" / file).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in found, (file, name)
