"""What is noted of those who sign in, or try to, for whoever looks into it later: the logger `fairground.security`.

People by their number, never by what was typed: that may be a password in the wrong field.
"""

import logging
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from identity.login_attempts import address_of

logger = logging.getLogger("fairground.security")


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: User, **_signal: Any) -> None:
    """Somebody is in; with a second step, if there is one, behind them."""
    logger.info("signed in", extra=_of(request, user))


@receiver(user_logged_out)
def signed_out(request: HttpRequest, user: User | None, **_signal: Any) -> None:
    """Somebody left, or was in for too long."""
    if user is not None:
        logger.info("signed out", extra=_of(request, user))


@receiver(user_login_failed)
def refused(credentials: dict[str, Any], request: HttpRequest | None = None, **_signal: Any) -> None:
    """A password was wrong, or not looked at any more."""
    if request is not None:
        user = User.objects.filter(username=str(credentials.get("username"))).first()
        logger.warning("password refused", extra=_of(request, user))


def code_refused(request: HttpRequest, user: User) -> None:
    """The password was right and the code was not."""
    logger.warning("code refused", extra=_of(request, user))


def _of(request: HttpRequest, user: User | None) -> dict[str, Any]:
    return {"user": user.pk if user else None, "address": address_of(request)}
