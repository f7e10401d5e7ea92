"""The pages on reliability and security name every case, and only tests that are there."""

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


def test_the_page_on_security_names_only_tests_that_are_there() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/]+\.py)`", page))
    assert len(named) > 20
    assert [name for name in sorted(named) if not (ROOT / "tests" / name).exists()] == []
