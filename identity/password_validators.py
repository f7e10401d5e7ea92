"""What a password may not be, beside what Django refuses: a word of this trade, however it is dressed up."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

WORDS = frozenset("fairground marketplace merchant coupon campaign benefit festival freight discount password".split())
"""Anyone who guesses begins with these. Listed in docs/security.md (ASVS 6.1.2)."""


class WordsValidator:
    """Refuses a password that is one of `WORDS` with digits or signs around it, as `Fairground2026!`."""

    def validate(self, password: str, user: object = None) -> None:  # noqa: ARG002  # Django hands it over
        """Raise ValidationError, which says why."""
        if re.sub(r"[\d\W_]+", "", password).lower().removesuffix("s") in WORDS:
            raise ValidationError(_("This password is a word that everyone here would guess."), code="word")

    def get_help_text(self) -> str:
        """What a person is told beside the field."""
        return _("Your password can’t be a word of this trade with digits around it.")
