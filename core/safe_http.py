"""A request to an address that somebody else chose: never to a machine of ours (faults.md, S10).

The name is resolved once, every address it has must be a public one, and the connection goes to that very address, so
that a name which answers differently the second time gains nothing. Redirects are not followed.
"""

import socket
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import certifi
import urllib3
from django.conf import settings
from django.utils.translation import gettext as _

TIMEOUT = urllib3.Timeout(connect=3.0, read=5.0)
MOST_READ = 1_000
# Addresses of IPv6 that hold one of IPv4, by which a private one could be meant.
WRAPPED = tuple(map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))


class AddressError(Exception):
    """Nothing is sent there; the text says why."""


def check(url: str) -> tuple[str, str, int]:
    """The scheme, host and port of an address that may be used at all. Raises AddressError."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise AddressError(_("This is not an address.")) from error
    schemes = ("https", "http") if settings.WEBHOOKS_PRIVATE else ("https",)
    if parts.scheme not in schemes or not parts.hostname:
        raise AddressError(_("The address must begin with https://."))
    if parts.username or parts.password:
        raise AddressError(_("The address must not hold a password."))
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80)


def resolve(host: str, port: int) -> str:
    """An address of the host. Raises AddressError where one of its addresses is not public."""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise AddressError(_("The host is not known.")) from error
    if not settings.WEBHOOKS_PRIVATE and not all(is_public(ip_address(str(one).partition("%")[0])) for one in found):
        raise AddressError(_("The host has an address that is not public."))
    return str(min(found, key=str))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the open internet."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in WRAPPED):
            return False
    return address.is_global and not address.is_multicast


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send `body`; returns the status of the answer. Raises AddressError, or urllib3's errors where none came."""
    scheme, host, port = check(url)
    address = resolve(host, port)
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = {**headers, "Host": parts.netloc}
    pool: urllib3.HTTPConnectionPool
    if scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            address,
            port,
            server_hostname=host,
            assert_hostname=host,
            ca_certs=certifi.where(),
            cert_reqs="CERT_REQUIRED",
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, port)
    with pool:
        answer = pool.request(
            "POST", target, body=body, headers=sent, timeout=TIMEOUT, retries=False, redirect=False,
            preload_content=False,
        )  # fmt: skip
        answer.read(MOST_READ)
        answer.release_conn()
        return int(answer.status)
