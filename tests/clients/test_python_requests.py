"""Python client: repetitions, waits, errors, the asynchronous client and webhooks, without a server."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from fairground_client import (
    AsyncFairground,
    Fairground,
    Problem,
    Refused,
    UnavailableError,
    WebhookError,
    verify_webhook,
)
from standardwebhooks.webhooks import Webhook

SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
AT = datetime(2022, 9, 2, tzinfo=UTC)
BODY = json.dumps({"type": "endpoint.tested", "timestamp": "2022-09-02T00:00:00Z", "data": {}})


class Server:
    """Answers with the given responses, one after the other, and records the requests."""

    def __init__(self, *responses: httpx.Response) -> None:
        self.responses, self.requests = iter(responses), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return next(self.responses)

    @property
    def keys(self) -> list[str]:
        return [request.headers.get("Idempotency-Key", "") for request in self.requests]


def client(server: Server, **options: Any) -> tuple[Fairground, list[float]]:
    waits: list[float] = []
    http = httpx.Client(transport=httpx.MockTransport(server))
    return Fairground("https://x.example/", "fg_k", http=http, sleep=waits.append, jitter=0, **options), waits


def answer(status: int, body: object = None, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body or {}, headers={name.replace("_", "-"): v for name, v in headers.items()})


CLAIM = {"state": "settled"}


def test_a_write_has_one_idempotency_key_in_all_attempts() -> None:
    server = Server(answer(503), answer(429), answer(409, {"code": "in_progress"}), answer(201, CLAIM))
    fairground, waits = client(server)
    assert fairground.claim("freight_order", "A")["state"] == "settled"
    assert (len(set(server.keys)), len(server.keys), waits) == (1, 4, [0.2, 0.4, 0.8])
    assert server.requests[0].headers["Authorization"] == "Bearer fg_k"


def test_each_call_is_a_write_of_its_own_unless_a_key_is_given() -> None:
    server = Server(*(answer(201, CLAIM) for _ in range(4)))
    fairground, _waits = client(server)
    for key in (None, None, "mine", "mine"):
        fairground.claim("freight_order", "A", idempotency_key=key)
    assert len(set(server.keys[:2])) == 2
    assert server.keys[2:] == ["mine", "mine"]


def test_retry_after_is_honoured_as_a_number_and_as_an_instant() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    server = Server(answer(503, Retry_After="7"), answer(503, Retry_After=later), answer(200, CLAIM))
    fairground, waits = client(server)
    fairground.get_claim("freight_order", "A")
    assert waits[0] == 7.0
    assert 90 < waits[1] <= 100


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_other_errors_are_not_repeated(status: int) -> None:
    server = Server(answer(status, {"code": "invalid", "detail": "no"}, X_Request_ID="r-1"))
    fairground, waits = client(server)
    with pytest.raises(Problem) as error:
        fairground.get_quota("o")
    assert (error.value.status, error.value.code, error.value.request_id, waits) == (status, "invalid", "r-1", [])
    assert not isinstance(error.value, Refused)


def test_no_response_after_all_attempts() -> None:
    fairground, waits = client(Server(*(answer(503) for _ in range(3))), attempts=3)
    with pytest.raises(UnavailableError, match="503 , 3 attempts"):
        fairground.get_quota("o")
    assert waits == [0.2, 0.4]


def test_keys_are_encoded_in_addresses() -> None:
    server = Server(answer(200, CLAIM))
    client(server)[0].get_claim("freight_order", "SO/1 ü")
    assert server.requests[0].url.raw_path == b"/api/v1/claims/freight_order/SO%2F1%20%C3%BC/"


def test_waits_are_random_by_a_share() -> None:
    waits: list[float] = []
    http = httpx.Client(transport=httpx.MockTransport(Server(*(answer(503) for _ in range(5)))))
    fairground = Fairground("https://x.example", "fg_k", http=http, sleep=waits.append, first_wait=1.0, jitter=0.5)
    with pytest.raises(UnavailableError):
        fairground.get_quota("o")
    assert all(2**n <= wait <= 1.5 * 2**n for n, wait in enumerate(waits))


def test_the_asynchronous_client_repeats_pages_and_raises_alike() -> None:
    first = {"next": "https://x.example/api/v1/offers/?cursor=c", "previous": None, "results": [{"code": "a"}]}
    last = {"next": None, "previous": None, "results": [{"code": "b"}]}
    refusal = answer(409, {"code": "refused", "detail": "", "answers": []})
    server, waits = Server(answer(503), answer(200, first), answer(200, last), refusal), list[float]()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def run() -> list[str]:
        http = httpx.AsyncClient(transport=httpx.MockTransport(server))
        async with AsyncFairground("https://x.example", "fg_k", http=http, sleep=sleep, jitter=0) as fairground:
            codes = [offer["code"] async for offer in fairground.list_offers()]
            with pytest.raises(Refused):
                await fairground.claim("freight_order", "A")
            return codes

    assert asyncio.run(run()) == ["a", "b"]
    assert waits == [0.2]
    assert str(server.requests[2].url) == first["next"]


def signed(body: str = BODY, at: datetime = AT) -> dict[str, str]:
    signature = Webhook(SECRET).sign("msg_1", at, body)
    return {"Webhook-Id": "msg_1", "Webhook-Timestamp": str(int(at.timestamp())), "Webhook-Signature": signature}


@pytest.mark.parametrize("body", [BODY, BODY.encode()])
def test_a_webhook_is_verified(body: str | bytes) -> None:
    assert verify_webhook(SECRET, headers=signed(), body=body, now=AT.timestamp() + 299)["type"] == "endpoint.tested"


def test_one_of_several_signatures_is_enough() -> None:
    headers = signed()
    headers["Webhook-Signature"] = f"v1,AAAA {headers['Webhook-Signature']} v2,BBBB"
    assert verify_webhook(SECRET, headers=headers, body=BODY, now=AT.timestamp())


def faults() -> Iterator[tuple[str, Callable[[], object]]]:
    now = AT.timestamp()
    yield "old", lambda: verify_webhook(SECRET, headers=signed(), body=BODY, now=now + 301)
    yield "future", lambda: verify_webhook(SECRET, headers=signed(), body=BODY, now=now - 301)
    yield "changed", lambda: verify_webhook(SECRET, headers=signed(), body=BODY + " ", now=now)
    yield "unsigned", lambda: verify_webhook(SECRET, headers={}, body=BODY, now=now)
    yield "other secret", lambda: verify_webhook("whsec_AAAA", headers=signed(), body=BODY, now=now)
    yield "other id", lambda: verify_webhook(SECRET, headers={**signed(), "Webhook-Id": "x"}, body=BODY, now=now)
    yield (
        "no number",
        lambda: verify_webhook(SECRET, headers={**signed(), "Webhook-Timestamp": "x"}, body=BODY, now=now),
    )


@pytest.mark.parametrize(("name", "verify"), list(faults()), ids=[name for name, _ in faults()])
def test_a_webhook_that_is_not_genuine_is_refused(name: str, verify: Callable[[], object]) -> None:
    with pytest.raises(WebhookError):
        verify()
