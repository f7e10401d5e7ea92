"""The load drill: exact with the locks, not exact without them; and nothing of it remains."""

import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from campaigns.engine import claim_decisions
from campaigns.offers import published_offers
from tests.support.concurrency import Race
from tests.support.world import everything, freight, merchant, offer, publish, tick

POSTGRES = pytest.mark.postgresql
COMMITTED = pytest.mark.django_db(transaction=True)


def run_drill(capsys: pytest.CaptureFixture[str], **options: Any) -> str:
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
@COMMITTED
def test_a_drill_grants_exactly_as_many_as_there_are_places(capsys: pytest.CaptureFixture[str]) -> None:
    season(40)
    before = everything()
    report = run_drill(capsys, claims=40, clients=8, limit=15)
    assert re.search(r"^40 claims by 8 clients in", report, re.MULTILINE)
    assert "granted    15 of 15 places" in report
    assert "refused    quota_exhausted 25" in report
    assert "invariants all hold" in report
    assert everything() == before
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'drill_%'")
        assert cursor.fetchone() == (0,)


@POSTGRES
@COMMITTED
def test_control_a_drill_without_the_lock_is_not_exact(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    season(40)
    before = everything()
    send_about, race = published_offers.send_about, Race(threads=8)
    monkeypatch.setattr(
        published_offers, "send_about", lambda subject, *, held, only: send_about(subject, held=False, only=only)
    )
    monkeypatch.setattr(claim_decisions, "_write", race.stop_before(claim_decisions._write))
    with pytest.raises(CommandError, match=r"7 clients failed: .* violates .*offer_places_within_limit"):
        run_drill(capsys, claims=40, clients=8, limit=1)
    assert everything() == before


@POSTGRES
@COMMITTED
def test_an_offer_without_eligible_subjects(capsys: pytest.CaptureFixture[str]) -> None:
    season(0)
    with pytest.raises(CommandError, match="No subject meets the conditions of o"):
        run_drill(capsys)


@COMMITTED
def test_an_unknown_offer(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="no published offer o"):
        run_drill(capsys)
