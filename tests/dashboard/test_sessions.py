"""Sessions end after a time, by their user and by an administrator (ASVS 7.3 to 7.5)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice
from time_machine import travel

from campaigns import tasks
from identity import sessions
from identity.models import Session
from merchants import members
from merchants.models import Member
from tests.support.members import PASSWORD, client, text, visible
from tests.support.operators import Staff, staff  # noqa: F401  # a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="sign-in, single rows")]

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
IDLE, LIFETIME = timedelta(hours=1), timedelta(hours=24)


def sign_in(at: datetime, agent: str = "Browser 1") -> Client:
    browser = Client(headers={"accept-language": "en", "user-agent": agent})
    with travel(at, tick=False):
        answer = browser.post("/sign-in/", {"username": "owner@example.com", "password": PASSWORD})
        assert answer.status_code == 302
    return browser


def is_signed_in(browser: Client, at: datetime) -> bool:
    with travel(at, tick=False):
        return browser.get("/wallet/").status_code == 200


@pytest.mark.parametrize(("idle", "still"), [(IDLE - timedelta(seconds=1), True), (IDLE, False)])
def test_a_session_ends_after_an_hour_without_use(owner: Member, idle: timedelta, still: bool) -> None:
    browser = sign_in(NOW)
    assert is_signed_in(browser, NOW + idle) is still


def test_each_use_extends_the_session_and_is_stored_once_a_minute(owner: Member) -> None:
    browser = sign_in(NOW)
    for minutes, last in ((1, 0), (50, 50), (100, 100), (101, 100), (159, 159)):
        assert is_signed_in(browser, NOW + timedelta(minutes=minutes))
        assert sessions.last_used_at(Session.objects.get()) == NOW + timedelta(minutes=last)
    assert not is_signed_in(browser, NOW + timedelta(minutes=159) + IDLE)


@pytest.mark.parametrize(("after", "still"), [(timedelta(0), True), (timedelta(seconds=1), False)])
def test_a_session_ends_a_day_after_sign_in_even_in_use(owner: Member, after: timedelta, still: bool) -> None:
    browser = sign_in(NOW)
    for half_hours in range(1, 48):
        assert is_signed_in(browser, NOW + timedelta(minutes=30) * half_hours)
    assert is_signed_in(browser, NOW + LIFETIME + after) is still
    assert Session.objects.filter(user=owner.user).exists() is still


def test_sign_in_creates_a_new_random_key(owner: Member) -> None:
    browser = Client()
    session = browser.session  # before sign-in
    session["planted"] = "by an attacker"
    session.save()
    planted = str(session.session_key)
    browser.cookies[settings.SESSION_COOKIE_NAME] = planted
    browser.post("/sign-in/", {"username": "owner@example.com", "password": PASSWORD})
    assert browser.cookies[settings.SESSION_COOKIE_NAME].value != planted
    assert not Session.objects.filter(pk=sessions.hashed(planted)).exists()
    keys = {str(sign_in(NOW).cookies[settings.SESSION_COOKIE_NAME].value) for _ in range(3)}
    assert [len(key) for key in keys] == [32, 32, 32]  # 32 of 36 characters: 165 bits


def test_the_database_holds_no_key_that_a_browser_could_send(owner: Member) -> None:
    browser = sign_in(datetime.now(UTC))
    key, row = str(browser.cookies[settings.SESSION_COOKIE_NAME].value), Session.objects.get()
    assert row.pk == sessions.hashed(key) != key
    assert key not in str(list(Session.objects.values()))
    thief = Client()
    for stolen, status in ((row.pk, 302), (key, 200)):
        thief.cookies[settings.SESSION_COOKIE_NAME] = stolen
        assert thief.get("/wallet/").status_code == status


def test_users_see_their_own_sessions(owner: Member, stranger: Member) -> None:
    here, _there = sign_in(NOW), sign_in(NOW - timedelta(minutes=20), agent="<b>Browser 2</b>")
    other = Client(headers={"user-agent": "Another's"})
    with travel(NOW, tick=False):
        other.force_login(stranger.user)
        page = here.get("/account/sessions/").content.decode()
        words = visible(here, "/account/sessions/")
    assert "Browser 1 this device Signed in 5 Jan 2026, 20:00, last active 5 Jan 2026, 20:00" in words
    assert "&lt;b&gt;Browser 2&lt;/b&gt;" in page
    assert "Signed in 5 Jan 2026, 19:40, last active 5 Jan 2026, 19:40" in words
    assert "Another" not in page
    assert not [key for key in Session.objects.values_list("pk", flat=True) if key in page]


def test_ending_sessions_requires_the_password(owner: Member) -> None:
    here, there = sign_in(NOW), sign_in(NOW)
    with travel(NOW, tick=False):
        for password in ("", "not-the-password"):
            assert here.post("/account/sessions/", {"password": password}).status_code == 200
        assert is_signed_in(there, NOW)
        assert here.post("/account/sessions/", {"password": PASSWORD}).status_code == 302
        assert "Signed out on 1 device." in text(here, "/account/sessions/")
    assert is_signed_in(here, NOW)
    assert not is_signed_in(there, NOW)


def test_users_end_only_their_own_sessions(owner: Member, stranger: Member) -> None:
    here, second, third = (sign_in(NOW) for _ in range(3))
    other = Client()
    with travel(NOW, tick=False):
        other.force_login(stranger.user)
        for browser, ended in (
            (other, 0),
            (here, 0),
            (second, 1),
        ):  # another user's, the current one, the user's other one
            number = sessions.hashed(str(browser.cookies[settings.SESSION_COOKIE_NAME].value))[:16]
            before = Session.objects.count()
            assert here.post("/account/sessions/", {"password": PASSWORD, "number": number}).status_code == 302
            assert before - Session.objects.count() == ended
        assert here.post("/account/sessions/", {"password": PASSWORD, "number": "%"}).status_code == 200
    assert [is_signed_in(browser, NOW) for browser in (here, second, third)] == [True, False, True]


def test_wrong_passwords_are_counted_in_reauthentication(owner: Member) -> None:
    here, there = sign_in(NOW), sign_in(NOW)
    with travel(NOW, tick=False):
        for _ in range(10):  # the limit of a known device
            here.post("/account/sessions/", {"password": "guess"})
        assert here.post("/account/sessions/", {"password": PASSWORD}).status_code == 200
    assert is_signed_in(there, NOW)


def test_administrators_end_sessions_of_all_but_superusers(owner: Member, staff: Staff) -> None:  # noqa: F811
    User.objects.create_superuser("root")
    root = Client()
    root.force_login(User.objects.get(username="root"))
    browser = sign_in(datetime.now(UTC))
    viewer, administrator = staff("vic", "viewer"), staff("ada", "administrator")
    chosen = {"action": "end_sessions", "_selected_action": list(User.objects.values_list("pk", flat=True))}
    assert viewer.post("/admin/auth/user/", chosen).status_code == 403
    assert browser.get("/wallet/").status_code == 200
    page = administrator.post("/admin/auth/user/", chosen, follow=True).content.decode()
    assert "2 sessions ended." in page
    assert browser.get("/wallet/").status_code == 302
    assert viewer.get("/admin/").status_code == 302
    assert root.get("/admin/").status_code == 200
    assert LogEntry.objects.filter(user__username="ada").count() == 3  # her own too, except the current one


def test_administrators_remove_the_second_factor_of_others(owner: Member, staff: Staff) -> None:  # noqa: F811
    for user in (owner.user, User.objects.create_superuser("root")):
        TOTPDevice.objects.create(user=user, confirmed=True)
    browser = Client()
    browser.force_login(owner.user)
    viewer, administrator = staff("vic", "viewer"), staff("ada", "administrator")
    TOTPDevice.objects.create(user=User.objects.get(username="ada"), confirmed=True)
    chosen = {"action": "remove_second_step", "_selected_action": list(User.objects.values_list("pk", flat=True))}
    assert viewer.post("/admin/auth/user/", chosen).status_code == 403
    assert TOTPDevice.objects.count() == 3
    administrator.post("/admin/auth/user/", chosen)
    assert set(TOTPDevice.objects.values_list("user__username", flat=True)) == {
        "root",
        "ada",
    }  # her own only with a code
    assert browser.get("/wallet/").status_code == 302
    assert administrator.get("/admin/otp_totp/totpdevice/").status_code == 404


def test_a_deactivated_users_sessions_end_and_do_not_come_back(owner: Member) -> None:
    browser = sign_in(datetime.now(UTC))
    owner.user.is_active = False
    owner.user.save()
    assert not Session.objects.exists()
    owner.user.is_active = True
    owner.user.save()
    assert browser.get("/wallet/").status_code == 302


def test_a_disabled_members_sessions_end_and_do_not_come_back(owner: Member) -> None:
    browser = sign_in(datetime.now(UTC))
    members.disable(owner, at=NOW, by=None)
    assert not Session.objects.exists()
    assert client(owner).get("/wallet/").status_code == 302  # a session made by any other way
    members.enable(owner, by=None)
    assert browser.get("/wallet/").status_code == 302


def test_expired_sessions_are_deleted(owner: Member) -> None:
    sign_in(NOW)
    with travel(NOW + IDLE - timedelta(seconds=1), tick=False):
        tasks.sweep()
        assert Session.objects.count() == 1
    with travel(NOW + IDLE + timedelta(seconds=1), tick=False):
        tasks.sweep()
        assert Session.objects.count() == 0
