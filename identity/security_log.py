"""Security log, written to the logger `fairground.security`.

It has sign-ins, failed attempts and sign-outs, and changes of passwords and of the second factor.

Users are logged by primary key, never by the name that was typed: it may be a password in the wrong field.
"""

import logging
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from identity.login_attempts import client_address

logger = logging.getLogger("fairground.security")


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: User, **_signal: object) -> None:
    """Log a sign-in, after the second factor if there is one."""
    logger.info("signed in", extra=_context(request, user))


@receiver(user_logged_out)
def signed_out(request: HttpRequest, user: User | None, **_signal: object) -> None:
    """Log a sign-out, also one at the end of the session's lifetime."""
    if user is not None:
        logger.info("signed out", extra=_context(request, user))


@receiver(user_login_failed)
def sign_in_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_signal: object) -> None:
    """Log a wrong password, or an attempt during a lock-out."""
    if request is not None:
        user = User.objects.filter(username=str(credentials.get("username"))).first()
        logger.warning("sign-in failed", extra=_context(request, user))


def record(
    event: str, user: User, *, request: HttpRequest | None = None, by: User | None = None, level: int = logging.INFO
) -> None:
    """Log an event of a user's sign-in; `by` is the administrator who caused it. Commands have no request."""
    address = client_address(request) if request else None
    logger.log(level, event, extra={"user": user.pk, "address": address, "by": by.pk if by else None})


def _context(request: HttpRequest, user: User | None) -> dict[str, Any]:
    return {"user": user.pk if user else None, "address": client_address(request)}
