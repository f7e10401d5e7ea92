"""Checks of a production installation: a secret key of its own, and a database role without the rights of an owner."""

from collections.abc import Sequence

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils.translation import gettext as _

from core.db import roles


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
def secret_key(**_arguments: object) -> list[CheckMessage]:
    """Report the published key in `manage.py check --deploy`."""
    if not lacks_secret_key():
        return []
    return [
        Error(_("SECRET_KEY is not set."), hint=_("Set it to at least 50 random characters."), id="fairground.E001")
    ]


@register(Tags.database, deploy=True)
def serving_role(databases: Sequence[str] | None = None, **_arguments: object) -> list[CheckMessage]:
    """Report in `manage.py check --deploy --database default` that this process could disable the guards of records."""
    if not databases or connection.vendor != "postgresql" or not roles.is_owner_or_superuser():
        return []
    text = _("The database role owns the tables or is a superuser: it could change the audit log.")
    return [Warning(text, hint=_("Serve with a second role: manage.py grant_serving_role NAME."), id="fairground.W001")]
