"""Requests to URLs that users enter, which must not reach machines of the own network (SSRF).

The host name is resolved once, all of its addresses must be public, and the connection goes to one of them: a name that
resolves differently the second time gains nothing. Redirects are not followed.
"""

import socket
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from queue import Empty, LifoQueue
from threading import Event, Timer
from typing import Self, cast
from urllib.parse import urlsplit

import certifi
from django.conf import settings
from django.utils.translation import gettext as _
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

CONNECT = 3.0
"""Seconds that opening a connection may take, and each read or write after it."""
DEADLINE = 5.0
"""Seconds for the whole exchange after the name is resolved: connect, send, and receive the status and the headers."""
DRAIN = 1.0
"""Seconds that the content of an answer may take, if the connection is to be used again."""
MOST_READ = 1_000
"""Bytes of content up to which a connection is used again."""
LOOKUP_SECONDS = 2.0
"""Seconds that a request waits for the name server of an address that a user enters."""
HTTPS_PORT = 443
FIRST_FREE_PORT = 1024
"""Below it only HTTPS: the others belong to services such as mail and SSH, which nobody should reach through us."""
UNICAST = ip_network("2000::/3")
"""The only part of IPv6 from which public addresses are assigned."""
# Networks that Python counts as global: those whose addresses contain an IPv4 address, and relays of 6to4.
NOT_PUBLIC = tuple(
    map(ip_network, ("2002::/16", "2001::/23", "2001:db8::/32", "3fff::/20", "192.0.0.0/24", "192.88.99.0/24"))
)


_lookups = ThreadPoolExecutor(4, thread_name_prefix="lookup")


class AddressError(Exception):
    """The URL is not permitted; the text says why."""


def check(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of a URL. Raises AddressError if it is not permitted."""
    if not url.isascii():
        raise AddressError(_("The address must be ASCII: a host such as xn--fsq.example, a path with percent codes."))
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
    port = port or (HTTPS_PORT if parts.scheme == "https" else 80)
    if port != HTTPS_PORT and port < FIRST_FREE_PORT and not settings.WEBHOOKS_PRIVATE:
        raise AddressError(_("The port must be 443, or 1024 or higher."))
    return parts.scheme, parts.hostname, port


def check_public(url: str) -> None:
    """Raise AddressError unless the URL is permitted and its host is public.

    A name server that does not answer in time proves nothing: each delivery resolves the host again, and sends nothing
    to one that is not public.
    """
    _scheme, host, port = check(url)
    lookup = _lookups.submit(resolve, host, port)
    try:
        lookup.result(timeout=LOOKUP_SECONDS)
    except TimeoutError:
        lookup.cancel()


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
        if address not in UNICAST:  # among them ::127.0.0.1, fec0::1 and 64:ff9b::/96, which translates to IPv4
            return False
    if any(address.version == network.version and address in network for network in NOT_PUBLIC):
        return False
    return address.is_global and not address.is_multicast


@dataclass(frozen=True)
class Answer:
    """Status of a response, and its header Retry-After, empty without one."""

    status: int
    retry_after: str


class Receiver:
    """Connections to the host of a URL, kept open between requests. Threads may share it.

    The host is resolved and checked once: all connections go to the address that was checked. Raises AddressError.
    """

    def __init__(self, url: str) -> None:
        self._scheme, self._host, self._port = check(url)
        self._address = resolve(self._host, self._port)
        parts = urlsplit(url)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._host_header = parts.netloc
        self._idle: LifoQueue[HTTPConnection] = LifoQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        with suppress(Empty):
            while True:
                self._idle.get_nowait().close()

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send `body` by POST and return the answer, whose content does not matter.

        Raises an OSError or HTTPException if there is no response within DEADLINE seconds.
        """
        connection, sent = self._connection(), {**headers, "Host": self._host_header}
        try:
            with _deadline(connection, DEADLINE):
                connection.request("POST", self._target, body=body, headers=sent, preload_content=False)
                response = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        if _is_drained(connection, response):
            self._idle.put(connection)
        else:
            connection.close()
        return Answer(int(response.status), response.headers.get("Retry-After", ""))

    def _connection(self) -> HTTPConnection:
        try:
            return self._idle.get_nowait()
        except Empty:
            return _connection(self._scheme, self._host, self._address, self._port)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send `body` by POST over a connection of its own and return the status of the response.

    Raises AddressError, or an OSError or HTTPException if there is no response within DEADLINE seconds.
    """
    with Receiver(url) as receiver:
        return receiver.post(body, headers).status


def _is_drained(connection: HTTPConnection, response: HTTPResponse) -> bool:
    """Read a short content, so that the connection can be used again. Return False if it is long or slow."""
    length = response.headers.get("Content-Length", "")
    if not (length.isascii() and length.isdecimal() and int(length[:9]) <= MOST_READ):
        return False
    try:
        with _deadline(connection, DRAIN):
            return len(response.read(MOST_READ)) == int(length)
    except (OSError, HTTPException, HTTPError):
        return False


@contextmanager
def _deadline(connection: HTTPConnection, seconds: float) -> Iterator[None]:
    """Connect, unless that is done, and end the connection some seconds later. Raises TimeoutError then.

    The time limit of a socket is one for each read: a receiver that sends a byte a second would hold a worker for ever.
    """
    begun = time.monotonic()
    if not connection.is_connected:
        connection.close()
        connection.connect()
    expired = Event()

    def end() -> None:
        expired.set()
        with suppress(OSError):
            # That of the base class: the TLS layer's own method waits for the other side.
            socket.socket.shutdown(cast("socket.socket", connection.sock), socket.SHUT_RDWR)

    timer = Timer(max(0.0, begun + seconds - time.monotonic()), end)
    timer.daemon = True
    timer.start()
    error: Exception | None = None
    try:
        yield
    except (OSError, HTTPException, HTTPError) as caught:
        error = caught
    finally:
        timer.cancel()
    if expired.is_set():  # also without an error: headers that were cut off look like complete ones
        raise TimeoutError(f"no answer within {seconds:g} s") from error
    if error is not None:
        raise error


def _connection(scheme: str, host: str, address: str, port: int) -> HTTPConnection:
    """Return a connection to the address that verifies the certificate of the host."""
    if scheme != "https":
        return HTTPConnection(address, port, timeout=CONNECT)
    return HTTPSConnection(
        address,
        port,
        timeout=CONNECT,
        server_hostname=host,
        assert_hostname=host,
        ca_certs=certifi.where(),
        cert_reqs="CERT_REQUIRED",
    )
