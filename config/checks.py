"""Checks of a production installation: its secret key, its proxies, and a database role without an owner's rights."""

from collections.abc import Sequence

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils.translation import gettext as _

from core.db import roles

LEAST_KEY_LENGTH, LEAST_KEY_CHARACTERS = 50, 5
"""As Django's own check (security.W009) asks of a secret key; that only warns."""


def secret_key_problem() -> str:
    """Return what is wrong with the secret key of a production installation; an empty text if nothing is."""
    if settings.DEMO or settings.DEBUG:
        return ""
    key = settings.SECRET_KEY
    if key == settings.TRIAL_SECRET_KEY:
        return _("SECRET_KEY is not set.")
    if len(key) < LEAST_KEY_LENGTH or len(set(key)) < LEAST_KEY_CHARACTERS:
        return _("SECRET_KEY is too weak.")
    return ""


def require_safe_settings() -> None:
    """Raise ImproperlyConfigured where a web process must not serve.

    With the published key, or a short one that can be guessed from any signed cookie, anyone can sign in as anyone.
    Pages of errors in debug mode show settings and data, so it needs a database of its own on this machine: with a
    database server it is refused, unless this is a demonstration. Commands sign nothing and may run without a key.
    """
    if problem := secret_key_problem():
        raise ImproperlyConfigured(f"{problem} {_('Set it to at least 50 random characters.')}")
    if settings.DEBUG and not settings.DEMO and settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
        raise ImproperlyConfigured(
            _("DEBUG=1 shows data and settings to visitors: it is refused with a database server.")
        )


@register(Tags.security, deploy=True)
def secret_key(**_arguments: object) -> list[CheckMessage]:
    """Report a published or weak key in `manage.py check --deploy`."""
    problem = secret_key_problem()
    if not problem:
        return []
    return [Error(problem, hint=_("Set it to at least 50 random characters."), id="fairground.E001")]


@register(Tags.security, deploy=True)
def proxies(**_arguments: object) -> list[CheckMessage]:
    """Report HTTPS without proxies: then all people have the address of the proxy, and share one limit of attempts."""
    if not settings.SECURE_SSL_REDIRECT or settings.PROXIES:
        return []
    text = _("FAIRGROUND_HTTPS=1 needs a proxy, but FAIRGROUND_PROXIES is 0: all visitors share one limit of sign-ins.")
    hint = _("Set it to the number of your proxies, 1 in most installations.")
    return [Warning(text, hint=hint, id="fairground.W002")]


@register(Tags.security, deploy=True)
def mail(**_arguments: object) -> list[CheckMessage]:
    """Report mail that is printed: whoever reads the log could use the links of invitations and passwords."""
    if not settings.SECURE_SSL_REDIRECT or not settings.EMAIL_BACKEND.endswith(".console.EmailBackend"):
        return []
    text = _("EMAIL_URL is not set: mail, with the secret links of invitations and passwords, goes to the log.")
    return [Warning(text, hint=_("Set it to your mail server."), id="fairground.W003")]


@register(Tags.database, deploy=True)
def serving_role(databases: Sequence[str] | None = None, **_arguments: object) -> list[CheckMessage]:
    """Report in `manage.py check --deploy --database default` that this process could disable the guards of records."""
    if not databases or connection.vendor != "postgresql" or not roles.is_owner_or_superuser():
        return []
    text = _("The database role owns the tables or is a superuser: it could change the audit log.")
    return [Warning(text, hint=_("Serve with a second role: manage.py grant_serving_role NAME."), id="fairground.W001")]
