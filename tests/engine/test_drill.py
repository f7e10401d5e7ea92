"""The rehearsal of a rush: exact where the guards are, not where they are off; and nothing of it stays."""

import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from campaigns.offers import published_offers
from tests.support.world import everything, freight, merchant, offer, publish, tick

POSTGRES = pytest.mark.postgresql
ROLLED = pytest.mark.django_db(transaction=True)


def rehearsed(capsys: pytest.CaptureFixture[str], **options: Any) -> str:
    call_command("drill", "o", **options)
    return capsys.readouterr().out


def season(count: int) -> None:
    merchant()
    publish(offer("o", quota="{limit: 5, per_merchant: 2}"))
    for n in range(count):
        freight(f"F{n:02}", paid_at="02")
    freight("late", paid_at=None)
    tick("03")


@POSTGRES
@ROLLED
def test_L1_as_many_are_granted_as_there_are_places(capsys: pytest.CaptureFixture[str]) -> None:
    season(40)
    before = everything()
    told = rehearsed(capsys, claims=40, clients=8, limit=15)
    assert re.search(r"^40 claims by 8 clients in", told, re.MULTILINE)
    assert "granted    15 of 15 places" in told
    assert "refused    quota_exhausted 25" in told
    assert "invariants all hold" in told
    assert everything() == before
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'drill_%'")
        assert cursor.fetchone() == (0,)


@POSTGRES
@ROLLED
def test_L1_control_without_the_lock_it_is_not_exact(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    season(40)
    before = everything()
    send_about = published_offers.send_about
    monkeypatch.setattr(published_offers, "send_about", lambda subject, *, held: send_about(subject, held=False))
    with pytest.raises(CommandError):
        rehearsed(capsys, claims=40, clients=8, limit=30)
    assert everything() == before


@POSTGRES
@ROLLED
def test_an_offer_nobody_can_have(capsys: pytest.CaptureFixture[str]) -> None:
    season(0)
    with pytest.raises(CommandError, match="No subject meets the conditions of o"):
        rehearsed(capsys)


@ROLLED
def test_an_offer_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="no published offer o"):
        rehearsed(capsys)
