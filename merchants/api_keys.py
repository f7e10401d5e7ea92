"""API keys: the only place where they are made, replaced, revoked and known again.

Instants are the host's: a program's right to come in does not wait for a demonstration's clock.
"""

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare

from core.db.compiled_queries import compiled_query, text
from merchants.models import ApiKey, Merchant

MARK = "fg"
USED_WITHIN = timedelta(minutes=1)
"""How exactly it is remembered when a key was last used."""


def issue(
    name: str,
    *,
    scopes: Iterable[str],
    merchant: Merchant | None = None,
    expires_at: datetime | None = None,
    at: datetime,
    by: str,
) -> tuple[ApiKey, str]:
    """Make a key; returns it and its secret, which is told here and never again.

    Raises ValueError for a scope that there is not, and for facts in the hands of a merchant.
    """
    wanted = list(dict.fromkeys(scopes))
    unknown = [scope for scope in wanted if scope not in ApiKey.Scope.values]
    if unknown or not wanted:
        raise ValueError(f"scopes are some of {', '.join(ApiKey.Scope.values)}, not {', '.join(unknown) or 'none'}")
    if merchant is not None and ApiKey.Scope.FACTS in wanted:
        raise ValueError("facts are recorded by the platform: a merchant's key cannot have that scope")
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        name=name, merchant=merchant, prefix=prefix, digest=_digest(secret), scopes=wanted, created_at=at,
        created_by=by, expires_at=expires_at,
    )  # fmt: skip
    return key, f"{MARK}_{prefix}_{secret}"


def find(text: str, *, at: datetime) -> ApiKey | None:
    """The key whose whole text that is, if it is good at `at`; notes that it was used."""
    mark, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    found: ApiKey | None = next(iter(_known()(prefix=prefix)), None) if mark == MARK else None
    if found is None or not constant_time_compare(found.digest, _digest(secret)):
        return None
    if found.revoked_at is not None or (found.expires_at is not None and found.expires_at <= at):
        return None
    if found.used_at is None or found.used_at < at - USED_WITHIN:
        ApiKey.objects.filter(pk=found.pk).update(used_at=at)
    return found


@compiled_query
def _known() -> tuple[QuerySet[ApiKey, Any], Callable[[tuple[Any, ...]], ApiKey]]:
    names = [field.attname for field in ApiKey._meta.concrete_fields]
    rows = ApiKey.objects.filter(prefix=text("prefix")).values_list(*names)
    return rows, lambda row: ApiKey.from_db(DEFAULT_DB_ALIAS, names, row)


def revoke(key: ApiKey, *, at: datetime) -> None:
    """Make a key useless from now on."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at)
    key.refresh_from_db()


def rotate(key: ApiKey, *, at: datetime, overlap: timedelta, by: str) -> tuple[ApiKey, str]:
    """Make a new key like the old one, which stays good for `overlap` longer and no longer than before."""
    made = issue(key.name, scopes=key.scopes, merchant=key.merchant, expires_at=key.expires_at, at=at, by=by)
    key.expires_at = min(at + overlap, key.expires_at) if key.expires_at else at + overlap
    key.save(update_fields=["expires_at"])
    return made


def _digest(secret: str) -> str:
    return sha256(secret.encode(errors="surrogatepass")).hexdigest()
