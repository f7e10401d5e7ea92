"""Rate limit: requests a minute for each API key, counted exactly, in Redis if there is one.

It protects the server and has no part in who gets a place. If Redis does not answer, all requests are let through.
"""

import logging
import time
from collections.abc import Callable
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from merchants.models import ApiKey

if TYPE_CHECKING:
    from rest_framework.views import APIView  # DRF imports this module through its settings

logger = logging.getLogger(__name__)
WINDOW = 60
"""Seconds."""
COUNT_SCRIPT = """
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {n, redis.call('PTTL', KEYS[1])}
"""
_MUTEX = Lock()
_WINDOWS: dict[str, tuple[int, float]] = {}


@lru_cache(maxsize=1)
def _server(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5)


def count(name: str) -> tuple[int, float]:
    """Count a request of `name`. Return its number in the current window, and the seconds until that ends."""
    if settings.REDIS_URL:
        try:
            n, left = _server(settings.REDIS_URL).eval(COUNT_SCRIPT, 1, f"fairground:rate:{name}", WINDOW * 1000)
            return int(n), max(int(left), 0) / 1000
        except redis.RedisError as error:
            logger.warning("Requests are not counted, because Redis does not answer: %s", error)
            return 0, WINDOW
    return _count_in_process(name, time.monotonic())


def _count_in_process(name: str, now: float) -> tuple[int, float]:
    """Count in memory: the embedded default has one process."""
    with _MUTEX:
        n, ends = _WINDOWS.get(name, (0, now + WINDOW))
        if now >= ends:
            n, ends = 0, now + WINDOW
        _WINDOWS[name] = (n + 1, ends)
    return n + 1, ends - now


class KeyThrottle(BaseThrottle):
    """429 with Retry-After for a key with more than `settings.API_RATE` requests a minute."""

    def allow_request(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002  # signature of DRF
        if not isinstance(request.auth, ApiKey):
            return True  # refused without a key, or public
        n, self.left = count(str(request.auth.pk))
        remaining = max(settings.API_RATE - n, 0)
        request._request.rate = (remaining, self.left)  # type: ignore[attr-defined]  # for `headers`
        return bool(n <= settings.API_RATE)

    def wait(self) -> float:
        """Return the seconds until the key may call again."""
        return self.left


def headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: add the requests left in the window (IETF draft on RateLimit header fields).

    Responses to a key must not be stored by proxies, and by the client only to be revalidated.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        rate: Any = getattr(request, "rate", None)
        if rate is not None:
            remaining, left = rate
            response["Cache-Control"] = "private, no-cache"
            response["RateLimit-Policy"] = f'"key";q={settings.API_RATE};w={WINDOW}'
            response["RateLimit"] = f'"key";r={remaining};t={int(left) + 1}'
        return response

    return middleware
