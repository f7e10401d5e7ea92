"""Lock-out after too many sign-in attempts for a name, or from an address, within 15 minutes.

Attempts are counted before the password is checked, so that many at the same time cannot exceed the limit. A device on
which the name has signed in before has a limit of its own: guessing locks out the attacker and not the owner.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from identity.models import LoginAttempt

WINDOW = timedelta(minutes=15)
MAX_PER_NAME = 5
MAX_PER_DEVICE = 10
MAX_PER_ADDRESS = 50
DEVICE_LIFETIME = timedelta(days=180)
SALT = "device"


def count_attempt(request: HttpRequest, name: str, *, at: datetime) -> bool:
    """Count an attempt for the name. Return true if the password may be checked."""
    address, name_key = _keys(request, name)
    return _increment(address, at) <= MAX_PER_ADDRESS and _increment(name_key, at) <= _limit(name_key)


def is_locked_out(request: HttpRequest, name: str, *, at: datetime) -> bool:
    """Return true if attempts for the name, from this device, are refused without checking the password."""
    address, name_key = _keys(request, name)
    return _current(address, at) > MAX_PER_ADDRESS or _current(name_key, at) > _limit(name_key)


def reset(request: HttpRequest, name: str) -> None:
    """Clear the count of the name after a sign-in. The count of the address stays."""
    LoginAttempt.objects.filter(key=_keys(request, name)[1]).delete()


def remember_device(response: HttpResponse, name: str) -> None:
    """Set a signed cookie by which the device is known at the next attempt for the name."""
    response.set_signed_cookie(
        settings.DEVICE_COOKIE_NAME,
        _digest(name),
        salt=SALT,
        max_age=DEVICE_LIFETIME,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def delete_expired(*, at: datetime) -> int:
    """Delete counts whose window has ended; return how many."""
    return LoginAttempt.objects.filter(since__lte=at - WINDOW).delete()[0]


def client_address(request: HttpRequest) -> str:
    """Return the IP address of the client. `X-Forwarded-For` counts only as far as our own proxies wrote it."""
    if settings.PROXIES:
        hops = request.headers.get("X-Forwarded-For", "").split(",")
        if len(hops) >= settings.PROXIES:
            return str(hops[-settings.PROXIES].strip())
    return str(request.META.get("REMOTE_ADDR", ""))


def client_network(request: HttpRequest) -> str:
    """Return the network of the client: its IPv4 address, or the /64 of its IPv6 address, which one customer holds."""
    address = client_address(request)
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    if isinstance(parsed, IPv6Address) and mapped is None:
        return str(IPv6Network((parsed, 64), strict=False))
    return str(mapped or parsed)


def _keys(request: HttpRequest, name: str) -> tuple[str, str]:
    """Return the keys under which an attempt is counted: the address, and the known device or else the name."""
    known = request.get_signed_cookie(settings.DEVICE_COOKIE_NAME, default="", salt=SALT, max_age=DEVICE_LIFETIME)
    kind = "device" if known == _digest(name) else "name"
    return f"address {client_address(request)}"[:100], f"{kind} {_digest(name)}"


def _digest(name: str) -> str:
    # What was typed as a name may be a password: only its digest is stored.
    return sha256(name.strip().lower().encode(errors="surrogatepass")).hexdigest()


def _limit(key: str) -> int:
    return MAX_PER_DEVICE if key.startswith("device") else MAX_PER_NAME


@transaction.atomic
def _increment(key: str, at: datetime) -> int:
    row, _ = LoginAttempt.objects.select_for_update().get_or_create(key=key, defaults={"since": at})
    if row.since <= at - WINDOW:
        row.since, row.count = at, 0
    row.count += 1
    row.save()
    return row.count


def _current(key: str, at: datetime) -> int:
    row = LoginAttempt.objects.filter(key=key, since__gt=at - WINDOW).first()
    return row.count if row else 0
