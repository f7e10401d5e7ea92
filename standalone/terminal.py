"""Language of texts that commands print: that of the terminal, if it is Chinese, else English."""

import os
from contextlib import AbstractContextManager

from django.utils import translation

VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


def terminal_language() -> AbstractContextManager[None]:
    """Return a context in which gettext uses the terminal's language."""
    chosen = next(filter(None, map(os.environ.get, VARIABLES)), "")
    return translation.override("zh-hans" if chosen.startswith("zh") else "en")
