"""Programs that call the REST API with an API key."""

import json
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from merchants import api_keys
from merchants.models import Merchant
from tests.support import contract
from tests.support.members import clock
from tests.support.world import merchant

NUMBERS = count()


@dataclass
class Answer:
    """Response to a program."""

    status: int
    body: Any
    headers: dict[str, str]


class Program:
    """A client with an API key. Each write has a new Idempotency-Key unless `once` is given; None sends none."""

    def __init__(self, secret: str, **headers: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"authorization": f"Bearer {secret}", **headers} if secret else headers

    def get(self, path: str, **headers: str) -> Answer:
        return _answer("get", path, self.client.get(f"/api/v1/{path}", headers={**self.headers, **headers}))

    def list(self, path: str) -> Any:
        """Return the first page of a list."""
        answer = self.get(path)
        assert answer.status == 200, answer.body
        return answer.body["results"]

    def post(self, path: str, body: Any = None, *, once: str | None = "new", **headers: str) -> Answer:
        own = {"idempotency-key": f"call-{next(NUMBERS)}" if once == "new" else once} if once is not None else {}
        raw = body if isinstance(body, bytes) else json.dumps(body, default=str)
        sent = {**self.headers, **own, **headers}
        response = self.client.post(f"/api/v1/{path}", raw, content_type="application/json", headers=sent)
        return _answer("post", path, response)

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request with any method; a write has a new Idempotency-Key."""
        if method == "get":
            return self.get(path)
        sent = {**self.headers, "idempotency-key": f"call-{next(NUMBERS)}"}
        raw = json.dumps(body) if body is not None else ""
        call = getattr(self.client, method)
        response = call(f"/api/v1/{path}", raw, content_type="application/json", headers=sent)
        return _answer(method, path, response)


def _answer(method: str, path: str, response: Any) -> Answer:
    """Return a response as plain values. Fails unless it is as the schema declares it."""
    headers, content = dict(response.headers), response.content
    address = unquote(urlsplit(f"/api/v1/{path}").path)
    kind = headers.get("Content-Type", "").partition(";")[0]
    contract.check(method, address, status=response.status_code, content_type=kind, body=content)
    return Answer(response.status_code, json.loads(content) if content else None, headers)


def program(*scopes: str, of: str | None = None) -> Program:
    """Issue an API key with the scopes, to the platform or to a merchant (`of`), and return a client with it."""
    owner = Merchant.objects.get(pk=of) if of else None
    _key, secret = api_keys.issue("test", scopes=scopes, merchant=owner, at=timezone.now(), by="test")
    return Program(secret)


FACT = {
    "order_no": "A",
    "merchant_code": "M1",
    "service": "express",
    "line": "us-charter-select",
    "base_freight": "1000.00",
    "currency": "CNY",
    "placed_at": "2022-09-02T10:00:00Z",
    "paid_at": "2022-09-02T12:00:00+08:00",
}


def claim_with_fact(**fact: Any) -> dict[str, Any]:
    """Return the body of a claim that brings its freight order, `FACT` with some values replaced."""
    return {"subject": "freight_order", "fact": {**FACT, **fact}}


@pytest.fixture
def platform(db: None, settings: Settings) -> Program:
    """Return a program of the platform, on 3 September 2022, 00:00 UTC, in a marketplace of M1 and M2."""
    settings.DEMO, settings.API_RATE = True, 10**6
    clock("03")
    merchant("M1")
    merchant("M2")
    return program("read", "claim", "facts")
