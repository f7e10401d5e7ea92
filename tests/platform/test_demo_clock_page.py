"""Page that moves the demonstration clock; it replaces the admin's list of the clock."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from backoffice.data.demo_clock import next_monday
from campaigns import tasks
from core import clock
from core.models import DEMO_START

pytestmark = pytest.mark.django_db


@pytest.fixture
def address(settings: Settings) -> str:
    settings.DEMO = True
    return reverse("admin:core_democlock_changelist")


@pytest.fixture
def sent_ticks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    monkeypatch.setattr(tasks.tick, "delay", lambda: calls.append("tick"))
    return calls


def test_choosing_asks_for_confirmation_and_moves_nothing(admin_client: Client, address: str) -> None:
    page = admin_client.post(address, {"step": "day"}).content.decode()
    assert "2022-09-21 09:00:00 -0700 America/Los_Angeles" in page
    assert "2022-09-22 00:00:00 +0800 Asia/Shanghai" in page
    assert clock.now() == DEMO_START


def test_confirming_moves_the_clock_and_ticks_after_the_commit(
    admin_client: Client,
    address: str,
    sent_ticks: list[str],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    to = DEMO_START + timedelta(days=1)
    with django_capture_on_commit_callbacks(execute=True):
        response = admin_client.post(address, {"to": to.isoformat()}, follow=True)
        assert not sent_ticks
    assert clock.now() == to
    assert sent_ticks == ["tick"]
    assert "Clock moved." in response.content.decode()


def test_an_earlier_instant_is_refused_with_a_reason(admin_client: Client, address: str, sent_ticks: list[str]) -> None:
    page = admin_client.post(address, {"step": "instant", "instant": "2022-09-01T00:00"}).content.decode()
    assert "cannot move backwards" in page
    answer = admin_client.post(address, {"to": "2022-09-01T00:00:00+08:00"}, follow=True).content.decode()
    assert "never moves backwards" in answer
    assert clock.now() == DEMO_START
    assert not sent_ticks


@pytest.mark.parametrize("to", ["", "tomorrow", "2022-09-30T00:00:00"])
def test_an_invalid_instant_is_refused(admin_client: Client, address: str, to: str) -> None:
    assert admin_client.post(address, {"to": to}).status_code == 403
    assert clock.now() == DEMO_START


def test_a_get_request_moves_nothing(admin_client: Client, address: str) -> None:
    to = (DEMO_START + timedelta(days=1)).isoformat()
    assert admin_client.get(address, {"to": to, "step": "day"}).status_code == 200
    assert clock.now() == DEMO_START


def test_staff_without_the_permission_is_refused(client: Client, address: str) -> None:
    client.force_login(User.objects.create_user("reader", is_staff=True))
    assert client.get(address).status_code == 403


def test_the_page_exists_only_in_a_demonstration(admin_client: Client, address: str, settings: Settings) -> None:
    settings.DEMO = False
    assert admin_client.post(address, {"to": "2030-01-01T00:00:00Z"}).status_code == 403
    assert address not in admin_client.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        (datetime(2022, 9, 20, 16, tzinfo=UTC), datetime(2022, 9, 26, 7, tzinfo=UTC)),
        (datetime(2022, 9, 26, 6, 59, tzinfo=UTC), datetime(2022, 9, 26, 7, tzinfo=UTC)),
        (datetime(2022, 9, 26, 7, tzinfo=UTC), datetime(2022, 10, 3, 7, tzinfo=UTC)),
        (datetime(2022, 11, 1, tzinfo=UTC), datetime(2022, 11, 7, 8, tzinfo=UTC)),  # the change of clocks between
    ],
)
def test_the_next_monday_is_los_angeles_midnight(now: datetime, monday: datetime) -> None:
    assert next_monday(now) == monday
