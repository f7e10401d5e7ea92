"""Design system: contrast of the colour tokens in both themes, and the icons that pages name."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "core/static/core"
ICONS_SHA256 = "c89cf6c446699eff06600bea2e7988397081386b023e534891306ee61ec59a22"

TEXT, MARK = 4.5, 3.0
PAIRS = [
    ("text", "bg", TEXT),
    ("text-2", "surface", TEXT),
    ("text-3", "surface-3", TEXT),
    ("text-on-fill", "brand", TEXT),
    ("text-on-fill", "bad-hover", TEXT),
    ("brand-text", "surface-3", TEXT),
    ("accent-text", "accent-soft", TEXT),
    *((f"{state}-text", f"{state}-soft", TEXT) for state in ("ok", "warn", "bad", "info", "plan", "idle")),
    *((state, f"{state}-soft", MARK) for state in ("ok", "warn", "bad", "info", "plan", "idle")),
    ("line-control", "bg", MARK),
    ("chart-1", "surface", MARK),
    ("chart-2", "surface", MARK),
    ("chart-3", "surface", MARK),
    ("focus", "surface", MARK),
]


def tokens(theme: str) -> dict[str, str]:
    """Return the hexadecimal colours of a theme; the dark one overrides the light one."""
    text = (STATIC / "tokens.css").read_text()
    blocks = {"light": r":root \{(.*?)\n\}", "dark": r':root\[data-theme="dark"\] \{(.*?)\n\}'}
    found: dict[str, str] = {}
    for name in ("light", theme):
        block = re.search(blocks[name], text, re.DOTALL)
        assert block is not None
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block[1]))
    return found


def luminance(colour: str) -> float:
    """Return the relative luminance as WCAG defines it."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_colours_can_be_told_apart(front: str, back: str, least: float, theme: str) -> None:
    colours = tokens(theme)
    assert contrast(colours[front], colours[back]) >= least


def test_both_ways_to_the_dark_theme_have_the_same_colours() -> None:
    text = (STATIC / "tokens.css").read_text()
    system, chosen = re.findall(r"color-scheme: dark;(.*?)\n\s*\}", text, re.DOTALL)
    assert system.split() == chosen.split()


def test_the_icons_are_those_of_the_named_version() -> None:
    sheet = (STATIC / "icons.svg").read_bytes()
    assert b"Tabler Icons 3.52.0, MIT License" in sheet
    assert hashlib.sha256(sheet).hexdigest() == ICONS_SHA256


def test_every_icon_that_a_page_names_exists() -> None:
    known = set(re.findall(r'<symbol id="i-([\w-]+)"', (STATIC / "icons.svg").read_text()))
    pages = [path.read_text() for path in (ROOT / "templates").rglob("*.html")]
    named = {name for page in pages for name in re.findall(r'{% icon "([\w-]+)"', page)}
    modules = [(ROOT / "backoffice" / name).read_text() for name in ("navigation.py", "approvals.py", "index_pages.py")]
    named |= {
        name
        for module in modules
        for name in re.findall(r'"([a-z]+(?:-[a-z0-9]+)*)",\n? *"(?:admin|backoffice):', module)
    }
    assert len(named) > 15
    assert named - known == set()
