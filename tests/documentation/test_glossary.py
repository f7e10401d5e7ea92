"""The glossary gives each term the Chinese word that the interface uses."""

import re
from pathlib import Path

from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| [^|]+ \|$", re.M)


def test_chinese_terms_are_those_of_the_interface() -> None:
    with (ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po").open("rb") as file:
        plain = [message for message in read_po(file) if isinstance(message.id, str) and not message.context]
        interface = {message.id: message.string for message in plain}
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    terms = [
        pair
        for english, chinese in ROW.findall(page)
        for pair in zip(english.split(", "), chinese.split("、"), strict=True)
    ]
    assert len(terms) > 60
    different = [
        f"{term}: {word}, interface: {interface[term]}" for term, word in terms if interface.get(term, word) != word
    ]
    assert not different, "\n".join(different)
