"""Programs with keys: the platform's, a merchant's, and what they call."""

import json
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from merchants import api_keys
from merchants.models import Merchant
from tests.support.members import clock
from tests.support.world import merchant

NUMBERS = count()


@dataclass
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]


class Program:
    """A caller with a key; each write names itself anew unless `once` is given."""

    def __init__(self, secret: str, **headers: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"authorization": f"Bearer {secret}", **headers} if secret else headers

    def get(self, path: str, **headers: str) -> Answer:
        return self._told(self.client.get(f"/api/v1/{path}", headers={**self.headers, **headers}))

    def post(self, path: str, body: Any = None, *, once: str | None = "new", **headers: str) -> Answer:
        own = {"idempotency-key": f"call-{next(NUMBERS)}" if once == "new" else once} if once is not None else {}
        raw = body if isinstance(body, bytes) else json.dumps(body, default=str)
        sent = {**self.headers, **own, **headers}
        return self._told(self.client.post(f"/api/v1/{path}", raw, content_type="application/json", headers=sent))

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Whatever the method; a write names itself anew."""
        if method == "get":
            return self.get(path)
        sent = {**self.headers, "idempotency-key": f"call-{next(NUMBERS)}"}
        raw = json.dumps(body) if body is not None else ""
        call = getattr(self.client, method)
        return self._told(call(f"/api/v1/{path}", raw, content_type="application/json", headers=sent))

    def _told(self, response: Any) -> Answer:
        body = json.loads(response.content) if response.content else None
        return Answer(response.status_code, body, dict(response.headers))


def program(*scopes: str, of: str | None = None) -> Program:
    whose = Merchant.objects.get(pk=of) if of else None
    _key, secret = api_keys.issue("test", scopes=scopes, merchant=whose, at=timezone.now(), by="test")
    return Program(secret)


@pytest.fixture
def platform(db: None, settings: Settings) -> Program:
    """The platform's program, on 3 September 2022, 00:00 UTC, in a marketplace of M1 and M2."""
    settings.DEMO = True
    clock("03")
    merchant("M1")
    merchant("M2")
    return program("read", "claim", "facts")
