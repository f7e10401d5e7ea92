"""Countries: ISO 3166-1 alpha-2 codes, and the code that somebody meant who wrote something else."""

from functools import cache

from babel import Locale
from babel.core import get_global

from core.formatting import babel_locale

NOT_ISO = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB XK ZZ".split())
"""Codes of CLDR for regions that are no country of ISO 3166-1."""


@cache
def codes() -> frozenset[str]:
    """Return the codes of all countries."""
    territories = map(str, Locale("en").territories)
    return frozenset(code for code in territories if len(code) == 2 and code.isalpha()) - NOT_ISO


def name(code: str) -> str:
    """Return the name of a country in the language in force; the code itself if no country has it."""
    return str(Locale.parse(babel_locale()).territories.get(code, code)) if code in codes() else code


def meant_by(text: str) -> str:
    """Return the code that a text stands for, such as GB for `UK`, US for `usa`, DE for `Germany`; else ""."""
    if text.upper() in codes():
        return text.upper()
    alias = get_global("territory_aliases").get(text.upper(), ())
    if len(alias) == 1 and alias[0] in codes():
        return str(alias[0])
    wanted = text.casefold()
    names = (Locale(language).territories for language in ("en", "zh"))
    return next((code for known in names for code in sorted(codes()) if known[code].casefold() == wanted), "")
