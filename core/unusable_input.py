"""Input that no calendar, number or database can hold, such as the year 0, a NUL, or a number of 5,000 digits."""

import re
from collections.abc import Mapping

from django.db import DataError

MESSAGES = re.compile(
    r"year .*out of range|year is out of range|day is out of range|month must be|NUL|null (?:byte|character)"
    r"|Exceeds the limit|Field .* expected a|surrogates not allowed|too large to convert"
)


def is_unusable_input(error: BaseException | None) -> bool:
    """Return whether an exception means that a value is outside of what can be represented.

    Such a value comes from the request: what is stored is checked when it is stored.
    """
    while error is not None:
        if isinstance(error, OverflowError | RecursionError | DataError | UnicodeError):
            return True
        if isinstance(error, ValueError) and MESSAGES.search(str(error)):
            return True
        error = error.__cause__
    return False


def has_nul(values: Mapping[str, str]) -> bool:
    """Return whether a name or a value holds a NUL, which no database stores as text."""
    return any("\0" in name or "\0" in value for name, value in values.items())
