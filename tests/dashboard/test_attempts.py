"""Guessing at passwords: counted before anything is looked at, however many guess at once (faults.md, S4)."""

from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from identity import login_attempts
from identity.models import LoginAttempt
from merchants.models import Member
from tests.support.concurrency import at_once
from tests.support.members import PASSWORD, member
from tests.support.world import merchant

NAME = "owner@example.com"
looked_at: list[str] = []


class Watched(MD5PasswordHasher):
    """A hasher that notes each password it looks at."""

    algorithm = "watched"

    def verify(self, password: str, encoded: str) -> bool:
        looked_at.append(password)
        return super().verify(password, encoded)


@pytest.fixture
def watched(settings: Settings) -> Member:
    settings.PASSWORD_HASHERS = [f"{__name__}.Watched"]
    merchant("M1")
    found = member(NAME)
    looked_at.clear()
    return found


def attempt(password: str, browser: Client | None = None, name: str = NAME, **headers: str) -> bool:
    """Whether the sign-in succeeded."""
    browser = browser or Client()
    response = browser.post("/sign-in/", {"username": name, "password": password}, **headers)  # type: ignore[arg-type]
    return response.status_code == 302


@pytest.mark.django_db
def test_S4_the_bound_of_a_name_from_both_sides(watched: Member) -> None:
    for n in range(login_attempts.PER_NAME - 1):
        assert not attempt(f"guess-{n}")
    assert attempt(PASSWORD)
    for n in range(login_attempts.PER_NAME):  # a success began anew
        assert not attempt(f"guess-{n}")
    seen = len(looked_at)
    assert not attempt(PASSWORD)
    assert not attempt(PASSWORD, name=" OWNER@example.com")
    assert len(looked_at) == seen
    page = Client(headers={"accept-language": "en"}).post("/sign-in/", {"username": NAME, "password": PASSWORD})
    assert "Too many attempts. Wait 15 minutes" in page.content.decode()


@pytest.mark.django_db
def test_S4_whoever_signed_in_here_before_is_not_shut_out(watched: Member, settings: Settings) -> None:
    known = Client()
    assert attempt(PASSWORD, known)
    known.post("/sign-out/")
    for n in range(login_attempts.PER_NAME + 1):
        attempt(f"guess-{n}")
    assert not attempt(PASSWORD)
    assert attempt(PASSWORD, known)
    forged = Client()
    forged.cookies[settings.DEVICE_COOKIE_NAME] = known.cookies[settings.DEVICE_COOKIE_NAME].value[:-1] + "x"
    assert not attempt(PASSWORD, forged)


@pytest.mark.django_db
def test_S4_a_known_device_has_a_bound_of_its_own(watched: Member) -> None:
    known = Client()
    assert attempt(PASSWORD, known)
    known.post("/sign-out/")
    for n in range(login_attempts.PER_DEVICE):
        assert not attempt(f"guess-{n}", known)
    assert not attempt(PASSWORD, known)


@pytest.mark.django_db
def test_S4_one_guess_at_many_names(watched: Member) -> None:
    for n in range(login_attempts.PER_ADDRESS):
        assert not attempt("guess", name=f"user-{n}@example.com")
    assert not attempt(PASSWORD)
    assert attempt(PASSWORD, REMOTE_ADDR="10.0.0.9")


@pytest.mark.django_db
def test_S4_what_a_client_says_of_its_address_does_not_count(watched: Member, settings: Settings) -> None:
    for n in range(login_attempts.PER_ADDRESS):
        attempt("guess", name=f"user-{n}@example.com", HTTP_X_FORWARDED_FOR=f"10.0.0.{n}")
    assert not attempt(PASSWORD, HTTP_X_FORWARDED_FOR="10.9.9.9")
    request = RequestFactory().get("/", HTTP_X_FORWARDED_FOR="6.6.6.6, 1.2.3.4, 10.0.0.1")
    for proxies, address in ((0, "127.0.0.1"), (1, "10.0.0.1"), (2, "1.2.3.4"), (4, "127.0.0.1")):
        settings.PROXIES = proxies
        assert login_attempts.address_of(request) == address


@pytest.mark.django_db
def test_S4_it_ends_after_a_quarter_of_an_hour(watched: Member) -> None:
    for n in range(login_attempts.PER_NAME + 1):
        attempt(f"guess-{n}")
    LoginAttempt.objects.update(since=timezone.now() - login_attempts.WINDOW + timedelta(seconds=30))
    assert not attempt(PASSWORD)
    assert login_attempts.forget(at=timezone.now()) == 0
    LoginAttempt.objects.update(since=timezone.now() - login_attempts.WINDOW)
    assert attempt(PASSWORD)
    LoginAttempt.objects.update(since=timezone.now() - login_attempts.WINDOW)
    assert login_attempts.forget(at=timezone.now()) == 1


@pytest.mark.django_db
def test_names_of_all_kinds_are_counted(db: None) -> None:
    for name in ("", " ", "x" * 10_000, "名"):
        attempt("guess", name=name)
    assert all(len(key) <= 100 for key in LoginAttempt.objects.values_list("key", flat=True))


def burst() -> int:
    """Twenty try at the same time, the right password among them; returns how many passwords were looked at."""
    at_once([partial(attempt, PASSWORD if n == 10 else f"guess-{n}") for n in range(20)])
    return len(looked_at)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_S4_a_burst_does_not_get_past_the_bound(watched: Member) -> None:
    Client().post("/sign-in/", {"username": "warm", "password": "up"})
    looked_at.clear()
    # The right one, if it comes early, begins the count anew once.
    assert login_attempts.PER_NAME <= burst() <= 2 * login_attempts.PER_NAME


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_S4_control_without_the_guard_all_are_looked_at(watched: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_attempts, "count", lambda *_arguments, **_options: True)
    assert burst() == 20


@pytest.mark.django_db
def test_everyone_signs_in_at_one_place(watched: Member) -> None:
    assert Client().get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"
    assert Client().get("/admin/login/?next=/admin/").headers["Location"] == "/sign-in/?next=/admin/"
    browser = Client()
    assert attempt(PASSWORD, browser)
    assert browser.get("/admin/", follow=True).status_code == 403
