"""Requests to URLs that users enter, which must not reach machines of the own network (SSRF).

The host name is resolved once, all of its addresses must be public, and the connection goes to one of them: a name that
resolves differently the second time gains nothing. Redirects are not followed.
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
# IPv6 networks whose addresses contain an IPv4 address, which might be private.
IPV4_IN_IPV6 = tuple(map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))


class AddressError(Exception):
    """The URL is not permitted; the text says why."""


def check(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of a URL. Raises AddressError if it is not permitted."""
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
    """Return an IP address of the host. Raises AddressError if it has none, or one that is not public."""
    try:
        addresses = {info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise AddressError(_("The host is not known.")) from error
    if not settings.WEBHOOKS_PRIVATE and not all(
        is_public(ip_address(str(address).partition("%")[0])) for address in addresses
    ):
        raise AddressError(_("The host has an address that is not public."))
    return str(min(addresses, key=str))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return true for an address of the public internet."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in IPV4_IN_IPV6):
            return False
    return address.is_global and not address.is_multicast


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send `body` by POST and return the status of the response.

    Raises AddressError, or an error of urllib3 if there is no response.
    """
    scheme, host, port = check(url)
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with _pool(scheme, host, resolve(host, port), port) as pool:
        response = pool.request(
            "POST",
            target,
            body=body,
            headers={**headers, "Host": parts.netloc},
            timeout=TIMEOUT,
            retries=False,
            redirect=False,
            preload_content=False,  # a huge response must not fill the memory
        )
        response.read(MOST_READ)
        response.release_conn()
        return int(response.status)


def _pool(scheme: str, host: str, address: str, port: int) -> urllib3.HTTPConnectionPool:
    """Return a pool that connects to the address, but verifies the certificate of the host."""
    if scheme != "https":
        return urllib3.HTTPConnectionPool(address, port)
    return urllib3.HTTPSConnectionPool(
        address,
        port,
        server_hostname=host,
        assert_hostname=host,
        ca_certs=certifi.where(),
        cert_reqs="CERT_REQUIRED",
    )
