"""Password reset: sent by a worker, so that nobody learns which addresses are known, and limited."""

from datetime import UTC, datetime, timedelta
from re import findall, search

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from time_machine import travel

from campaigns import tasks
from identity import password_reset
from identity.models import PasswordReset, RateCount
from identity.rate_limits import RateLimit
from identity.tasks import send_password_resets
from merchants.models import Member
from tests.support.concurrency import at_once
from tests.support.members import PASSWORD, client

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="links and mail, stored as a row")]

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
CHOSEN = {"new_password1": "my-own-little-fair", "new_password2": "my-own-little-fair"}


def ask(email: str = "owner@example.com", address: str = "10.0.0.1", **headers: str) -> str:
    """Ask for a link; return the page that follows."""
    browser = Client(headers={"accept-language": "en"}, REMOTE_ADDR=address)
    answer = browser.post("/password/", {"email": email}, headers=headers)
    return str(answer.headers["Location"]) if answer.status_code == 302 else answer.content.decode()


def path() -> str:
    found = search(r"http://127\.0\.0\.1:8000(/password/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def test_a_worker_sends_the_link(owner: Member) -> None:
    there = client(owner)
    assert ask() == "/password/sent/"
    assert mail.outbox == []
    send_password_resets()
    send_password_resets()
    assert [(letter.to, letter.subject) for letter in mail.outbox] == [(["owner@example.com"], "Reset your password")]
    fresh = Client()
    form = fresh.get(path(), follow=True)
    assert fresh.post(form.redirect_chain[-1][0], CHOSEN).status_code == 302
    assert fresh.get("/wallet/").status_code == 200
    assert there.get("/wallet/").status_code == 302  # earlier sessions ended
    assert Client().post("/sign-in/", {"username": "owner@example.com", "password": PASSWORD}).status_code == 200
    assert not PasswordReset.objects.exists()


def test_known_and_unknown_addresses_take_the_same_way(owner: Member) -> None:
    ways = []
    for email, address in (("owner@example.com", "10.0.0.1"), ("nobody@example.com", "10.0.0.2")):
        with CaptureQueriesContext(connection) as queries:
            page = ask(email, address)
        ways.append((page, [findall(r'^[A-Z]+|"(?:auth|identity|merchants)_\w+"', query["sql"]) for query in queries]))
    assert ways[0] == ways[1]
    assert [found[:2] for found in ways[0][1] if "INSERT" in found][-1] == ["INSERT", '"identity_passwordreset"']
    assert '"auth_user"' not in {name for names in ways[0][1] for name in names}
    send_password_resets()
    assert [letter.to for letter in mail.outbox] == [["owner@example.com"]]


def test_links_lead_to_this_site_whatever_the_request_says(owner: Member, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    ask(host="evil.example:1234", **{"x-forwarded-host": "evil.example"})
    settings.SITE_URL = "https://fair.example"
    send_password_resets()
    assert "https://fair.example/password/" in mail.outbox[0].body
    assert "evil" not in mail.outbox[0].body


def test_three_links_an_hour_for_an_address(owner: Member) -> None:
    with travel(NOW, tick=False) as at:
        for email in ("owner@example.com", "OWNER@example.com", "Owner@Example.com"):
            assert ask(email) == "/password/sent/"
        assert "Too many requests" in ask(address="10.0.0.2")
        assert ask("nobody@example.com") == "/password/sent/"
        at.move_to(NOW + timedelta(minutes=59, seconds=59))
        assert "Too many requests" in ask()
        send_password_resets()
        assert len(mail.outbox) == 3
        at.move_to(NOW + timedelta(hours=1))
        assert ask() == "/password/sent/"


@pytest.mark.parametrize(
    ("addresses", "is_one"),
    [
        (("10.0.0.1", "10.0.0.2"), False),
        (("2001:db8:0:1::1", "2001:db8:0:1:ffff::2"), True),
        (("2001:db8:0:1::1", "2001:db8:0:2::1"), False),
        (("::ffff:10.0.0.1", "10.0.0.1"), True),
    ],
)
def test_twenty_links_an_hour_for_a_network(db: None, addresses: tuple[str, str], is_one: bool) -> None:
    for n in range(password_reset.PER_NETWORK.most):
        assert ask(f"{n}@example.com", addresses[0]) == "/password/sent/"
    assert "Too many requests" in ask("x@example.com", addresses[0])
    assert ("Too many requests" in ask("y@example.com", addresses[1])) is is_one


def burst() -> int:
    """Ask for twenty links at the same time. Return how many requests were stored."""
    ask("warm@example.com", "10.0.0.2")
    PasswordReset.objects.all().delete()
    at_once([ask] * password_reset.PER_NETWORK.most)
    return PasswordReset.objects.count()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_do_not_exceed_the_limit() -> None:
    assert burst() == password_reset.PER_ADDRESS.most


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_control_without_the_limit_every_request_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateLimit, "allows", lambda *_arguments, **_options: True)
    assert burst() == 20


def test_disabled_users_get_no_link(owner: Member, mate: Member) -> None:
    User.objects.create_user("former@example.com", "former@example.com", PASSWORD, is_active=False)
    Member.objects.filter(pk=mate.pk).update(disabled_at=NOW)
    for email in ("former@example.com", "mate@example.com"):
        ask(email)
    tasks.sweep()
    assert mail.outbox == []


def test_a_link_sent_before_the_account_was_disabled_is_no_longer_valid(owner: Member) -> None:
    ask()
    send_password_resets()
    Member.objects.update(disabled_at=NOW)
    browser = Client(headers={"accept-language": "en"})
    assert "This link is no longer valid" in browser.get(path(), follow=True).content.decode()
    owner.user.refresh_from_db()
    assert owner.user.check_password(PASSWORD)


def test_a_failing_mail_server_is_tried_again_for_an_hour(owner: Member, settings: Settings) -> None:
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "tests.dashboard.test_mail.Broken"
    with travel(NOW, tick=False) as at:
        ask()
        ask()
        tasks.sweep()
        settings.EMAIL_BACKEND = backend
        latest = PasswordReset.objects.latest("pk").pk
        PasswordReset.objects.filter(pk=latest).update(requested_at=NOW - timedelta(hours=1))
        tasks.sweep()
        assert len(mail.outbox) == 1
        assert not PasswordReset.objects.exists()
        assert RateCount.objects.count() == 2
        at.move_to(NOW + timedelta(hours=1))
        tasks.sweep()
        assert not RateCount.objects.exists()
