"""Numbers that merchants' keys give: each merchant has numbers of its own.

A number is a key of a fact, so that files and keys of the platform name one row by it, whichever merchant it belongs
to. A number that a merchant's key gives is stored behind the code of the merchant: `17` of M1 as `M1:17`. So it can
neither take nor reveal a number of another merchant.
"""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError

SEPARATOR = ":"


def stored_number(merchant: str | None, number: str, *, field: str, longest: int) -> str:
    """Return a number as it is stored; `merchant` is that of the API key, None for the platform's.

    Raises ValidationError at `field` if that is longer than the column.
    """
    prefix = _prefix(merchant)
    if len(prefix) + len(number) > longest:
        text = _("is longer than %(n)d characters, the most behind your merchant code") % {"n": longest - len(prefix)}
        raise ValidationError({field: ErrorDetail(text, "max_length")})
    return prefix + number


def shown_number(merchant: str | None, stored: str) -> str:
    """Return a stored number as the merchant of the API key gave it. Others are shown as they are stored."""
    return stored.removeprefix(_prefix(merchant))


def find(rows: Any, merchant: str | None, number: str) -> Any:
    """Return the row with a number that the merchant of the API key gave, else the one that is stored under it."""
    own = _prefix(merchant) + number
    found = {row.pk: row for row in rows.filter(Q(pk=own) | Q(pk=number))}
    return found.get(own, found.get(number))


def _prefix(merchant: str | None) -> str:
    """Return what stands before the numbers of a merchant. No code and number make that of another merchant."""
    if merchant is None:
        return ""
    return merchant.replace("%", "%25").replace(SEPARATOR, "%3A") + SEPARATOR
