"""Authentication backend: name and password, with a limit on attempts."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from identity import login_attempts


class GuardedBackend(ModelBackend):
    """Django's backend behind the limit of `login_attempts`. Without a request, as in commands, nothing is counted."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return the user with that name and password, or None.

        Raises PermissionDenied after too many attempts, without checking the password.
        """
        if request is None or username is None:
            return super().authenticate(request, username=username, password=password, **kwargs)
        if not login_attempts.count_attempt(request, username, at=timezone.now()):
            raise PermissionDenied
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is not None:
            login_attempts.reset(request, username)
        return user
