"""Two workers at once tell operators of one matter once, and send one mail."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection

from campaigns.engine import quarantine
from campaigns.models import Notice, Notification, TickStep
from campaigns.notifications import operator_mail, operators
from core import clock
from tests.support.concurrency import Race
from tests.support.guards import without_row_locks
from tests.support.world import t

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def paused_job() -> None:
    user = User.objects.create_user("ana", "ana@example.com", is_staff=True)
    user.groups.set(Group.objects.filter(name="operator"))
    TickStep.objects.create(name="grants", tries=3, tried_at=t("20"))


def two_tellers() -> list[int]:
    """Two workers, both of which have found that nobody was told before either writes."""
    race = Race()

    def tell() -> int:
        with race.stop_before_statement(f'INSERT INTO "{Notice._meta.db_table}"'):
            return operators.tell_all(quarantine.set_aside(), at=t("20"), now=clock.real())

    return race.run([tell, tell])


def test_two_workers_tell_of_one_matter_once(paused_job: None) -> None:
    assert sorted(two_tellers()) == [0, 1]
    assert (Notice.objects.count(), Notification.objects.count()) == (1, 1)


def test_control_without_the_unique_matter_it_is_told_twice(paused_job: None) -> None:
    [name] = [
        name
        for name, found in _constraints().items()
        if found["unique"] and found["columns"] == ["matter"] and not found["primary_key"]
    ]
    table = Notice._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    try:
        assert two_tellers() == [1, 1]
        assert (Notice.objects.count(), Notification.objects.count()) == (2, 2)
    finally:
        Notice.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" UNIQUE (matter)')


def _constraints() -> dict[str, Any]:
    with connection.cursor() as cursor:
        return dict(connection.introspection.get_constraints(cursor, Notice._meta.db_table))


def test_a_worker_that_dies_between_the_two_leaves_neither(paused_job: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Notification.objects, "bulk_create", _killed)
        operators.tell_all(quarantine.set_aside(), at=t("20"), now=clock.real())
    assert not Notice.objects.exists()
    assert operators.tell_all(quarantine.set_aside(), at=t("20"), now=clock.real()) == 1


def _killed(_rows: object) -> None:
    raise KeyboardInterrupt


def two_senders(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two workers, both of which have looked for the mail that is due before either sends it."""
    operators.tell_all(quarantine.set_aside(), at=t("20"), now=clock.real())
    race = Race()
    monkeypatch.setattr(EmailBackend, "send_messages", race.stop_before(EmailBackend.send_messages))
    return race.run([lambda: operator_mail.send(at=t("20"))] * 2)


def test_two_workers_send_one_mail(paused_job: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sorted(two_senders(monkeypatch)) == [0, 1]
    assert len(mail.outbox) == 1


def test_control_without_the_lock_two_mails_are_sent(paused_job: None, monkeypatch: pytest.MonkeyPatch) -> None:
    without_row_locks(monkeypatch)
    assert two_senders(monkeypatch) == [1, 1]
    assert len(mail.outbox) == 2
