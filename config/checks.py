"""What a production installation must have set."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _


def lacks_secret_key() -> bool:
    """Whether this is production and still runs on the key that everyone can read."""
    return settings.SECRET_KEY == settings.TRIAL_SECRET_KEY and not (settings.DEMO or settings.DEBUG)


def require_secret_key() -> None:
    """Refuse to serve: a known key lets anyone sign in as anyone. Commands, which sign nothing, may run without."""
    if lacks_secret_key():
        raise ImproperlyConfigured(_("SECRET_KEY is not set. Set it to 50 random characters or more."))


@register(Tags.security, deploy=True)
def secret_key(**_arguments: Any) -> list[CheckMessage]:
    """The same refusal, for `manage.py check --deploy`."""
    if not lacks_secret_key():
        return []
    return [Error(_("SECRET_KEY is not set."), hint=_("Set it to 50 random characters or more."), id="fairground.E001")]
