"""Authentication backend: name and password, with a limit on attempts; permissions of operators alone."""

from typing import Any

from django.conf import settings
from django.contrib.auth import load_backend
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from identity import login_attempts


class GuardedBackend(ModelBackend):
    """Django's backend behind the limit of `login_attempts`. Without a request, as in commands, nothing is counted.

    Permissions belong to the roles of operators: a user who lost the staff status has none, whatever its groups.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: object
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

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return the permissions of a user with staff status; none of others."""
        return super().get_all_permissions(user_obj, obj) if user_obj.is_staff else set()


def find_user(pk: object) -> User | None:
    """Return the user with that primary key if it may sign in, as a session or a link would find it."""
    user = load_backend(settings.AUTHENTICATION_BACKENDS[0]).get_user(pk)
    assert user is None or isinstance(user, User)
    return user
