"""Password validator: common words of this field are refused, in addition to Django's checks. Changes are logged."""

import re

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from identity import security_log

WORDS = frozenset("fairground marketplace merchant coupon campaign benefit festival freight discount password".split())
"""Words that an attacker would try first. Listed in docs/security.md (ASVS 6.1.2)."""


class WordsValidator:
    """Refuses one of `WORDS` with digits or other characters around it, such as `Fairground2026!`."""

    def validate(self, password: str, user: object = None) -> None:  # noqa: ARG002  # signature of Django
        """Raise ValidationError for a password that is too easy to guess."""
        if re.sub(r"[\d\W_]+", "", password).lower().removesuffix("s") in WORDS:
            raise ValidationError(_("This password is too easy to guess here."), code="word")

    def password_changed(self, password: str, user: User) -> None:  # noqa: ARG002  # signature of Django
        """Log the change. Django calls this after each one, by whatever page or command, without the request."""
        security_log.record("password changed", user)

    def get_help_text(self) -> str:
        """Return the hint shown below the field."""
        return _("Your password can’t be a common word of this marketplace with digits around it.")
