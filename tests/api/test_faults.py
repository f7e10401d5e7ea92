"""Faults under load: terminated connections, a read-only database, concurrent operations."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Barrier, Event, Thread
from typing import Any

import psycopg
import pytest
from django.db import Error, OperationalError, connection, transaction
from pytest_django import Settings

from campaigns.engine import claim_decisions, instant_claims
from campaigns.grants import revocations
from campaigns.ledger import statements
from campaigns.ledger.statements import PeriodError
from campaigns.models import Decision, Grant, Offer
from campaigns.offers import pausing, published_offers
from campaigns.offers.published_offers import PublishedOffer
from tests.support.concurrency import Race, at_once
from tests.support.processes import url
from tests.support.programs import Answer, Program, claim_with_fact
from tests.support.servers import PATIENCE, wait_until
from tests.support.world import freight, offer, publish, t, tick

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


ENDED_WAITING = 10
ENDED_LATER = 5


def end_one(among: str) -> int:
    """Terminate one other connection to this database; return how many were terminated."""
    with psycopg.connect(url(), autocommit=True) as admin:
        ended = admin.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE datname ="
            f" current_database() AND pid <> pg_backend_pid() AND {among} ORDER BY random() LIMIT 1) AS one"
        )
        return int((ended.fetchone() or [0])[0])


@contextmanager
def killing() -> Iterator[None]:
    """Terminate other connections during the block: ten that wait for the offers, then some at work."""
    over, held = Event(), Event()

    def kill() -> None:
        with transaction.atomic():
            published_offers.send_about("freight_order", held=True)()
            held.set()
            for _ in range(ENDED_WAITING):
                wait_until(lambda: end_one("wait_event_type = 'Lock'") == 1, "a claim waits for the offers")
        connection.close()
        for _ in range(ENDED_LATER):
            if not over.wait(0.02):
                end_one("state <> 'idle'")

    thread = Thread(target=kill)
    thread.start()
    try:
        assert held.wait(PATIENCE)
        yield
    finally:
        over.set()
        thread.join()


def insistently(call: Callable[[], Answer]) -> Answer:
    """Repeat a request until there is a response, with the same Idempotency-Key, as a program does."""
    while True:
        try:
            answer = call()
        except Error:  # the connection of this very thread was ended between two calls
            answer = Answer(503, None, {})
        if answer.status not in (500, 503) and not (answer.status == 409 and answer.body["code"] == "in_progress"):
            return answer
        with suppress(Error):
            connection.close()


def test_terminated_connections_neither_lose_nor_duplicate(platform: Program, settings: Settings) -> None:
    settings.API_RATE = 1_000_000
    publish(offer("o", quota="{limit: 15}"))

    def claim(n: int) -> Answer:
        body = claim_with_fact(order_no=f"F{n:02}")
        return insistently(partial(platform.post, "claims/", body, once=f"key-{n}"))

    with killing():
        answers = at_once([partial(claim, n) for n in range(24)])
    granted = {answer.body["key"] for answer in answers if answer.status == 201}
    assert sorted({answer.status for answer in answers}) == [201, 409]
    assert granted == set(Grant.objects.values_list("subject", flat=True))  # what was acknowledged, and nothing else
    assert len(granted) == Offer.objects.get().places_taken == 15
    assert Decision.objects.count() == 24


def test_a_lost_response_is_replayed(platform: Program) -> None:
    publish(offer("o", quota="{limit: 5}"))
    first = platform.post("claims/", claim_with_fact(), once="k")  # and nobody hears it
    again = platform.post("claims/", claim_with_fact(), once="k")
    assert (again.status, again.body) == (first.status, first.body) == (201, first.body)
    assert Grant.objects.count() == 1


def test_a_read_only_database_is_a_503_until_it_is_writable(platform: Program) -> None:
    publish(offer("o", quota="{limit: 5}"))
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    refused = platform.post("claims/", claim_with_fact(), once="k")
    assert (refused.status, refused.body["code"], refused.headers["Retry-After"]) == (503, "unavailable", "2")
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = off")
    assert not Decision.objects.exists()
    assert platform.post("claims/", claim_with_fact(), once="k").status == 201
    assert Grant.objects.count() == 1


def _pause() -> Any:
    return pausing.pause(Offer.objects.get(), at=t("02 12:00"), by="ana", reason="x")


def given_when_paused(monkeypatch: pytest.MonkeyPatch) -> int:
    """A pause while a tick is about to write five grants: how many were given when the pause had been done."""
    publish(offer("o"))
    for n in range(5):
        freight(f"F{n}", paid_at="02")
    race = Race()
    monkeypatch.setattr(claim_decisions, "_write", race.stop_before(claim_decisions._write))

    def pause() -> int:
        _pause()
        return Grant.objects.count()

    works: list[Callable[[], int | None]] = [partial(tick, "03"), race.after_first(pause)]
    return race.run(works)[1] or 0


def test_a_pause_waits_for_the_tick_that_grants(platform: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    assert given_when_paused(monkeypatch) == 5
    freight("F5", paid_at="02")
    tick("03 01:00")
    assert Grant.objects.count() == 5  # a paused offer gives nothing


def test_control_without_the_lock_a_tick_grants_after_the_pause(
    platform: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published_offers, "hold", list)
    assert given_when_paused(monkeypatch) == 0
    assert Grant.objects.count() == 5


def given_during_a_pause(monkeypatch: pytest.MonkeyPatch) -> int:
    """A tick while an offer is about to be paused: how many grants there are when both are done."""
    publish(offer("o"))
    freight("F", paid_at="02")
    race = Race()
    monkeypatch.setattr(pausing, "_change", race.stop_before(pausing._change))
    race.run([_pause, race.after_first(partial(tick, "03"))])
    return Grant.objects.count()


def test_a_tick_waits_for_the_pause(platform: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    assert given_during_a_pause(monkeypatch) == 0


def test_control_without_the_lock_a_tick_does_not_wait_for_the_pause(
    platform: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published_offers, "hold", list)
    assert given_during_a_pause(monkeypatch) == 1


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def test_concurrent_operations_do_not_deadlock(platform: Program) -> None:
    """Ticks, claims at once in both orders, a revocation and the closing of a month, on offers of two groups."""
    other = {"benefit": "{fee: service_fee, percent: 5}", "subject": "trade_order", "claim": "{at: drafted_at}"}
    publish(offer("a", quota="{limit: 20}") + offer("b", quota="{limit: 20}", **other))
    before = deadlocks()
    for n in range(12):
        freight(f"F{n:02}", paid_at="02", cancelled_at="04" if n % 3 == 0 else None)
    tick("02 12:00")
    keys = [f"F{n:02}" for n in range(12)]
    for n, key in enumerate((keys[1], keys[2], keys[4], keys[5])):
        revocation = revocations.propose(Grant.objects.filter(subject=key), title="x", at=t("03"), by="ana", reason="x")

        def approve(revocation: Any = revocation) -> None:
            with suppress(revocations.RevocationError):
                revocations.approve(revocation, shown=1, at=t("03"), by="bo")

        def close() -> None:
            with suppress(PeriodError):
                statements.close(t("2022-08-01").date(), at=t("05"), by="bo")

        works: list[Callable[[], Any]] = [
            partial(tick, f"0{n + 3}"),
            partial(tick, f"0{n + 3}"),
            approve,
            close,
            partial(instant_claims.claim_all, keys, of="freight_order", at=t(f"0{n + 3}")),
            partial(instant_claims.claim_all, keys[::-1], of="freight_order", at=t(f"0{n + 3}")),
        ]
        at_once(works)
    assert deadlocks() == before


def test_control_locking_in_two_orders_deadlocks() -> None:
    """The guard is that offers are held in one order, by key: here each has one and then wants the other's."""
    publish(offer("a") + offer("b"))
    a, b = published_offers.published()
    both = Barrier(2)

    def hold(one: PublishedOffer, other: PublishedOffer) -> str:
        try:
            with transaction.atomic():
                published_offers.hold([one])
                both.wait(PATIENCE)
                published_offers.hold([other])
        except OperationalError as error:
            return type(error.__cause__).__name__
        return "held"

    assert sorted(at_once([partial(hold, a, b), partial(hold, b, a)])) == ["DeadlockDetected", "held"]
