"""The second step at sign-in: a code of one's telephone, right once, and not to be guessed."""

from datetime import UTC, datetime, timedelta
from threading import Event
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings
from time_machine import travel

from identity import mfa
from merchants.models import Member
from tests.support.concurrency import at_once
from tests.support.guards import without_row_locks
from tests.support.members import PASSWORD, client, words

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SIGN_IN, CODE, SETTINGS = "/sign-in/", "/sign-in/code/", "/account/second-step/"


def code(device: TOTPDevice, at: datetime = NOW) -> str:
    """What the telephone shows."""
    made = TOTP(device.bin_key)
    made.time = at.timestamp()
    return f"{made.token():06}"


@pytest.fixture
def device(owner: Member) -> TOTPDevice:
    made = mfa.begin(owner.user)
    with travel(NOW - timedelta(minutes=5), tick=False):
        assert mfa.confirm(owner.user, code(made, NOW - timedelta(minutes=5)))
    return TOTPDevice.objects.get()


def password(browser: Client, to: str = "") -> str:
    answer = browser.post(f"{SIGN_IN}?next={to}", {"username": "owner@example.com", "password": PASSWORD, "next": to})
    assert answer.status_code == 302
    return answer.headers["location"]


def test_turned_on_with_a_code_and_off_with_another(owner: Member) -> None:
    browser = client(owner)
    with travel(NOW, tick=False):
        page = browser.get(SETTINGS).content.decode()
        assert "<svg" in page
        assert "otpauth://totp/Fairground" in page
        made = TOTPDevice.objects.get()
        assert not made.confirmed
        assert "Wrong code" in browser.post(SETTINGS, {"code": "000000", "password": PASSWORD}).content.decode()
    with travel(NOW + timedelta(minutes=1), tick=False):
        right = code(made, NOW + timedelta(minutes=1))
        assert browser.post(SETTINGS, {"code": right}).status_code == 200
        assert "Wrong password" in browser.post(SETTINGS, {"code": right, "password": "no"}).content.decode()
        assert mfa.device_of(owner.user) is None
        assert browser.post(SETTINGS, {"code": right, "password": PASSWORD}).status_code == 302
        assert mfa.device_of(owner.user) is not None
    with travel(NOW + timedelta(minutes=2), tick=False):
        assert "Wrong code" in browser.post(SETTINGS, {"code": "123456", "password": PASSWORD}).content.decode()
        assert mfa.device_of(owner.user) is not None
    with travel(NOW + timedelta(minutes=5), tick=False):
        right = code(made, NOW + timedelta(minutes=5))
        assert browser.post(SETTINGS, {"code": right, "password": "no"}).status_code == 200
        assert mfa.device_of(owner.user) is not None
        browser.post(SETTINGS, {"code": right, "password": PASSWORD})
        assert mfa.device_of(owner.user) is None


def test_the_password_alone_signs_nobody_in(device: TOTPDevice) -> None:
    browser = Client()
    with travel(NOW, tick=False):
        assert password(browser, "/wallet/") == CODE
        assert browser.get("/wallet/").status_code == 302
        assert browser.get(CODE).status_code == 200
        answer = browser.post(CODE, {"code": code(device)})
        assert answer.headers["location"] == "/wallet/"
        assert browser.get("/wallet/").status_code == 200
        assert browser.get(CODE).status_code == 302  # used up


def test_a_code_is_right_once(device: TOTPDevice) -> None:
    first, second = Client(), Client()
    with travel(NOW, tick=False):
        for browser in (first, second):
            password(browser)
        assert first.post(CODE, {"code": code(device)}).status_code == 302
        assert "already used" in words(second.post(CODE, {"code": code(device)}).content.decode())
        assert second.get("/wallet/").status_code == 302


def test_after_a_wrong_code_even_the_right_one_must_wait(device: TOTPDevice) -> None:
    browser = Client()
    with travel(NOW, tick=False):
        password(browser)
        browser.post(CODE, {"code": "000000"})
        assert browser.post(CODE, {"code": code(device)}).status_code == 200
    later = NOW + timedelta(seconds=30)
    with travel(later, tick=False):
        assert browser.post(CODE, {"code": code(device, later)}).status_code == 302


@pytest.mark.parametrize(("minutes", "open_"), [(5, True), (6, False)])
def test_the_password_is_remembered_for_five_minutes(minutes: int, open_: bool, device: TOTPDevice) -> None:
    browser = Client()
    with travel(NOW, tick=False):
        password(browser)
    with travel(NOW + timedelta(minutes=minutes), tick=False):
        assert browser.get(CODE).status_code == (200 if open_ else 302)


def test_nobody_is_asked_who_did_not_want_it(owner: Member) -> None:
    assert password(Client()) == "/"
    assert Client().get(CODE).status_code == 302
    assert Client().get(SETTINGS).status_code == 302


def test_turning_it_on_or_off_ends_other_sessions(owner: Member) -> None:
    here, there = client(owner), client(owner)
    with travel(NOW, tick=False):
        made = mfa.begin(owner.user)
        assert here.post(SETTINGS, {"code": code(made), "password": PASSWORD}).status_code == 302
        assert (here.get("/wallet/").status_code, there.get("/wallet/").status_code) == (200, 302)
        there.force_login(owner.user)
    later = NOW + timedelta(minutes=5)
    with travel(later, tick=False):
        assert here.post(SETTINGS, {"code": code(made, later), "password": PASSWORD}).status_code == 302
        assert (here.get("/wallet/").status_code, there.get("/wallet/").status_code) == (200, 302)


def test_a_forgotten_password_does_not_get_past_the_code(device: TOTPDevice, owner: Member) -> None:
    browser = Client()
    with travel(NOW, tick=False):
        browser.post("/password/", {"email": "owner@example.com"})
        [sent] = mail.outbox
        link = next(line for line in sent.body.splitlines() if "/password/" in line)
        page = browser.get(urlsplit(link.strip()).path, follow=True)
        fields = {"new_password1": "quite-another-fair", "new_password2": "quite-another-fair"}
        assert browser.post(page.request["PATH_INFO"], fields).headers["location"] == CODE
        assert browser.get("/wallet/").status_code == 302
        assert browser.post(CODE, {"code": code(device)}).status_code == 302
        assert browser.get("/wallet/").status_code == 200


@pytest.mark.parametrize(("asked", "of_members"), [("nobody", False), ("operators", False), ("everyone", True)])
def test_whoever_needs_it_sets_it_up_before_anything_else(
    owner: Member, settings: Settings, asked: str, of_members: bool
) -> None:
    settings.SECOND_STEP = asked
    ana = User.objects.create_user("ana", password=PASSWORD, is_staff=True, is_superuser=True)
    desk, browser = Client(), client(owner)
    desk.force_login(ana)
    elsewhere = ("/admin/", "/admin/auth/user/", "/account/sessions/")
    for path in elsewhere:
        answer = desk.get(path)
        assert (answer.headers.get("location") == SETTINGS) is (asked != "nobody"), path
    assert (browser.get("/wallet/").headers.get("location") == SETTINGS) is of_members
    assert desk.post("/admin/auth/user/add/").status_code == (200 if asked == "nobody" else 302)
    assert not User.objects.filter(username="").exists()
    if asked == "nobody":
        return
    assert "requires two-step verification" in words(desk.get(SETTINGS).content.decode())
    with travel(NOW, tick=False):
        desk.force_login(ana)
        device = mfa.begin(ana)
        assert desk.post(SETTINGS, {"code": code(device), "password": PASSWORD}).status_code == 302
        assert desk.get("/admin/").status_code == 200
        assert "move to another phone" in words(desk.get(SETTINGS).content.decode())
    later = NOW + timedelta(minutes=5)
    with travel(later, tick=False):  # a new telephone: off, and on again before anything else
        assert desk.post(SETTINGS, {"code": code(device, later), "password": PASSWORD}).status_code == 302
        assert desk.get("/admin/").headers["location"] == SETTINGS


def test_seeds_are_of_160_bits_by_chance(owner: Member, mate: Member) -> None:
    keys = {mfa.begin(member.user).bin_key for member in (owner, mate)}
    assert [len(key) for key in keys] == [20, 20]


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The codes that were compared at all. The first comparison takes its time: until another has begun, if any can."""
    compared: list[str] = []
    verify, another = TOTPDevice.verify_token, Event()

    def watched(self: TOTPDevice, token: str) -> bool:
        compared.append(token)
        if len(compared) > 1:
            another.set()
        another.wait(2)
        return bool(verify(self, token))

    monkeypatch.setattr(TOTPDevice, "verify_token", watched)
    return compared


def burst() -> list[bool]:
    """Twenty wrong codes at once."""
    user = User.objects.get(username="owner@example.com")
    with travel(NOW, tick=False):
        return at_once([lambda n=n: mfa.verify(user, f"{n:06}") for n in range(20)])  # type: ignore[misc]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_S4_a_burst_of_codes_looks_at_one(device: TOTPDevice, looked: list[str]) -> None:
    """Of twenty wrong codes at once one is compared; the others find that they must wait."""
    assert burst() == [False] * 20
    assert len(looked) == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_S4_control_without_the_lock_a_burst_looks_at_several(
    device: TOTPDevice, looked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_row_locks(monkeypatch)
    burst()
    assert len(looked) > 1
