"""What a password may be, from both sides of each rule (ASVS 6.2)."""

import pytest
from django.conf.global_settings import PASSWORD_HASHERS
from django.contrib.auth.hashers import make_password
from django.test import Client
from pytest_django import Settings

from merchants.models import Member
from tests.support.members import PASSWORD, client

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def change(browser: Client, to: str, old: str = PASSWORD) -> bool:
    """Whether the password was changed."""
    fields = {"old_password": old, "new_password1": to, "new_password2": to}
    return browser.post("/account/password/", fields).status_code == 302


@pytest.mark.parametrize(
    "refused",
    [
        "kq7-xw2",  # seven signs
        "47114711081508",  # digits alone
        "iloveyou2",  # one that was breached
        "Fairground2026!",
        "coupons-2026",
        "owner@example.com",
    ],
)
def test_what_is_easily_guessed_is_refused(owner: Member, refused: str) -> None:
    assert not change(client(owner), refused)
    owner.user.refresh_from_db()
    assert owner.user.check_password(PASSWORD)


@pytest.mark.parametrize(
    "taken", ["kq7-xw2p", "only lower case words", "名字与口令都可以", "Fairground of our own", "x9-" * 40]
)
def test_length_alone_is_enough_and_each_sign_counts(owner: Member, taken: str) -> None:
    assert change(client(owner), taken)
    owner.user.refresh_from_db()
    assert owner.user.check_password(taken)
    for other in (taken.upper(), taken[:-1], f" {taken}", f"{taken} "):
        assert other == taken or not owner.user.check_password(other)
    assert Client().post("/sign-in/", {"username": "owner@example.com", "password": taken}).status_code == 302


def test_a_change_takes_the_one_before(owner: Member) -> None:
    assert not change(client(owner), "quite-another-fair", old="not-that-one")
    assert change(client(owner), "quite-another-fair")


def test_programs_that_keep_passwords_can_fill_them_in(owner: Member) -> None:
    for browser, path, hint in (
        (Client(), "/sign-in/", "current-password"),
        (client(owner), "/account/password/", "new-password"),
        (client(owner), "/account/sessions/", "current-password"),
    ):
        page = browser.get(path).content.decode()
        assert 'type="password"' in page
        assert f'autocomplete="{hint}"' in page
        assert "onpaste" not in page


def test_they_are_hashed_with_enough_rounds(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = PASSWORD_HASHERS  # as in production: tests may take a faster one
    method, rounds, salt, _digest = make_password(PASSWORD).split("$")
    assert method == "pbkdf2_sha256"
    assert int(rounds) >= 600_000  # OWASP's figure for it
    assert len(salt) == 22  # of 62 signs: 131 bits
