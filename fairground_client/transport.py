"""HTTP requests, repeated with growing waits where that is safe and may help."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin
from uuid import uuid4

import urllib3

from fairground_client.exceptions import Problem, Refused, UnavailableError

RETRY_STATUSES = (429, 502, 503, 504)
IN_PROGRESS = "in_progress"
CONFLICT = 409
CLAIM_REFUSALS = ("quota_exhausted", "merchant_cap", "stopped", "refused", "before_opening", "ended")


@dataclass
class Transport:
    """Connection to a server.

    `language`: of texts for people, `en` or `zh-hans`. `timeout`: seconds for each attempt. `attempts`: at most.
    `first_wait`: seconds before the second attempt; each further wait is twice as long, or what Retry-After asks for.
    """

    url: str
    key: str
    language: str = "en"
    timeout: float = 10.0
    attempts: int = 5
    first_wait: float = 0.2
    sleep: Callable[[float], object] = time.sleep
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=32, retries=False))

    def get(self, path: str, **query: object) -> Any:
        """Read a path of version 1, or a whole URL. Query parameters that are None are left out."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._request("GET", path + (f"?{urlencode(given)}" if given else ""), None, {})

    def post(self, path: str, body: object) -> Any:
        """Send a request that changes nothing."""
        return self._request("POST", path, body, {})

    def write(self, method: str, path: str, body: object, *, idempotency_key: str | None) -> Any:
        """Send a write, with a new Idempotency-Key unless one is given. It is the same in all attempts."""
        return self._request(method, path, body, {"Idempotency-Key": idempotency_key or str(uuid4())})

    def _request(self, method: str, path: str, body: object, headers: Mapping[str, str]) -> Any:
        reason, wait = "", 0.0
        for n in range(self.attempts):
            if n:
                self.sleep(wait)
            wait = self.first_wait * 2**n
            try:
                response = self._send(method, path, body, headers)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                reason = str(error)
                continue
            data = _parse(response)
            if response.status < 400:
                return data
            if response.status not in RETRY_STATUSES and data.get("code") != IN_PROGRESS:
                raise _problem(response.status, data)
            reason = f"{response.status} {data.get('code', '')}"
            wait = max(wait, float(response.headers.get("Retry-After", 0)))
        raise UnavailableError(f"{method} {path}: {reason}, {self.attempts} attempts")

    def _send(self, method: str, path: str, body: object, more: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        headers = {"Authorization": f"Bearer {self.key}", "Accept-Language": self.language, **more}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body, default=str).encode(), "application/json"
        url = urljoin(f"{self.url.rstrip('/')}/api/v1/", path)
        return self.pool.request(method, url, body=data, headers=headers, timeout=self.timeout)


def _parse(response: urllib3.BaseHTTPResponse) -> Any:
    try:
        return json.loads(response.data)
    except ValueError:  # an error page of a proxy, for example
        return {"detail": response.data[:200].decode(errors="replace")}


def _problem(status: int, body: dict[str, Any]) -> Problem:
    kind = Refused if status == CONFLICT and body.get("code") in CLAIM_REFUSALS else Problem
    return kind(status, body)
