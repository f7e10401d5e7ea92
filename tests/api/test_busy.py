"""More requests than database connections, and offers that another transaction locks for long."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from urllib3 import HTTPConnectionPool

from api.models import IdempotencyRecord
from campaigns.models import Decision
from campaigns.offers import published_offers
from merchants import api_keys
from tests.support.members import member
from tests.support.processes import lock_waiters, url
from tests.support.servers import SECRET_KEY, wait_until, web
from tests.support.world import freight, merchant, offer, publish, used

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

CONNECTIONS = 3
ORDERS = 6


@dataclass
class Answer:
    """Response of the server."""

    status: int
    again_in: str | None
    body: str

    @property
    def told(self) -> Any:
        """The body of an answer for programs."""
        return json.loads(self.body)


class Caller:
    """Client of one server."""

    def __init__(self, port: int, secret: str) -> None:
        self.pool, self.secret = HTTPConnectionPool("127.0.0.1", port, maxsize=ORDERS + 2), secret

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json", **headers}
        payload = json.dumps(body) if body else None
        response = self.pool.request(
            method, path, body=payload, headers=sent, timeout=60, retries=False, redirect=False
        )
        return Answer(response.status, response.headers.get("Retry-After"), response.data.decode())

    def quote(self, n: int) -> Answer:
        return self.ask("POST", "/api/v1/quotes/", {"subject": "freight_order", "key": f"F{n}"})

    def claim(self, n: int) -> Answer:
        order = {"subject": "freight_order", "key": f"F{n}"}
        return self.ask("POST", "/api/v1/claims/", order, **{"Idempotency-Key": f"claim-{n}"})

    def quota(self) -> Answer:
        return self.ask("GET", "/api/v1/offers/o/quota/")


@pytest.fixture
def secret(db: None) -> str:
    """API key of a program, in a marketplace with orders that can claim."""
    merchant()
    publish(offer("o", quota="{limit: 10}"))
    for n in range(ORDERS):
        freight(f"F{n}", paid_at="02")
    return api_keys.issue("test", scopes=["read", "claim"], at=timezone.now(), by="test")[1]


@pytest.fixture
def crowd() -> Iterator[Callable[..., "Future[Answer]"]]:
    """Function that starts a request in another thread."""
    with ThreadPoolExecutor(ORDERS) as pool:
        yield pool.submit


def test_without_a_free_connection_requests_get_503(secret: str, crowd: Callable[..., Any], settings: Settings) -> None:
    settings.SECRET_KEY = SECRET_KEY  # the session is the server's too
    browser = Client()
    browser.force_login(member("m@example.com").user)
    session = {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"}
    few = {"FAIRGROUND_CONNECTIONS": str(CONNECTIONS), "FAIRGROUND_LOCK_SECONDS": "60"}
    with web("--workers 1 --threads 8", DATABASE_URL=url(), **few) as port:
        caller = Caller(port, secret)
        with transaction.atomic():
            published_offers.send_about("freight_order", held=True)()
            holding = [crowd(caller.quote, n) for n in range(CONNECTIONS)]
            wait_until(lambda: lock_waiters() == CONNECTIONS, "all connections wait for the offer")
            refused = [crowd(partial(caller.claim, 5)), crowd(caller.quota), crowd(caller.ask, "GET", "/", **session)]
            for answer in (future.result() for future in refused):
                assert (answer.status, answer.again_in) == (503, "2")
            assert refused[0].result().told["code"] == "unavailable"
            assert "Temporarily unavailable" in refused[2].result().body
            assert (Decision.objects.count(), IdempotencyRecord.objects.count(), used("o")) == (0, 0, 0)
        assert [future.result().status for future in holding] == [200] * CONNECTIONS
        assert [caller.claim(5).status, caller.quota().told["used"]] == [201, 1]
        assert caller.ask("GET", "/", **session).status == 200


def test_waiting_claims_hold_no_connection(secret: str, crowd: Callable[..., Any]) -> None:
    with web(
        "--workers 1 --threads 8", DATABASE_URL=url(), FAIRGROUND_CONNECTIONS="2", FAIRGROUND_LOCK_SECONDS="60"
    ) as port:
        caller = Caller(port, secret)
        with transaction.atomic():
            published_offers.send_about("freight_order", held=True)()
            claims = [crowd(caller.claim, n) for n in range(ORDERS)]
            wait_until(lambda: lock_waiters() == 1, "one decides for all")
            assert [caller.quota().status for _ in range(3)] == [200] * 3
        assert [future.result().status for future in claims] == [201] * ORDERS
    assert used("o") == ORDERS


def test_claims_do_not_wait_long_for_locked_offers(secret: str, crowd: Callable[..., Any]) -> None:
    with web(
        "--workers 1 --threads 8", DATABASE_URL=url()
    ) as port:  # one second, unless an installation says otherwise
        caller = Caller(port, secret)
        with transaction.atomic():
            published_offers.send_about("freight_order", held=True)()
            claims = [crowd(caller.claim, n) for n in range(ORDERS)]
            assert [(future.result().status, future.result().again_in) for future in claims] == [(503, "2")] * ORDERS
            assert (Decision.objects.count(), IdempotencyRecord.objects.count(), used("o")) == (0, 0, 0)
        assert [caller.claim(n).status for n in range(ORDERS)] == [201] * ORDERS
    assert used("o") == ORDERS
