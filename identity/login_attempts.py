"""Lock-out after too many sign-in attempts for a name, or from a network, within 15 minutes.

Attempts are counted before the password is checked, so that many at the same time cannot exceed the limit; a right
password is not counted in the end, so that colleagues behind one address do not lock each other out. A device on which
the name has signed in before has a limit of its own: guessing locks out the attacker, and neither the owner nor the
owner's network.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from identity.rate_limits import RateLimit

WINDOW = timedelta(minutes=15)
PER_NAME = RateLimit("sign-in-name", 5, WINDOW)
PER_DEVICE = RateLimit("sign-in-device", 10, WINDOW)
PER_NETWORK = RateLimit("sign-in-network", 50, WINDOW)
DEVICE_LIFETIME = timedelta(days=180)
SALT = "device"


def count_attempt(request: HttpRequest, name: str, *, at: datetime) -> bool:
    """Count an attempt for the name. Return true if the password may be checked."""
    return all(limit.allows(of, at=at) for limit, of in _limits(request, name))


def is_locked_out(request: HttpRequest, name: str, *, at: datetime) -> bool:
    """Return true if attempts for the name, from this device, are refused without checking the password."""
    return any(limit.is_exceeded(of, at=at) for limit, of in _limits(request, name))


def reset(request: HttpRequest, name: str) -> None:
    """Clear the count of the name after a right password, and take the attempt off the count of the network."""
    for limit, of in _limits(request, name):
        if limit is PER_NETWORK:
            limit.forgive(of)
        else:
            limit.reset(of)


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


def _limits(request: HttpRequest, name: str) -> tuple[tuple[RateLimit, str], ...]:
    """Return the limits of an attempt: that of the known device, or else those of the network and the name."""
    known = request.get_signed_cookie(settings.DEVICE_COOKIE_NAME, default="", salt=SALT, max_age=DEVICE_LIFETIME)
    if known == _digest(name):
        return ((PER_DEVICE, _normal(name)),)
    return (PER_NETWORK, client_network(request)), (PER_NAME, _normal(name))


def _digest(name: str) -> str:
    return sha256(_normal(name).encode(errors="surrogatepass")).hexdigest()


def _normal(name: str) -> str:
    return name.strip().lower()
