"""Authentication of programs by API key, and the scopes of a key."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from api import problem_types
from merchants import api_keys
from merchants.models import ApiKey, Merchant

SCHEME = "Bearer"


class Program:
    """Authenticated program: takes the place of Django's user, and is known by its API key alone."""

    is_authenticated = True
    is_active = True

    def __init__(self, key: ApiKey) -> None:
        # No `pk`: logs would take the number of the key for that of a user.
        self.key = key

    def __str__(self) -> str:
        return str(self.key)


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer fg_…`; 401 without a valid key."""

    def authenticate(self, request: Request) -> tuple[Program, ApiKey] | None:
        scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
        if not text or scheme.lower() != SCHEME.lower():
            return None
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            raise AuthenticationFailed(problem_types.INSECURE.text, problem_types.INSECURE.code)
        key = api_keys.find(text.strip(), at=timezone.now())
        if key is None:
            raise AuthenticationFailed(problem_types.AUTHENTICATION_FAILED.text)
        request._request.program = key.prefix  # type: ignore[attr-defined]  # the log names it
        return Program(key), key

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  # signature of DRF
        return SCHEME


class ScopeMissingError(PermissionDenied):
    """The key does not have the scope that the operation needs."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope


class HasScope(BasePermission):
    """Permission of keys that have the view's scope; for others a 403 that names it."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, ApiKey):
            return False
        if (scope := view.scope_of(request)) not in request.auth.scopes:
            raise ScopeMissingError(scope)
        return True


def key_of(request: Request) -> ApiKey:
    """Return the API key of an authenticated request."""
    assert isinstance(request.auth, ApiKey)
    return request.auth


def merchant_of(request: Request, code: str) -> Merchant:
    """Return the merchant with that code. Raises Http404 if it does not exist or the key may not see it."""
    merchant = merchants_of(request).filter(pk=code).first()
    if merchant is None:
        raise Http404
    return merchant


def merchants_of(request: Request) -> QuerySet[Merchant]:
    """Return the merchants that the request's key may see: its own, or all for a key of the platform."""
    key = key_of(request)
    return Merchant.objects.all() if key.merchant_id is None else Merchant.objects.filter(pk=key.merchant_id)
