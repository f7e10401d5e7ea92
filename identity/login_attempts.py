"""Tries to sign in are counted before a password is looked at, so that no burst gets past the bound (faults.md, S4).

A name that was guessed at too often is closed to everyone but the devices on which it signed in before: whoever shuts a
merchant out by guessing does not shut out the merchant.
"""

from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from identity.models import LoginAttempt

WINDOW = timedelta(minutes=15)
PER_NAME = 5
PER_DEVICE = 10
PER_ADDRESS = 50
REMEMBERED = timedelta(days=180)
SALT = "device"


def count(request: HttpRequest, name: str, *, at: datetime) -> bool:
    """Count one more try of the name; returns whether its password may be looked at."""
    address, own = _keys(request, name)
    return _count(address, at) <= PER_ADDRESS and _count(own, at) <= _bound(own)


def is_closed(request: HttpRequest, name: str, *, at: datetime) -> bool:
    """Whether tries of the name, from here, are refused unseen."""
    address, own = _keys(request, name)
    return _counted(address, at) > PER_ADDRESS or _counted(own, at) > _bound(own)


def succeed(request: HttpRequest, name: str) -> None:
    """The name signed in: its tries from here begin anew. Those of the address do not."""
    LoginAttempt.objects.filter(key=_keys(request, name)[1]).delete()


def remember(response: HttpResponse, name: str) -> None:
    """Know the device again by a signed cookie when the name is tried next time."""
    response.set_signed_cookie(
        settings.DEVICE_COOKIE_NAME, _folded(name), salt=SALT, max_age=REMEMBERED, httponly=True, samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )  # fmt: skip


def forget(*, at: datetime) -> int:
    """Delete what is over; returns how many."""
    return LoginAttempt.objects.filter(since__lte=at - WINDOW).delete()[0]


def address_of(request: HttpRequest) -> str:
    """Where the request comes from. What a client says of it counts only as far as our own proxies wrote it."""
    if settings.PROXIES:
        hops = request.headers.get("X-Forwarded-For", "").split(",")
        if len(hops) >= settings.PROXIES:
            return str(hops[-settings.PROXIES].strip())
    return str(request.META.get("REMOTE_ADDR", ""))


def _keys(request: HttpRequest, name: str) -> tuple[str, str]:
    known = request.get_signed_cookie(settings.DEVICE_COOKIE_NAME, default="", salt=SALT, max_age=REMEMBERED)
    own = "device" if known == _folded(name) else "name"
    return f"address {address_of(request)}"[:100], f"{own} {_folded(name)}"


def _folded(name: str) -> str:
    return sha256(name.strip().lower().encode(errors="surrogatepass")).hexdigest()


def _bound(key: str) -> int:
    return PER_DEVICE if key.startswith("device") else PER_NAME


@transaction.atomic
def _count(key: str, at: datetime) -> int:
    row, _ = LoginAttempt.objects.select_for_update().get_or_create(key=key, defaults={"since": at})
    if row.since <= at - WINDOW:
        row.since, row.count = at, 0
    row.count += 1
    row.save()
    return row.count


def _counted(key: str, at: datetime) -> int:
    row = LoginAttempt.objects.filter(key=key, since__gt=at - WINDOW).first()
    return row.count if row else 0
