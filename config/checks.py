"""Check that a production installation has a secret key of its own."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _


def lacks_secret_key() -> bool:
    """Return True in production on the secret key that is published with the code."""
    return settings.SECRET_KEY == settings.TRIAL_SECRET_KEY and not (settings.DEMO or settings.DEBUG)


def require_secret_key() -> None:
    """Raise ImproperlyConfigured on the published key: with it anyone can sign in as anyone.

    Only web processes call this. Commands sign nothing and may run without a key.
    """
    if lacks_secret_key():
        raise ImproperlyConfigured(_("SECRET_KEY is not set. Set it to at least 50 random characters."))


@register(Tags.security, deploy=True)
def secret_key(**_arguments: Any) -> list[CheckMessage]:
    """Report the published key in `manage.py check --deploy`."""
    if not lacks_secret_key():
        return []
    return [
        Error(_("SECRET_KEY is not set."), hint=_("Set it to at least 50 random characters."), id="fairground.E001")
    ]
