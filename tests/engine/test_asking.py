"""Many threads that ask at once: one decides for all who wait (spec/faults.md, L1, L2)."""

from collections import Counter
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError

from campaigns.eligibility import claims
from campaigns.engine import claim_batching, instant_claims
from campaigns.models import Decision, Grant
from tests.support.concurrency import at_once
from tests.support.servers import wait_until
from tests.support.world import freight, merchant, offer, publish, t, used

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

THREADS = 16


def all_at_once(subjects: list[str]) -> list[str]:
    """What each was told, or the name of the error: asked by many threads, released by one barrier."""
    shares = [subjects[n::THREADS] for n in range(THREADS)]
    return [outcome for some in at_once([partial(all_told, share) for share in shares]) for outcome in some]


def all_told(subjects: list[str]) -> list[str]:
    return [told(subject) for subject in subjects]


def told(subject: str) -> str:
    try:
        [decision] = claim_batching.ask(subject, of="freight_order", at=t("03"))
    except claims.UnknownSubjectError:
        return "unknown"
    except OperationalError:
        return "cut off"
    return Decision.Outcome(decision.outcome).name.lower()


def test_L1_exactly_the_limit_is_given() -> None:
    merchant()
    publish(offer("o", quota="{limit: 50}"))
    for n in range(160):
        freight(f"F{n}", paid_at="02")
    assert Counter(all_at_once([f"F{n}" for n in range(160)])) == {"granted": 50, "quota_exhausted": 110}
    assert used("o") == Grant.objects.count() == 50


@pytest.mark.parametrize("round_", range(5))
def test_L2_two_accounts_of_a_merchant_race_for_its_last_place(round_: int) -> None:
    merchant()
    publish(offer("o", quota="{per_merchant: 1}"))
    for n in range(THREADS):
        freight(f"F{n}", paid_at="02", account_code=f"A{n % 2}")
    outcomes = Counter(all_at_once([f"F{n}" for n in range(THREADS)]))
    assert outcomes == {"granted": 1, "merchant_cap": THREADS - 1}


def test_one_who_asks_for_nothing_known_spoils_nobodys_answer() -> None:
    merchant()
    publish(offer("o"))
    for n in range(THREADS):
        freight(f"F{n}", paid_at="02")
    outcomes = Counter(all_at_once([f"F{n}" for n in range(THREADS)] + [f"X{n}" for n in range(THREADS)]))
    assert outcomes == {"granted": THREADS, "unknown": THREADS}


def test_those_who_wait_are_decided_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the first is being decided the others gather, and are the second batch."""
    merchant()
    publish(offer("o"))
    for n in range(THREADS):
        freight(f"F{n}", paid_at="02")
    batches: list[int] = []
    hold, decide = instant_claims.hold, instant_claims.decide

    def slow(held: instant_claims.Held, subjects: list[str], **at: Any) -> list[Decision]:
        if not batches:
            wait_until(lambda: len(claim_batching.DESK.waiting) == THREADS - len(subjects), 10, "the others wait")
        batches.append(len(subjects))
        return decide(held, subjects, **at)

    def held(of: str) -> instant_claims.Held:
        """Whoever comes while the offers are waited for is taken along."""
        wait_until(
            lambda: not batches or len(claim_batching.DESK.waiting) == THREADS - batches[0], 10, "the others wait"
        )
        return hold(of)

    monkeypatch.setattr(instant_claims, "decide", slow)
    monkeypatch.setattr(instant_claims, "hold", held)
    all_at_once([f"F{n}" for n in range(THREADS)])
    assert sum(batches) == THREADS
    assert len(batches) <= 2


def test_whoever_leads_and_fails_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is cut off from the database while the others gather: each of them is decided all the same."""
    merchant()
    publish(offer("o"))
    for n in range(THREADS):
        freight(f"F{n}", paid_at="02")
    hold, failures = instant_claims.hold, [OperationalError("cut off"), OperationalError("cut off")]

    def failing(of: str) -> instant_claims.Held:
        if failures:
            wait_until(lambda: len(claim_batching.DESK.waiting) == THREADS - 2 + len(failures), 10, "the others wait")
            raise failures.pop()
        return hold(of)

    monkeypatch.setattr(instant_claims, "hold", failing)
    told = all_at_once([f"F{n}" for n in range(THREADS)])
    assert Counter(told) == {"granted": THREADS - 1, "cut off": 1}
    assert used("o") == THREADS - 1
