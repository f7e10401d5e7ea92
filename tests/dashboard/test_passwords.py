"""Rules for passwords, with accepted and refused examples (ASVS 6.2)."""

import logging

import pytest
from django.conf.global_settings import PASSWORD_HASHERS
from django.contrib.auth.hashers import make_password
from django.test import Client
from pytest_django import Settings

from identity import login_attempts
from identity.models import RateCount, Session
from merchants.models import Member
from tests.support.members import PASSWORD, client

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="rules for passwords, no query of their own")]


def change(browser: Client, to: str, old: str = PASSWORD) -> bool:
    """Change the password; return true if it was accepted."""
    fields = {"old_password": old, "new_password1": to, "new_password2": to}
    return browser.post("/account/password/", fields).status_code == 302


@pytest.mark.parametrize(
    "refused",
    [
        "kq7-xw2",  # seven characters
        "47114711081508",  # digits only
        "iloveyou2",  # known from breaches
        "Fairground2026!",
        "coupons-2026",
        "owner@example.com",
    ],
)
def test_easily_guessed_passwords_are_refused(owner: Member, refused: str) -> None:
    assert not change(client(owner), refused)
    owner.user.refresh_from_db()
    assert owner.user.check_password(PASSWORD)


@pytest.mark.parametrize(
    "taken", ["kq7-xw2p", "only lower case words", "名字与口令都可以", "Fairground of our own", "x9-" * 40]
)
def test_any_long_password_is_accepted_and_compared_exactly(owner: Member, taken: str) -> None:
    assert change(client(owner), taken)
    owner.user.refresh_from_db()
    assert owner.user.check_password(taken)
    for other in (taken.upper(), taken[:-1], f" {taken}", f"{taken} "):
        assert other == taken or not owner.user.check_password(other)
    assert Client().post("/sign-in/", {"username": "owner@example.com", "password": taken}).status_code == 302


def test_a_change_requires_the_current_password(owner: Member) -> None:
    assert not change(client(owner), "quite-another-fair", old="not-that-one")
    assert change(client(owner), "quite-another-fair")


@pytest.mark.parametrize("path", ["/account/password/", "/admin/password_change/"])
def test_guesses_of_the_current_password_are_counted(owner: Member, path: str) -> None:
    owner.user.is_staff = True
    owner.user.save()
    browser, chosen = client(owner), {"new_password1": "quite-another-fair", "new_password2": "quite-another-fair"}
    for n in range(login_attempts.PER_NAME.most):
        browser.post(path, {"old_password": f"guess-{n}", **chosen}, follow=True)
        if path != "/account/password/":
            assert not RateCount.objects.exists()  # the admin's page checks nothing: it leads to the other one
    browser.post(path, {"old_password": PASSWORD, **chosen})
    owner.user.refresh_from_db()
    assert owner.user.check_password(PASSWORD)


def test_a_change_ends_the_other_sessions_and_is_logged(owner: Member, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "fairground.security")
    here, _there = client(owner), client(owner)
    caplog.clear()
    assert change(here, "quite-another-fair")
    assert Session.objects.count() == 1
    assert [(line.getMessage(), line.user) for line in caplog.records] == [("password changed", owner.user.pk)]  # type: ignore[attr-defined]
    assert here.get("/").status_code == 200


def test_password_managers_can_fill_in_the_fields(owner: Member) -> None:
    for browser, path, hint in (
        (Client(), "/sign-in/", "current-password"),
        (client(owner), "/account/password/", "new-password"),
        (client(owner), "/account/sessions/", "current-password"),
    ):
        page = browser.get(path).content.decode()
        assert 'type="password"' in page
        assert f'autocomplete="{hint}"' in page
        assert "onpaste" not in page


def test_passwords_are_hashed_with_enough_rounds(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = PASSWORD_HASHERS  # as in production: tests use a faster one
    method, rounds, salt, _digest = make_password(PASSWORD).split("$")
    assert method == "pbkdf2_sha256"
    assert int(rounds) >= 600_000  # recommended by OWASP
    assert len(salt) == 22  # 22 of 62 characters: 131 bits
