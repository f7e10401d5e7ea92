"""How often a program may call: so many calls a minute for each key, counted exactly, in Redis where there is one.

It protects the machine and is never taken for a cap: who gets a place is decided by the quota alone. A Redis that does
not answer lets everybody through.
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
    from rest_framework.views import APIView  # it imports this module by its settings

logger = logging.getLogger(__name__)
WINDOW = 60
COUNT = """
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {n, redis.call('PTTL', KEYS[1])}
"""
_LOCK = Lock()
_COUNTED: dict[str, tuple[int, float]] = {}


@lru_cache(maxsize=1)
def _server(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5)


def take(name: str) -> tuple[int, float]:
    """Count one more call of `name`: returns which it is in its window, and the seconds until that ends."""
    if settings.REDIS_URL:
        try:
            n, left = _server(settings.REDIS_URL).eval(COUNT, 1, f"fairground:rate:{name}", WINDOW * 1000)
            return int(n), max(int(left), 0) / 1000
        except redis.RedisError as error:
            logger.warning("Calls are not counted, Redis does not answer: %s", error)
            return 0, WINDOW
    return _take_here(name, time.monotonic())


def _take_here(name: str, now: float) -> tuple[int, float]:
    """The same in this process, for the embedded default, which has one."""
    with _LOCK:
        count, ends = _COUNTED.get(name, (0, now + WINDOW))
        if now >= ends:
            count, ends = 0, now + WINDOW
        _COUNTED[name] = (count + 1, ends)
    return count + 1, ends - now


class KeyThrottle(BaseThrottle):
    """429 with Retry-After for a key that calls more often than `settings.API_RATE` a minute."""

    def allow_request(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002  # DRF hands it over
        if not isinstance(request.auth, ApiKey):
            return True  # refused already, or a page for everybody
        n, self.left = take(str(request.auth.pk))
        remaining = max(settings.API_RATE - n, 0)
        request._request.rate = (remaining, self.left)  # type: ignore[attr-defined]  # for the header below
        return bool(n <= settings.API_RATE)

    def wait(self) -> float:
        """Seconds after which it may call again."""
        return self.left


def headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: tell a program how many calls it has left, and for how long (IETF draft on RateLimit fields).

    What was answered to its key nobody in between may keep, and it itself only to ask whether it has changed.
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
