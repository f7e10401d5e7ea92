"""What the security log has of sign-ins: each try, whose, from where, and never what was typed (ASVS 16.3)."""

import logging
from datetime import UTC, datetime

import pytest
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice
from time_machine import travel

from identity import login_attempts, mfa
from merchants.models import Member
from tests.dashboard.test_second_step import code
from tests.support.members import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.once]
NAME = "owner@example.com"


def attempt(browser: Client, password: str, name: str = NAME) -> None:
    browser.post("/sign-in/", {"username": name, "password": password}, REMOTE_ADDR="10.0.0.9")


def told(log: pytest.LogCaptureFixture) -> list[tuple[str, str, object, object]]:
    """Each line: level, event, who, from where."""
    return [
        (line.levelname, line.getMessage(), getattr(line, "user", "?"), getattr(line, "address", "?"))
        for line in log.records
        if line.name == "fairground.security"
    ]


def test_each_try_leaves_a_line(owner: Member, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "fairground.security")
    browser, me = Client(), owner.user.pk
    attempt(browser, "guess")
    attempt(browser, "guess", name="hunter2-typed-in-the-wrong-field")
    attempt(browser, PASSWORD)
    browser.post("/sign-out/", REMOTE_ADDR="10.0.0.9")
    assert told(caplog) == [
        ("WARNING", "password refused", me, "10.0.0.9"),
        ("WARNING", "password refused", None, "10.0.0.9"),
        ("INFO", "signed in", me, "10.0.0.9"),
        ("INFO", "signed out", me, "10.0.0.9"),
    ]
    assert not [line for line in caplog.records if "hunter2" in str(line.__dict__) or "guess" in str(line.__dict__)]


def test_a_name_that_is_closed_is_noted_too(owner: Member, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(login_attempts.PER_NAME):
        attempt(Client(), "guess")
    caplog.clear()
    attempt(Client(), PASSWORD)
    assert told(caplog) == [("WARNING", "password refused", owner.user.pk, "10.0.0.9")]


def test_a_wrong_code_is_noted(owner: Member, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "fairground.security")
    now = datetime(2026, 1, 5, 12, tzinfo=UTC)
    device = mfa.begin(owner.user)
    TOTPDevice.objects.update(confirmed=True)
    browser = Client()
    with travel(now, tick=False):
        attempt(browser, PASSWORD)
        browser.post("/sign-in/code/", {"code": "000000"}, REMOTE_ADDR="10.0.0.9")
    assert told(caplog) == [("WARNING", "code refused", owner.user.pk, "10.0.0.9")]
    with travel(now.replace(minute=5), tick=False):
        attempt(browser, PASSWORD)
        browser.post("/sign-in/code/", {"code": code(device, now.replace(minute=5))}, REMOTE_ADDR="10.0.0.9")
    assert told(caplog)[1:] == [("INFO", "signed in", owner.user.pk, "10.0.0.9")]
