"""Keys and webhooks managed by programs: what a key may reach, and the record of what it did."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from api import problem_types
from api.authentication import key_of
from api.problems import ProblemError, field_error
from core import clock
from merchants.models import AccessChange, ApiKey, Merchant

Verb = AccessChange.Verb


def record(request: Request, verb: Verb, target: Any, **details: object) -> None:
    """Record an action of the request's key on `target`, an API key or a webhook, in the current transaction.

    Raises AuthenticationFailed if the key was revoked meanwhile: who revokes a key is shown all that it made.
    """
    if not ApiKey.objects.select_for_update(no_key=True).filter(pk=key_of(request).pk, revoked_at=None):
        raise AuthenticationFailed(problem_types.AUTHENTICATION_FAILED.text)
    write(request, verb, target, **details)


def write(request: Request, verb: Verb, target: Any, **details: object) -> None:
    """Record a further action of a request, which `record` has let through: the key may have ended by then."""
    is_key = isinstance(target, ApiKey)
    AccessChange.objects.create(
        verb=verb,
        kind=AccessChange.Kind.KEY if is_key else AccessChange.Kind.WEBHOOK,
        target=target.prefix if is_key else str(target.pk),
        merchant=target.merchant,
        by=key_of(request),
        at=clock.real(),
        details=details,
    )


def reachable(request: Request, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return those of the rows that belong to the merchant of the request's key; all for a key of the platform."""
    own = key_of(request).merchant_id
    return rows if own is None else rows.filter(merchant=own)


def merchant_for(request: Request, code: str | None) -> Merchant | None:
    """Return the merchant that a new key or webhook is for: the named one, else that of the request's key.

    Raises ProblemError: 403 if the key belongs to another merchant, 400 for a merchant that does not exist.
    """
    own = key_of(request).merchant
    if own is not None:
        if code not in (None, own.pk):
            raise ProblemError(problem_types.BEYOND_KEY)
        return own
    if code is None:
        return None
    merchant = Merchant.objects.filter(pk=code).first()
    if merchant is None:
        detail = str(problem_types.NOT_FOUND.title)
        raise ProblemError(problem_types.INVALID, errors=[field_error("merchant", detail, "does_not_exist")])
    return merchant
