"""Claims from many threads of a process: each is decided once, and threads that wait share a transaction."""

from collections import Counter
from functools import partial
from itertools import count
from typing import Any

import pytest
from django.db import OperationalError
from django.http import Http404
from django.utils import timezone

from api import claim_batch
from api.claim_batch import BATCHER, PendingClaim
from api.idempotency import IdempotentRequest
from campaigns.engine import instant_claims
from campaigns.models import Decision, Grant
from core import batching
from merchants import api_keys
from tests.support.concurrency import at_once
from tests.support.servers import wait_until
from tests.support.world import freight, merchant, offer, publish, t, used

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

THREADS = 16
NUMBERS = count()


@pytest.fixture
def api_key() -> int:
    """The API key of a program of the platform, in a marketplace of one merchant."""
    merchant()
    return api_keys.issue("test", scopes=["claim"], at=timezone.now(), by="test")[0].pk


def claim_at_once(api_key: int, subjects: list[str]) -> list[str]:
    """Claim from many threads that start at the same time; return the outcome or error of each claim."""
    shares = [subjects[n::THREADS] for n in range(THREADS)]
    outcomes = at_once([partial(claim_all, api_key, share) for share in shares])
    return [outcome for share in outcomes for outcome in share]


def claim_all(api_key: int, subjects: list[str]) -> list[str]:
    return [claim(api_key, subject) for subject in subjects]


def claim(api_key: int, subject: str) -> str:
    pending = PendingClaim(
        group=("freight_order", None),
        subject=subject,
        at=t("03"),
        identity=IdempotentRequest(api_key, f"call {next(NUMBERS)}", ""),
        merchant=None,
        language="en",
    )
    try:
        BATCHER.submit(pending)
    except Http404:
        return "unknown"
    except OperationalError as error:
        return str(error)
    assert pending.response is not None
    outcome: str = pending.response.data["outcome"]
    return outcome


def orders(n: int, **facts: Any) -> list[str]:
    keys = [f"F{i}" for i in range(n)]
    for i, key in enumerate(keys):
        freight(key, paid_at="02", **{name: value(i) for name, value in facts.items()})
    return keys


def everybody_waits() -> None:
    """Wait until all threads but the leader's are in the queue."""
    wait_until(lambda: len(BATCHER.waiting) == THREADS - 1, "the other threads wait")


def test_exactly_the_limit_is_granted(api_key: int) -> None:
    publish(offer("o", quota="{limit: 50}"))
    outcomes = Counter(claim_at_once(api_key, orders(160)))
    assert outcomes == {"granted": 50, "quota_exhausted": 110}
    assert used("o") == Grant.objects.count() == 50


def test_two_accounts_of_a_merchant_race_for_its_last_place(api_key: int) -> None:
    publish(offer("o", quota="{per_merchant: 1}"))
    outcomes = Counter(claim_at_once(api_key, orders(THREADS, account_code=lambda i: f"A{i % 2}")))
    assert outcomes == {"granted": 1, "merchant_cap": THREADS - 1}


def test_an_unknown_subject_spoils_no_other_claim(api_key: int) -> None:
    publish(offer("o"))
    outcomes = Counter(claim_at_once(api_key, orders(THREADS) + [f"X{n}" for n in range(THREADS)]))
    assert outcomes == {"granted": THREADS, "unknown": THREADS}


def test_a_faulty_claim_spoils_no_other_claim(api_key: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch whose decision fails is decided claim by claim: only the faulty claim gets the error."""
    publish(offer("o"))
    decide = instant_claims.decide

    def decide_or_fail(locked: instant_claims.LockedOffers, subjects: list[str], **at: Any) -> list[Decision]:
        if "F3" in subjects:
            raise OperationalError("faulty")
        return decide(locked, subjects, **at)

    monkeypatch.setattr(instant_claims, "decide", decide_or_fail)
    outcomes = Counter(claim_at_once(api_key, orders(THREADS)))
    assert outcomes == {"granted": THREADS - 1, "faulty": 1}
    assert used("o") == THREADS - 1


def test_claims_that_wait_are_decided_together(api_key: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims that arrive while the first batch is decided, or waits for the offers, are one batch."""
    publish(offer("o"))
    batches: list[int] = []
    decide = instant_claims.decide

    def decide_when_all_wait(locked: instant_claims.LockedOffers, subjects: list[str], **at: Any) -> list[Decision]:
        if not batches:
            wait_until(lambda: len(BATCHER.waiting) == THREADS - len(subjects), "the other threads wait")
        batches.append(len(subjects))
        return decide(locked, subjects, **at)

    monkeypatch.setattr(instant_claims, "decide", decide_when_all_wait)
    claim_at_once(api_key, orders(THREADS))
    assert sum(batches) == THREADS
    assert len(batches) <= 2


def test_a_batch_takes_the_claims_that_arrived_while_the_offers_were_locked(
    api_key: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(offer("o"))
    batches: list[int] = []
    lock_offers, admit = instant_claims.lock_offers, claim_batch._admit

    def lock_when_all_wait(of: str, **options: Any) -> instant_claims.LockedOffers:
        everybody_waits()
        return lock_offers(of, **options)

    def count_admitted(claims: list[PendingClaim]) -> list[PendingClaim]:
        batches.append(len(claims))
        return admit(claims)

    monkeypatch.setattr(instant_claims, "lock_offers", lock_when_all_wait)
    monkeypatch.setattr(claim_batch, "_admit", count_admitted)
    claim_at_once(api_key, orders(THREADS))
    assert batches == [THREADS]


def fail_as_leader(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first leader loses its connection twice, in its batch and alone, while the other threads wait."""
    lock_offers, failures = instant_claims.lock_offers, [OperationalError("cut off"), OperationalError("cut off")]

    def failing(of: str, **options: Any) -> instant_claims.LockedOffers:
        if failures:
            everybody_waits()
            raise failures.pop()
        return lock_offers(of, **options)

    monkeypatch.setattr(instant_claims, "lock_offers", failing)


def test_a_leader_that_fails_leaves_no_thread_waiting(api_key: int, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(offer("o"))
    fail_as_leader(monkeypatch)
    outcomes = Counter(claim_at_once(api_key, orders(THREADS)))
    assert outcomes == {"granted": THREADS - 1, "cut off": 1}
    assert used("o") == THREADS - 1


def test_control_without_a_next_leader_the_other_threads_would_wait(
    api_key: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard of the test above: if a leader does not wake the next one, all other threads go on waiting."""
    publish(offer("o"))
    fail_as_leader(monkeypatch)
    wake_next_leader = batching.Batcher._wake_next_leader
    waiting_after_failure: list[int] = []

    def forget_once(batcher: batching.Batcher[Any]) -> None:
        if waiting_after_failure:
            wake_next_leader(batcher)
            return
        waiting_after_failure.append(sum(item._wake.locked() for item in batcher.waiting))
        wake_next_leader(batcher)

    monkeypatch.setattr(batching.Batcher, "_wake_next_leader", forget_once)
    claim_at_once(api_key, orders(THREADS))
    assert waiting_after_failure == [THREADS - 1]
