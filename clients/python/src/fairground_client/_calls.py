"""Requests and responses without input and output: what the synchronous and the asynchronous client share."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx

from fairground_client.errors import Problem, Refused

BASE = "/api/v1/"
PAGE_SIZE = 100
RETRY_STATUSES = (429, 502, 503, 504)
IN_PROGRESS = "in_progress"
CONFLICT = 409
NO_BENEFIT = ("quota_exhausted", "merchant_cap", "holder_cap", "stopped", "refused", "before_opening", "ended")
LONGEST_WAIT = 60.0


@dataclass(frozen=True)
class Options:
    """Options of a client.

    `language`: of texts for people, `en` or `zh-hans`. `timeout`: seconds for each attempt. `attempts`: at most.
    `first_wait`: seconds before the second attempt; each further wait is twice as long, up to a minute, or what
    Retry-After asks for. `jitter`: share of a wait that is random, so that many clients do not return together.
    """

    language: str = "en"
    timeout: float = 10.0
    attempts: int = 5
    first_wait: float = 0.2
    jitter: float = 0.25

    def _spread(self) -> float:
        return 1 + self.jitter * random.random()  # noqa: S311  # no secret  # nosec B311

    def wait(self, attempt: int, response: httpx.Response | None) -> float:
        """Return the seconds to wait after an attempt, counted from 0, that failed."""
        grown: float = min(self.first_wait * 2.0**attempt, LONGEST_WAIT) * self._spread()
        return max(grown, retry_after(response) if response is not None else 0.0)


@dataclass(frozen=True)
class Call:
    """One request: the same in all attempts."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def arguments(self, key: str, options: Options) -> dict[str, Any]:
        """Return the arguments of `httpx.Client.request`."""
        headers = {"Authorization": f"Bearer {key}", "Accept-Language": options.language, **self.headers}
        content = None
        if self.body is not None:
            content, headers["Content-Type"] = json.dumps(self.body, default=str).encode(), "application/json"
        given = {name: value for name, value in self.query.items() if value is not None}
        more: dict[str, Any] = {"params": given} if given else {}
        return {"method": self.method, "url": self.path, "headers": headers, "content": content, **more}


def read(path: str, **query: Any) -> Call:
    """Return the call that reads a path of version 1, or an address that the server named."""
    return Call("GET", path if path.startswith(("/", "http")) else BASE + path, query)


def ask(path: str, body: object) -> Call:
    """Return a call that changes nothing although it has a body."""
    return Call("POST", BASE + path, body=body)


def write(method: str, path: str, body: object = None, *, idempotency_key: str | None, **query: Any) -> Call:
    """Return a write, with a new Idempotency-Key unless one is given."""
    headers = {"Idempotency-Key": idempotency_key or str(uuid4())}
    return Call(method, BASE + path, query, body, headers)


def path(*parts: object) -> str:
    """Return the path of an object: each part is encoded, and ends with a slash."""
    return "".join(f"{quote(str(part), safe='')}/" for part in parts)


def given(**values: object) -> dict[str, object]:
    """Return a body with the values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def claim_body(subject: str, key: str | None, fact: Mapping[str, object] | None) -> dict[str, object]:
    """Return the body of a claim: the subject by its key, or with its facts."""
    return {"subject": subject, **({"key": key} if fact is None else {"fact": dict(fact)})}


def retry_after(response: httpx.Response) -> float:
    """Return the seconds that a response asks to wait: a number or an instant in Retry-After."""
    text = response.headers.get("Retry-After", "")
    try:
        return max(float(text), 0.0)
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return 0.0


def parse(response: httpx.Response) -> Any:
    """Return the body of a response; a short text of one that is no JSON, such as the error page of a proxy."""
    try:
        return json.loads(response.content)
    except ValueError:
        return {"detail": response.text[:200]}


def should_repeat(response: httpx.Response, data: Any) -> bool:
    """Return whether another attempt may succeed."""
    return response.status_code in RETRY_STATUSES or (
        response.status_code == CONFLICT and data.get("code") == IN_PROGRESS
    )


def problem(response: httpx.Response, data: dict[str, Any]) -> Problem:
    """Return the exception for an error response."""
    is_refusal = response.status_code == CONFLICT and data.get("code") in NO_BENEFIT
    return (Refused if is_refusal else Problem)(response.status_code, data, response.headers.get("X-Request-ID", ""))
