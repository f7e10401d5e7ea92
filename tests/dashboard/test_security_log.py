"""Security log: each sign-in attempt with user and address, and never what was typed (ASVS 16.3)."""

import logging
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice
from time_machine import travel

from identity import login_attempts, mfa
from merchants.models import Member
from tests.support.members import PASSWORD, begin_second_step, client, totp_code
from tests.support.operators import Staff, staff  # noqa: F401  # a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="lines of a log")]
NAME = "owner@example.com"


def attempt(browser: Client, password: str, name: str = NAME) -> None:
    browser.post("/sign-in/", {"username": name, "password": password}, REMOTE_ADDR="10.0.0.9")


def logged(log: pytest.LogCaptureFixture) -> list[tuple[str, str, object, object]]:
    """Return level, event, user and address of each entry."""
    return [
        (line.levelname, line.getMessage(), getattr(line, "user", "?"), getattr(line, "address", "?"))
        for line in log.records
        if line.name == "fairground.security"
    ]


def test_each_attempt_is_logged(owner: Member, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "fairground.security")
    browser, me = Client(), owner.user.pk
    attempt(browser, "guess")
    attempt(browser, "guess", name="hunter2-typed-in-the-wrong-field")
    attempt(browser, PASSWORD)
    browser.post("/sign-out/", REMOTE_ADDR="10.0.0.9")
    assert logged(caplog) == [
        ("WARNING", "sign-in failed", me, "10.0.0.9"),
        ("WARNING", "sign-in failed", None, "10.0.0.9"),
        ("INFO", "signed in", me, "10.0.0.9"),
        ("INFO", "signed out", me, "10.0.0.9"),
    ]
    assert not [line for line in caplog.records if "hunter2" in str(line.__dict__) or "guess" in str(line.__dict__)]


def test_attempts_during_a_lock_out_are_logged(owner: Member, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(login_attempts.PER_NAME.most):
        attempt(Client(), "guess")
    caplog.clear()
    attempt(Client(), PASSWORD)
    assert logged(caplog) == [("WARNING", "sign-in failed", owner.user.pk, "10.0.0.9")]


def test_a_wrong_code_is_logged(owner: Member, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "fairground.security")
    now = datetime(2026, 1, 5, 12, tzinfo=UTC)
    device = mfa.begin_setup(owner.user)
    TOTPDevice.objects.update(confirmed=True)
    browser = Client()
    with travel(now, tick=False):
        attempt(browser, PASSWORD)
        browser.post("/sign-in/code/", {"code": "000000"}, REMOTE_ADDR="10.0.0.9")
    assert logged(caplog) == [("WARNING", "second factor failed", owner.user.pk, "10.0.0.9")]
    with travel(now.replace(minute=5), tick=False):
        attempt(browser, PASSWORD)
        browser.post("/sign-in/code/", {"code": totp_code(device, now.replace(minute=5))}, REMOTE_ADDR="10.0.0.9")
    assert logged(caplog)[1:] == [("INFO", "signed in", owner.user.pk, "10.0.0.9")]


def test_changes_of_the_second_factor_are_logged(owner: Member, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "fairground.security")
    browser, now = client(owner), datetime(2026, 1, 5, 12, tzinfo=UTC)
    with travel(now, tick=False):
        browser.force_login(owner.user)
        device = begin_second_step(browser)
        caplog.clear()
        browser.post("/account/second-step/", {"code": totp_code(device, now)}, REMOTE_ADDR="10.0.0.9")
    with travel(now.replace(minute=5), tick=False):
        fields = {"code": totp_code(device, now.replace(minute=5)), "password": PASSWORD}
        browser.post("/account/second-step/", fields, REMOTE_ADDR="10.0.0.9")
    assert logged(caplog) == [
        ("INFO", "second factor turned on", owner.user.pk, "10.0.0.9"),
        ("INFO", "second factor turned off", owner.user.pk, "10.0.0.9"),
    ]


def test_changes_by_an_administrator_are_logged(
    owner: Member,
    staff: Staff,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "fairground.security")
    administrator = staff("ada", "administrator")
    ada = User.objects.get(username="ada").pk
    caplog.clear()
    for action in ("end_sessions", "remove_second_step"):
        administrator.post("/admin/auth/user/", {"action": action, "_selected_action": [owner.user.pk]})
    found = [(line.getMessage(), line.user, line.by) for line in caplog.records if line.name == "fairground.security"]  # type: ignore[attr-defined]
    assert found == [
        ("sessions ended", owner.user.pk, ada),
        ("second factor removed", owner.user.pk, ada),
    ]
