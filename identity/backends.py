"""How people are known: by name and password, guessed at only so often."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from identity import login_attempts


class GuardedBackend(ModelBackend):
    """Django's own, behind the count of tries. Where there is no request, as in commands, nothing is counted."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The user of that name and password, or None. Raises PermissionDenied, unseen, after too many tries."""
        if request is None or username is None:
            return super().authenticate(request, username=username, password=password, **kwargs)
        if not login_attempts.count(request, username, at=timezone.now()):
            raise PermissionDenied
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is not None:
            login_attempts.succeed(request, username)
        return user
