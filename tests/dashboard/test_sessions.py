"""Sessions end by themselves, by their owner and by an administrator; both sides of each bound (ASVS 7.3 to 7.5)."""

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
from merchants.models import Member
from tests.support.members import PASSWORD, text
from tests.support.operators import Staff, staff  # noqa: F401  # a fixture

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
IDLE, LIFETIME = timedelta(hours=1), timedelta(hours=24)


def signed_in(at: datetime, agent: str = "Browser 1") -> Client:
    browser = Client(headers={"accept-language": "en", "user-agent": agent})
    with travel(at, tick=False):
        answer = browser.post("/sign-in/", {"username": "owner@example.com", "password": PASSWORD})
        assert answer.status_code == 302
    return browser


def is_in(browser: Client, at: datetime) -> bool:
    with travel(at, tick=False):
        return browser.get("/wallet/").status_code == 200


@pytest.mark.parametrize(("idle", "still"), [(IDLE - timedelta(seconds=1), True), (IDLE, False)])
def test_it_ends_after_an_hour_without_use(owner: Member, idle: timedelta, still: bool) -> None:
    browser = signed_in(NOW)
    assert is_in(browser, NOW + idle) is still


def test_each_use_makes_it_last_and_is_noted_once_a_minute(owner: Member) -> None:
    browser = signed_in(NOW)
    for minutes, last in ((1, 0), (50, 50), (100, 100), (101, 100), (159, 159)):
        assert is_in(browser, NOW + timedelta(minutes=minutes))
        assert sessions.seen_at(Session.objects.get()) == NOW + timedelta(minutes=last)
    assert not is_in(browser, NOW + timedelta(minutes=159) + IDLE)


@pytest.mark.parametrize(("after", "still"), [(timedelta(0), True), (timedelta(seconds=1), False)])
def test_it_ends_a_day_after_signing_in_however_busy(owner: Member, after: timedelta, still: bool) -> None:
    browser = signed_in(NOW)
    for half_hours in range(1, 48):
        assert is_in(browser, NOW + timedelta(minutes=30) * half_hours)
    assert is_in(browser, NOW + LIFETIME + after) is still
    assert Session.objects.filter(user=owner.user).exists() is still


def test_signing_in_takes_a_new_key_of_enough_chance(owner: Member) -> None:
    browser = Client()
    session = browser.session  # a visitor's own
    session["planted"] = "by a stranger"
    session.save()
    planted = str(session.session_key)
    browser.cookies[settings.SESSION_COOKIE_NAME] = planted
    browser.post("/sign-in/", {"username": "owner@example.com", "password": PASSWORD})
    assert browser.cookies[settings.SESSION_COOKIE_NAME].value != planted
    assert not Session.objects.filter(pk=planted).exists()
    key = Session.objects.get().session_key
    assert len(key) == 32  # of 36 signs: 165 bits
    assert {signed_in(NOW).cookies[settings.SESSION_COOKIE_NAME].value for _ in range(3)} & {key} == set()


def test_one_sees_where_one_is_signed_in(owner: Member, stranger: Member) -> None:
    here, _there = signed_in(NOW), signed_in(NOW - timedelta(minutes=20), agent="<b>Browser 2</b>")
    other = Client(headers={"user-agent": "Another's"})
    with travel(NOW, tick=False):
        other.force_login(stranger.user)
        page = here.get("/account/sessions/").content.decode()
        words = text(here, "/account/sessions/")
    assert (
        "Browser 1 this device signed in 5 January 2026 20:00:00 Beijing, last active 5 January 2026 20:00:00 Beijing"
        in words
    )
    assert "&lt;b&gt;Browser 2&lt;/b&gt;" in page
    assert "signed in 5 January 2026 19:40:00 Beijing, last active 5 January 2026 19:40:00 Beijing" in words
    assert "Another" not in page
    assert not [key for key in Session.objects.values_list("pk", flat=True) if key in page]


def test_ending_takes_the_password(owner: Member) -> None:
    here, there = signed_in(NOW), signed_in(NOW)
    with travel(NOW, tick=False):
        for password in ("", "not-the-password"):
            assert here.post("/account/sessions/", {"password": password}).status_code == 200
        assert is_in(there, NOW)
        assert here.post("/account/sessions/", {"password": PASSWORD}).status_code == 302
        assert "Signed out on 1 device." in text(here, "/account/sessions/")
    assert is_in(here, NOW)
    assert not is_in(there, NOW)


def test_one_of_several_is_ended_and_never_anothers(owner: Member, stranger: Member) -> None:
    here, second, third = (signed_in(NOW) for _ in range(3))
    other = Client()
    with travel(NOW, tick=False):
        other.force_login(stranger.user)
        for browser, ended in ((other, 0), (here, 0), (second, 1)):  # another's, this very one, one's own elsewhere
            number = sessions.numbered(browser.cookies[settings.SESSION_COOKIE_NAME].value)
            before = Session.objects.count()
            assert here.post("/account/sessions/", {"password": PASSWORD, "number": number}).status_code == 302
            assert before - Session.objects.count() == ended
        assert here.post("/account/sessions/", {"password": PASSWORD, "number": "%"}).status_code == 200
    assert [is_in(browser, NOW) for browser in (here, second, third)] == [True, False, True]


def test_guesses_at_the_password_are_counted_here_too(owner: Member) -> None:
    here, there = signed_in(NOW), signed_in(NOW)
    with travel(NOW, tick=False):
        for _ in range(10):  # the bound of a known device
            here.post("/account/sessions/", {"password": "guess"})
        assert here.post("/account/sessions/", {"password": PASSWORD}).status_code == 200
    assert is_in(there, NOW)


def test_administrators_end_anybodys_but_a_superusers(owner: Member, staff: Staff) -> None:  # noqa: F811
    User.objects.create_superuser("root")
    root = Client()
    root.force_login(User.objects.get(username="root"))
    browser = signed_in(datetime.now(UTC))
    viewer, administrator = staff("vic", "viewer"), staff("ada", "administrator")
    chosen = {"action": "end_sessions", "_selected_action": list(User.objects.values_list("pk", flat=True))}
    assert viewer.post("/admin/auth/user/", chosen).status_code == 403
    assert browser.get("/wallet/").status_code == 200
    page = administrator.post("/admin/auth/user/", chosen, follow=True).content.decode()
    assert "2 sessions ended." in page
    assert browser.get("/wallet/").status_code == 302
    assert viewer.get("/admin/").status_code == 302
    assert root.get("/admin/").status_code == 200
    assert LogEntry.objects.filter(user__username="ada").count() == 3  # hers too, but for this very one


def test_a_lost_telephone_is_taken_off_by_an_administrator(owner: Member, staff: Staff) -> None:  # noqa: F811
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
    assert set(TOTPDevice.objects.values_list("user__username", flat=True)) == {"root", "ada"}  # hers by code alone
    assert browser.get("/wallet/").status_code == 302
    assert administrator.get("/admin/otp_totp/totpdevice/").status_code == 404


def test_what_is_over_is_deleted(owner: Member) -> None:
    signed_in(NOW)
    with travel(NOW + IDLE - timedelta(seconds=1), tick=False):
        tasks.sweep()
        assert Session.objects.count() == 1
    with travel(NOW + IDLE + timedelta(seconds=1), tick=False):
        tasks.sweep()
        assert Session.objects.count() == 0
