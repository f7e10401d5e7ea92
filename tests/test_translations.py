"""Every text a person sees has its Chinese."""

import re
from pathlib import Path

from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]
ROOMS = ("campaigns", "merchants", "trade", "logistics", "config")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
}
TAG = re.compile(r"""{%\s*(?:translate|trans)\s+(["'])(.+?)\1""")
BLOCK = re.compile(r"{%\s*blocktranslate\b.*?%}(.*?){%\s*endblocktranslate\s*%}", re.DOTALL)


def said() -> set[str]:
    """The English of every text in the code and the templates; of a plural, the singular."""
    found: set[str] = set()
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            if "migrations" not in path.parts:
                for _, message, _, _ in extract_from_file("python", path, keywords=KEYWORDS):
                    found.add(message if isinstance(message, str) else message[0])
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        found |= {match[1] for match in TAG.findall(text)}
        found |= {re.sub(r"{{\s*(\w+)\s*}}", r"%(\1)s", block).strip() for block in BLOCK.findall(text)}
    return found - {""}


def test_the_chinese_catalog_is_complete() -> None:
    with (ROOT / "locale/zh_Hans/LC_MESSAGES/django.po").open("rb") as file:
        catalog = read_po(file, locale="zh_Hans")
    done = {
        message.id if isinstance(message.id, str) else message.id[0]
        for message in catalog
        if message.id and (message.string if isinstance(message.string, str) else all(message.string or ()))
    }
    contexts = {"event"}
    assert said() - done - contexts == set()
    assert len(done) > 300
