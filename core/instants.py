"""Accepted instants: from 1970 to 2200, in facts, definitions, commands and requests alike.

Years such as 0202 or 20222 are mistyped, and databases and calendars disagree about dates far away. `9999-12-31` for
"no end" is written as an empty value instead.
"""

from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

FIRST_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)
END_OF_INSTANTS = datetime(2201, 1, 1, tzinfo=UTC)


def is_accepted(at: datetime) -> bool:
    """Return True if the aware instant `at` lies from 1970 to 2200."""
    return FIRST_INSTANT <= at < END_OF_INSTANTS


def validate(at: datetime) -> None:
    """Validate a form field. Raises ValidationError unless the instant is accepted."""
    if not is_accepted(at):
        raise ValidationError(_("is not between the years 1970 and 2200"))
