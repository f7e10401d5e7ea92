"""Lock-out after too many sign-in attempts: counted before the password is checked, also for concurrent attempts."""

from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from identity import login_attempts, rate_limits
from identity.models import RateCount
from merchants.models import Member
from tests.support.concurrency import at_once
from tests.support.members import PASSWORD, member
from tests.support.world import merchant

NAME = "owner@example.com"
checked: list[str] = []


class RecordingHasher(MD5PasswordHasher):
    """Password hasher that records each password it checks."""

    algorithm = "recording"

    def verify(self, password: str, encoded: str) -> bool:
        checked.append(password)
        return super().verify(password, encoded)


@pytest.fixture
def recorded(settings: Settings) -> Member:
    """A member whose password checks are recorded in `checked`."""
    settings.PASSWORD_HASHERS = [f"{__name__}.RecordingHasher"]
    merchant("M1")
    owner = member(NAME)
    checked.clear()
    return owner


def attempt(password: str, browser: Client | None = None, name: str = NAME, **headers: str) -> bool:
    """Return true if the sign-in succeeded."""
    browser = browser or Client()
    response = browser.post("/sign-in/", {"username": name, "password": password}, **headers)  # type: ignore[arg-type]
    return response.status_code == 302


@pytest.mark.django_db
def test_attempts_per_name_are_limited(recorded: Member) -> None:
    for n in range(login_attempts.PER_NAME.most - 1):
        assert not attempt(f"guess-{n}")
    assert attempt(PASSWORD)
    for n in range(login_attempts.PER_NAME.most):  # the sign-in reset the count
        assert not attempt(f"guess-{n}")
    before = len(checked)
    assert not attempt(PASSWORD)
    assert not attempt(PASSWORD, name=" OWNER@example.com")
    assert len(checked) == before
    page = Client(headers={"accept-language": "en"}).post("/sign-in/", {"username": NAME, "password": PASSWORD})
    assert "Too many attempts. Wait 15 minutes" in page.content.decode()


@pytest.mark.django_db
def test_a_known_device_is_not_locked_out(recorded: Member, settings: Settings) -> None:
    known = Client()
    assert attempt(PASSWORD, known)
    known.post("/sign-out/")
    for n in range(login_attempts.PER_NAME.most + 1):
        attempt(f"guess-{n}")
    assert not attempt(PASSWORD)
    assert attempt(PASSWORD, known)
    forged = Client()
    forged.cookies[settings.DEVICE_COOKIE_NAME] = known.cookies[settings.DEVICE_COOKIE_NAME].value[:-1] + "x"
    assert not attempt(PASSWORD, forged)


@pytest.mark.django_db
def test_a_known_device_has_a_limit_of_its_own(recorded: Member) -> None:
    known = Client()
    assert attempt(PASSWORD, known)
    known.post("/sign-out/")
    for n in range(login_attempts.PER_DEVICE.most):
        assert not attempt(f"guess-{n}", known)
    assert not attempt(PASSWORD, known)


@pytest.mark.django_db
def test_attempts_per_address_are_limited(recorded: Member) -> None:
    for n in range(login_attempts.PER_NETWORK.most):
        assert not attempt("guess", name=f"user-{n}@example.com")
    assert not attempt(PASSWORD)
    assert attempt(PASSWORD, REMOTE_ADDR="10.0.0.9")


@pytest.mark.django_db
def test_right_passwords_do_not_count_for_the_network(recorded: Member) -> None:
    for _ in range(login_attempts.PER_NETWORK.most + 1):
        assert attempt(PASSWORD)
    for n in range(login_attempts.PER_NETWORK.most - 1):
        assert not attempt("guess", name=f"user-{n}@example.com")
    assert attempt(PASSWORD)  # the last one that is allowed, and it does not count
    assert not attempt("guess", name="last@example.com")
    assert not attempt(PASSWORD)


@pytest.mark.django_db
def test_a_known_device_is_not_locked_out_with_its_network(recorded: Member) -> None:
    known = Client()
    assert attempt(PASSWORD, known)
    known.post("/sign-out/")
    for n in range(login_attempts.PER_NETWORK.most + 1):
        attempt("guess", name=f"user-{n}@example.com")
    assert not attempt(PASSWORD)
    assert attempt(PASSWORD, known)
    known.post("/sign-out/")
    member("other@example.com")
    assert not attempt(PASSWORD, known, name="other@example.com")  # the device is known for one name


@pytest.mark.django_db
def test_a_forged_address_does_not_count(recorded: Member, settings: Settings) -> None:
    for n in range(login_attempts.PER_NETWORK.most):
        attempt("guess", name=f"user-{n}@example.com", HTTP_X_FORWARDED_FOR=f"10.0.0.{n}")
    assert not attempt(PASSWORD, HTTP_X_FORWARDED_FOR="10.9.9.9")
    request = RequestFactory().get("/", HTTP_X_FORWARDED_FOR="6.6.6.6, 1.2.3.4, 10.0.0.1")
    for proxies, address in ((0, "127.0.0.1"), (1, "10.0.0.1"), (2, "1.2.3.4"), (4, "127.0.0.1")):
        settings.PROXIES = proxies
        assert login_attempts.client_address(request) == address


@pytest.mark.django_db
def test_a_lock_out_ends_after_15_minutes(recorded: Member) -> None:
    for n in range(login_attempts.PER_NAME.most + 1):
        attempt(f"guess-{n}")
    RateCount.objects.update(ends_at=timezone.now() + timedelta(seconds=30))
    assert not attempt(PASSWORD)
    assert rate_limits.delete_expired(at=timezone.now()) == 0
    RateCount.objects.update(ends_at=timezone.now())
    assert attempt(PASSWORD)
    RateCount.objects.update(ends_at=timezone.now())
    assert rate_limits.delete_expired(at=timezone.now()) == 2  # the name at zero, and the address


@pytest.mark.django_db
def test_any_name_can_be_counted(db: None) -> None:
    for name in ("", " ", "x" * 10_000, "名"):
        attempt("guess", name=name)
    assert all(len(key) <= 100 for key in RateCount.objects.values_list("key", flat=True))


def burst() -> int:
    """Make twenty attempts at the same time, one with the right password. Return how many passwords were checked."""
    at_once([partial(attempt, PASSWORD if n == 10 else f"guess-{n}") for n in range(20)])
    return len(checked)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_concurrent_attempts_do_not_exceed_the_limit(recorded: Member) -> None:
    Client().post("/sign-in/", {"username": "warm", "password": "up"})
    checked.clear()
    # The right password resets the count once.
    assert login_attempts.PER_NAME.most <= burst() <= 2 * login_attempts.PER_NAME.most


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_control_without_the_limit_all_passwords_are_checked(recorded: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_attempts, "count_attempt", lambda *_arguments, **_options: True)
    assert burst() == 20


@pytest.mark.django_db
def test_all_users_sign_in_on_one_page(recorded: Member) -> None:
    assert Client().get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"
    assert Client().get("/admin/login/?next=/admin/").headers["Location"] == "/sign-in/?next=/admin/"
    browser = Client()
    assert attempt(PASSWORD, browser)
    assert browser.get("/admin/", follow=True).status_code == 403


@pytest.mark.django_db
def test_addresses_of_one_ipv6_network_are_counted_together(recorded: Member) -> None:
    for n in range(login_attempts.PER_NETWORK.most):
        attempt("guess", name=f"user-{n}@example.com", REMOTE_ADDR=f"2001:db8::{n:x}")
    assert not attempt(PASSWORD, REMOTE_ADDR="2001:db8::ffff:0")
    assert attempt(PASSWORD, REMOTE_ADDR="2001:db8:0:1::1")
