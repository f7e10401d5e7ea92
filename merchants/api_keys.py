"""API keys: issue, authenticate, rotate and revoke.

Instants are of the host's clock: the validity of a key does not follow the clock of a demonstration.
"""

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Q, QuerySet
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from core.db.compiled_queries import compiled_query, text
from merchants.models import ApiKey, Merchant

MARK = "fg"  # first part of every key, by which scanners for leaked secrets recognise it
SANDBOX_PREFIX, SANDBOX_SECRET = "sandbox", "fairground"  # published, for demonstrations only  # nosec B105
SANDBOX = f"{MARK}_{SANDBOX_PREFIX}_{SANDBOX_SECRET}"
"""Key that works in demonstrations, and there alone."""
SANDBOX_SCOPES = [ApiKey.Scope.READ, ApiKey.Scope.CLAIM, ApiKey.Scope.FACTS, ApiKey.Scope.WEBHOOKS]
MOST_OF_A_MERCHANT = 20
"""Working keys of one merchant: each has a rate limit of its own."""
USED_AT_PRECISION = timedelta(minutes=1)
"""Precision of `used_at`, so that most calls write nothing."""


class EndedError(Exception):
    """The key is revoked or has expired, so that it has no successor."""


def issue(
    name: str,
    *,
    scopes: Iterable[str],
    merchant: Merchant | None = None,
    expires_at: datetime | None = None,
    at: datetime,
    by: str,
) -> tuple[ApiKey, str]:
    """Issue a key. Return it and its text, which is not stored and cannot be shown again.

    Raises ValueError for an unknown scope, for no scope, for the scope `facts` together with a merchant, and if the
    merchant has MOST_OF_A_MERCHANT keys that work.
    """
    if merchant is not None:
        _lock_room(merchant, at)
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        name=name,
        merchant=merchant,
        prefix=prefix,
        digest=_digest(secret),
        scopes=_checked_scopes(scopes, merchant),
        created_at=at,
        created_by=by,
        expires_at=expires_at,
    )
    return key, f"{MARK}_{prefix}_{secret}"


def _lock_room(merchant: Merchant, at: datetime) -> None:
    """Lock a merchant against others that issue keys for it. Raises ValueError if it has no room for one more."""
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
        working = ApiKey.objects.filter(Q(expires_at=None) | Q(expires_at__gt=at), merchant=merchant, revoked_at=None)
        if working.count() >= MOST_OF_A_MERCHANT:
            text = _("This merchant has %(n)d API keys that work. Revoke one first.")
            raise ValueError(text % {"n": MOST_OF_A_MERCHANT})


def _checked_scopes(scopes: Iterable[str], merchant: Merchant | None) -> list[str]:
    wanted = list(dict.fromkeys(scopes))
    unknown = [scope for scope in wanted if scope not in ApiKey.Scope.values]
    if unknown or not wanted:
        raise ValueError(f"scopes are some of {', '.join(ApiKey.Scope.values)}, not {', '.join(unknown) or 'none'}")
    if merchant is not None and ApiKey.Scope.FACTS in wanted:
        raise ValueError("facts are recorded by the platform: a merchant's key cannot have that scope")
    return wanted


def ensure_sandbox(*, at: datetime) -> None:
    """Create the key of demonstrations unless it is there. It cannot manage keys: those would work elsewhere too."""
    values = {"digest": _digest(SANDBOX_SECRET), "scopes": SANDBOX_SCOPES, "created_at": at}
    ApiKey.objects.get_or_create(
        prefix=SANDBOX_PREFIX, defaults={"name": "sandbox", "created_by": "demonstration", **values}
    )


def covers(own: ApiKey, *, scopes: Iterable[str], merchant: str | None, expires_at: datetime | None) -> bool:
    """Return whether a key has at least these rights. `merchant` None: for all; `expires_at` None: for ever."""
    if not set(scopes) <= set(own.scopes) or own.merchant_id not in (None, merchant):
        return False
    return own.expires_at is None or (expires_at is not None and expires_at <= own.expires_at)


def find(text: str, *, at: datetime) -> ApiKey | None:
    """Return the key with that text, None where it is unknown, revoked or expired at `at`. Records that it was used."""
    mark, _dash, rest = text.partition("_")
    prefix, _dash, secret = rest.partition("_")
    key: ApiKey | None = next(iter(_known()(prefix=prefix)), None) if mark == MARK else None
    if key is None or not constant_time_compare(key.digest, _digest(secret)):
        return None
    if key.prefix == SANDBOX_PREFIX and not settings.DEMO:
        return None
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= at):
        return None
    if key.used_at is None or key.used_at < at - USED_AT_PRECISION:
        ApiKey.objects.filter(pk=key.pk).update(used_at=at)
    return key


@compiled_query
def _known() -> tuple[QuerySet[ApiKey, Any], Callable[[tuple[Any, ...]], ApiKey]]:
    names = [field.attname for field in ApiKey._meta.concrete_fields]
    rows = ApiKey.objects.filter(prefix=text("prefix")).values_list(*names)
    return rows, lambda row: ApiKey.from_db(DEFAULT_DB_ALIAS, names, row)


def revoke(key: ApiKey, *, at: datetime) -> None:
    """Revoke a key: it stops working at once."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at)
    key.refresh_from_db()


def rotate(key: ApiKey, *, at: datetime, overlap: timedelta, by: str) -> tuple[ApiKey, str]:
    """Issue a successor of a key. The old one works for `overlap` longer, but not beyond its own expiry.

    Raises EndedError if the key is revoked or expired by then, ValueError as `issue` does. Call it in a transaction.
    """
    key = ApiKey.objects.select_for_update(of=("self",), no_key=True).select_related("merchant").get(pk=key.pk)
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= at):
        raise EndedError
    successor = issue(key.name, scopes=key.scopes, merchant=key.merchant, expires_at=key.expires_at, at=at, by=by)
    key.expires_at = min(at + overlap, key.expires_at) if key.expires_at else at + overlap
    key.save(update_fields=["expires_at"])
    return successor


def _digest(secret: str) -> str:
    return sha256(secret.encode(errors="surrogatepass")).hexdigest()
