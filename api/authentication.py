"""Who a program is, by its key, and what it may do."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from merchants import api_keys
from merchants.models import ApiKey, Merchant

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module by its settings

SCHEME = "Bearer"


class Program:
    """What stands where Django has a user: the key is all there is to know of it."""

    is_authenticated = True
    is_active = True

    def __init__(self, key: ApiKey) -> None:
        self.key = key
        self.pk = key.pk

    def __str__(self) -> str:
        return str(self.key)


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer fg_…`; 401 without."""

    def authenticate(self, request: Request) -> tuple[Program, ApiKey] | None:
        scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
        if not text or scheme.lower() != SCHEME.lower():
            return None
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            raise AuthenticationFailed(
                _("A key was sent without HTTPS, for others to read. Replace it, and call with https://."), "insecure"
            )
        key = api_keys.find(text.strip(), at=timezone.now())
        if key is None:
            raise AuthenticationFailed(_("This key is unknown, revoked or expired."))
        request._request.program = key.prefix  # type: ignore[attr-defined]  # for the log
        return Program(key), key

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  # DRF hands it over
        return SCHEME


class HasScope(BasePermission):
    """The key has the scope that the view names; 403 without."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.auth, ApiKey) and getattr(view, "scope", "") in request.auth.scopes


def key_of(request: Request) -> ApiKey:
    """The key that the request came with."""
    assert isinstance(request.auth, ApiKey)
    return request.auth


def merchant_of(request: Request, code: str) -> Merchant:
    """The merchant of that code, if it is the key's. Raises Http404 for others and for those that are not there."""
    found = merchants_of(request).filter(pk=code).first()
    if found is None:
        raise Http404
    return found


def merchants_of(request: Request) -> QuerySet[Merchant]:
    """The merchants that the request's key sees: its own, or for the platform all."""
    key = key_of(request)
    return Merchant.objects.all() if key.merchant_id is None else Merchant.objects.filter(pk=key.merchant_id)
