"""Every text a person sees has its Chinese."""

from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract, extract_from_file
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).parents[1]
ROOMS = (
    "config standalone api dashboard backoffice campaigns definitions rules trade logistics services "
    "compliance events ratings buyers catalog merchants imports identity declarations core"
).split()
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def messages_in_code() -> set[str]:
    """The English of every text in the code and the templates; of a plural, the singular."""
    found: set[str] = set()
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            if "migrations" not in path.parts:
                for _, message, _, _ in extract_from_file("python", path, keywords=KEYWORDS):
                    found.add(message if isinstance(message, str) else message[0])
    for path in (path for suffix in ("html", "txt") for path in (ROOT / "templates").rglob(f"*.{suffix}")):
        code = BytesIO(templatize(path.read_text(encoding="utf-8")).encode())  # as makemessages reads a template
        for _, message, _, _ in extract("python", code, keywords=KEYWORDS):
            found.add(message if isinstance(message, str) else message[0])
    return found - {""}


def test_the_chinese_catalog_is_complete() -> None:
    with (ROOT / "locale/zh_Hans/LC_MESSAGES/django.po").open("rb") as file:
        catalog = read_po(file, locale="zh_Hans")
    done = {
        message.id if isinstance(message.id, str) else message.id[0]
        for message in catalog
        if message.id and (message.string if isinstance(message.string, str) else all(message.string or ()))
    }
    contexts = {"event", "state of an order", "still missing"}
    assert messages_in_code() - done - contexts == set()
    assert len(done) > 300
