"""The table of environment variables in docs/operations.md has those of the settings, with their defaults."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_environment_variable_is_listed_with_its_default() -> None:
    settings = (ROOT / "config" / "settings.py").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    explained = re.findall(r"^ *# ([A-Z][A-Z_]+) \((.*?)\): ", settings, re.M)
    listed = re.findall(r"^\| `([A-Z][A-Z_]+)` \| (.*?) \|", page, re.M)
    assert len(listed) == len(explained)
    assert {name: default.replace("`", "") for name, default in listed} == dict(explained)


def test_every_variable_that_the_settings_read_is_explained() -> None:
    settings = (ROOT / "config" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r"""env\.\w+\(\s*"([A-Z_]+)\"""", settings))
    assert len(read) > 20
    assert read <= set(re.findall(r"^ *# ([A-Z][A-Z_]+) \(", settings, re.M))
