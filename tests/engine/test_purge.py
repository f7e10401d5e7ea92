"""`manage.py purge`: what is old and done goes, what waits and what decides stays."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from campaigns.models import Decision, Delivery, Endpoint, Grant, JournalEntry, Message, OutboxEvent, TickRun
from campaigns.notifications import distribution
from core import clock
from merchants import members
from tests.support.world import freight, merchant, offer, publish, t, tick

pytestmark = pytest.mark.django_db

HISTORY = (Decision, Grant, JournalEntry)


def told() -> None:
    """Tell a member and a webhook of the grants of two orders, 100 days ago; the first is done with."""
    row = merchant()
    members.add("ana@example.com", to=row, at=t("01"), by="test")
    Endpoint.objects.create(name="w", url="https://w.example", secret="s", created_by="t", created_at=t("01"))
    publish(offer("o"))
    for order in ("A", "B"):
        freight(order, paid_at="02")
    tick("03")
    tick("04")
    distribution.fan_out()
    old = clock.real() - timedelta(days=100)
    OutboxEvent.objects.update(recorded_at=old)
    TickRun.objects.update(started_at=old)
    Delivery.objects.update(created_at=old)
    Delivery.objects.filter(event__subject="A").update(due_at=None, delivered_at=old)
    Message.objects.filter(event__subject="A").update(mail=True, mailed_at=old)
    Message.objects.filter(event__subject="B").update(mail=True, mailed_at=None)


def purge(*options: str) -> str:
    said = StringIO()
    call_command("purge", *options, stdout=said)
    return said.getvalue().strip()


def counts() -> list[int]:
    return [model._default_manager.count() for model in (Delivery, Message, OutboxEvent, TickRun)]


def test_what_is_old_and_done_is_deleted() -> None:
    told()
    history = [model._default_manager.count() for model in HISTORY]
    assert counts() == [2, 2, 2, 2]
    assert purge("--days", "101") == "deleted: 0 deliveries, 0 messages, 0 events, 0 runs"
    assert purge("--days", "99", "--dry-run").startswith("to delete: 1 deliveries, 1 messages")
    assert counts() == [2, 2, 2, 2]
    assert purge("--days", "99") == "deleted: 1 deliveries, 1 messages, 1 events, 1 runs"
    assert counts() == [1, 1, 1, 1]
    assert OutboxEvent.objects.get().subject == "B"
    assert [model._default_manager.count() for model in HISTORY] == history
    tick("05")
    distribution.fan_out()
    assert Message.objects.count() == 1  # nothing is told again


def test_events_that_are_not_fanned_out_stay() -> None:
    told()
    OutboxEvent.objects.update(fanned_out=False)
    Delivery.objects.all().delete()
    Message.objects.all().delete()
    assert purge("--days", "30") == "deleted: 0 deliveries, 0 messages, 0 events, 1 runs"


@pytest.mark.parametrize("days", ["29", "0", "-5"])
def test_recent_records_cannot_be_purged(days: str) -> None:
    told()
    with pytest.raises(CommandError, match="at least 30"):
        purge(f"--days={days}")
    assert counts() == [2, 2, 2, 2]
