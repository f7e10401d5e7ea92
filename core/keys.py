"""Keys of facts: one normal form, in which imports store them, and in which every address and query names them."""

import unicodedata

from django.urls import register_converter


def normalize_key(text: str) -> str:
    """Return a key in the form in which it is stored: NFKC, without surrounding spaces."""
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).strip(" ")


def invisible_character(text: str) -> str:
    """Return the first invisible character of a text, such as `U+200B ZERO WIDTH SPACE`; empty if there is none."""
    character = next((character for character in text if not character.isprintable()), "")
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip() if character else ""


class KeyConverter:
    """Part of an address that is a key. Keys may hold slashes, written as such or as `%2F`."""

    regex = ".+"

    def to_python(self, text: str) -> str:
        return normalize_key(text)

    def to_url(self, key: str) -> str:
        return key


register_converter(KeyConverter, "key")
