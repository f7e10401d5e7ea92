"""Requests over HTTP: asked again, with growing gaps, where that is safe and may help."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin
from uuid import uuid4

import urllib3

from fairground_client.exceptions import Problem, Refused, UnavailableError

AGAIN = (429, 502, 503, 504)
IN_PROGRESS = "in_progress"
CONFLICT = 409
REFUSALS = ("quota_exhausted", "merchant_cap", "stopped", "refused")


@dataclass
class Wire:
    """How to reach a server: where, with which key, in which language, for how long, how often."""

    url: str
    key: str
    language: str = "en"
    timeout: float = 10.0
    tries: int = 5
    gap: float = 0.2
    sleep: Callable[[float], object] = time.sleep
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=32, retries=False))

    def get(self, path: str, **query: object) -> Any:
        """What stands at an address of version 1, or at a whole one."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._asked("GET", path + (f"?{urlencode(given)}" if given else ""), None, {})

    def write(self, method: str, path: str, body: object, *, once: str | None) -> Any:
        """Have something done once. `once` names the call; without it a name is made up, and lasts for its tries."""
        return self._asked(method, path, body, {"Idempotency-Key": once or str(uuid4())})

    def ask(self, path: str, body: object) -> Any:
        """Send something that changes nothing."""
        return self._asked("POST", path, body, {})

    def _asked(self, method: str, path: str, body: object, more: Mapping[str, str]) -> Any:
        last, wait = "", 0.0
        for n in range(self.tries):
            if n:
                self.sleep(wait)
            wait = self.gap * 2**n
            try:
                answer = self._sent(method, path, body, more)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                last = str(error)
                continue
            told = _read(answer)
            if answer.status < 400:
                return told
            if answer.status not in AGAIN and told.get("code") != IN_PROGRESS:
                raise _problem(answer.status, told)
            last = f"{answer.status} {told.get('code', '')}"
            wait = max(wait, float(answer.headers.get("Retry-After", 0)))
        raise UnavailableError(f"{method} {path}: {last}, {self.tries} times")

    def _sent(self, method: str, path: str, body: object, more: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        headers = {"Authorization": f"Bearer {self.key}", "Accept-Language": self.language, **more}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body, default=str).encode(), "application/json"
        whole = urljoin(f"{self.url.rstrip('/')}/api/v1/", path)
        return self.pool.request(method, whole, body=data, headers=headers, timeout=self.timeout)


def _read(answer: urllib3.BaseHTTPResponse) -> Any:
    try:
        return json.loads(answer.data)
    except ValueError:
        return {"detail": answer.data[:200].decode(errors="replace")}  # from a proxy, say


def _problem(status: int, told: dict[str, Any]) -> Problem:
    return (Refused if status == CONFLICT and told.get("code") in REFUSALS else Problem)(status, told)
