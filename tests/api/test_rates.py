"""Rate limit: exact, announced in headers, and open when Redis fails."""

import time
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings as configured
from pytest_django import Settings

from api import throttling
from campaigns.models import Decision
from merchants.models import ApiKey
from tests.support.concurrency import at_once
from tests.support.programs import Program, program
from tests.support.servers import PATIENCE, PrivateRedis, takes_at_most
from tests.support.world import freight, offer, publish


@pytest.fixture(autouse=True)
def anew() -> None:
    throttling._WINDOWS.clear()
    throttling._server.cache_clear()


def name() -> str:
    return f"test-{time.monotonic_ns()}"


@pytest.mark.django_db
def test_requests_above_the_rate_get_429(platform: Program, settings: Settings) -> None:
    settings.API_RATE = 3
    settings.REDIS_URL = ""
    answers = [platform.get("offers/") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit"].partition(";t=")[0] for answer in answers] == [
        '"key";r=2',
        '"key";r=1',
        '"key";r=0',
        '"key";r=0',
    ]
    assert answers[0].headers["RateLimit-Policy"] == '"key";q=3;w=60'
    assert 0 < int(answers[3].headers["Retry-After"]) <= 60
    assert (answers[3].body["code"], answers[3].headers["Content-Type"]) == ("throttled", "application/problem+json")
    assert program("read").get("offers/").status == 200  # each key counts for itself
    assert "RateLimit" not in Program("").get("offers/").headers


@pytest.mark.django_db
def test_a_request_above_the_rate_claims_nothing(platform: Program, settings: Settings) -> None:
    settings.API_RATE, settings.REDIS_URL = 1, ""
    publish(offer("o"))
    freight("F1", paid_at="02")
    body = {"subject": "freight_order", "key": "F1"}
    platform.get("offers/")
    assert platform.post("claims/", body).status == 429
    assert not Decision.objects.exists()
    assert ApiKey.objects.count() == 1


def test_each_minute_is_a_new_window(settings: Settings) -> None:
    own_name = name()
    assert [throttling._count_in_process(own_name, at)[0] for at in (0.0, 1.0, 59.9, 60.0, 61.0)] == [1, 2, 3, 1, 2]


def burst(own_name: str, allowed: int) -> int:
    return sum(n <= allowed for n, _left in at_once([lambda: throttling.count(own_name)] * 60))


@pytest.mark.redis
def test_of_sixty_concurrent_requests_exactly_ten_pass() -> None:
    assert burst(name(), 10) == 10


def test_the_count_is_exact_in_one_process_without_redis(settings: Settings) -> None:
    settings.REDIS_URL = ""
    assert burst(name(), 10) == 10


@pytest.mark.redis
def test_control_read_then_write_lets_all_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """All requests have read the count before one writes it."""
    server: Any = throttling._server(configured.REDIS_URL)
    all_have_read = Barrier(60)

    def read_then_write(own_name: str) -> tuple[int, float]:
        n = int(server.get(own_name) or 0) + 1
        all_have_read.wait(PATIENCE)
        server.set(own_name, n, ex=60)
        return n, 60.0

    monkeypatch.setattr(throttling, "count", read_then_write)
    assert burst(name(), 10) == 60


def test_a_redis_that_hangs_lets_all_requests_through(private_redis: PrivateRedis, settings: Settings) -> None:
    settings.REDIS_URL = private_redis.url
    own_name = name()
    assert throttling.count(own_name)[0] == 1
    private_redis.freeze()
    counts: list[int] = []
    assert takes_at_most(2, lambda: counts.append(throttling.count(own_name)[0]))
    assert set(counts) == {0}
