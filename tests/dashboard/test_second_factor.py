"""Second factor at sign-in: each code works once and cannot be guessed."""

from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings
from time_machine import travel

from identity import mfa
from identity.tasks import send_password_resets
from merchants import members
from merchants.models import Member
from tests.support.concurrency import Race
from tests.support.guards import without_row_locks
from tests.support.members import PASSWORD, begin_second_step, client, totp_code, words

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="sign-in, single rows")]

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SIGN_IN, CODE, SETTINGS = "/sign-in/", "/sign-in/code/", "/account/second-step/"


def code(device: TOTPDevice, at: datetime = NOW) -> str:
    return totp_code(device, at)


@pytest.fixture
def device(owner: Member) -> TOTPDevice:
    setup = mfa.begin_setup(owner.user)
    with travel(NOW - timedelta(minutes=5), tick=False):
        assert mfa.confirm_setup(setup, code(setup, NOW - timedelta(minutes=5)))
    return TOTPDevice.objects.get()


def enter_password(browser: Client, to: str = "") -> str:
    answer = browser.post(f"{SIGN_IN}?next={to}", {"username": "owner@example.com", "password": PASSWORD, "next": to})
    assert answer.status_code == 302
    return answer.headers["location"]


def test_turning_it_on_or_off_requires_password_and_code(owner: Member) -> None:
    browser = client(owner)
    with travel(NOW, tick=False):
        assert "Wrong password" in browser.post(SETTINGS, {"password": "no"}).content.decode()
        setup = begin_second_step(browser)
        assert not setup.confirmed
        assert "Wrong code" in browser.post(SETTINGS, {"code": "000000"}).content.decode()
        assert mfa.device_of(owner.user) is None
    with travel(NOW + timedelta(minutes=1), tick=False):
        assert browser.post(SETTINGS, {"code": code(setup, NOW + timedelta(minutes=1))}).status_code == 302
        assert mfa.device_of(owner.user) is not None
    with travel(NOW + timedelta(minutes=2), tick=False):
        assert "Wrong code" in browser.post(SETTINGS, {"code": "123456", "password": PASSWORD}).content.decode()
        assert mfa.device_of(owner.user) is not None
    with travel(NOW + timedelta(minutes=5), tick=False):
        right = code(setup, NOW + timedelta(minutes=5))
        assert browser.post(SETTINGS, {"code": right, "password": "no"}).status_code == 200
        assert browser.post(SETTINGS, {"code": right}).status_code == 200
        assert mfa.device_of(owner.user) is not None
        browser.post(SETTINGS, {"code": right, "password": PASSWORD})
        assert mfa.device_of(owner.user) is None


def test_the_secret_is_shown_only_after_the_password(owner: Member) -> None:
    browser = client(owner)
    for page in (browser.get(SETTINGS), browser.post(SETTINGS, {"password": "no"}), browser.post(SETTINGS, {})):
        assert b"otpauth:" not in page.content
        assert b'class="qr-code"' not in page.content
    assert not TOTPDevice.objects.exists()
    begin_second_step(browser)
    assert b"otpauth:" not in browser.get(SETTINGS).content


def test_every_setup_has_a_new_secret_and_only_the_last_one_counts(owner: Member) -> None:
    here, there = client(owner), client(owner)
    with travel(NOW, tick=False):
        first, second = begin_second_step(here), begin_second_step(there)
        assert first.key != second.key
        assert list(TOTPDevice.objects.all()) == [second]
        assert here.post(SETTINGS, {"code": code(second)}).headers["location"] == SETTINGS  # the other session's
        assert mfa.device_of(owner.user) is None
        assert "The setup has expired" in words(here.get(SETTINGS).content.decode())
        assert there.post(SETTINGS, {"code": code(second)}).status_code == 302
        assert mfa.device_of(owner.user) == second


@pytest.mark.parametrize(("seconds", "is_valid"), [(600, True), (601, False)])
def test_a_setup_ends_after_ten_minutes(owner: Member, seconds: int, is_valid: bool) -> None:
    browser, later = client(owner), NOW + timedelta(seconds=seconds)
    with travel(NOW, tick=False):
        setup = begin_second_step(browser)
    with travel(later, tick=False):
        browser.post(SETTINGS, {"code": code(setup, later)})
        assert (mfa.device_of(owner.user) is not None) is is_valid


def test_the_password_alone_does_not_sign_in(device: TOTPDevice) -> None:
    browser = Client()
    with travel(NOW, tick=False):
        assert enter_password(browser, "/wallet/") == CODE
        assert browser.get("/wallet/").status_code == 302
        assert browser.get(CODE).status_code == 200
        answer = browser.post(CODE, {"code": code(device)})
        assert answer.headers["location"] == "/wallet/"
        assert browser.get("/wallet/").status_code == 200
        assert browser.get(CODE).status_code == 302  # the sign-in is complete


def test_a_code_works_once(device: TOTPDevice) -> None:
    first, second = Client(), Client()
    with travel(NOW, tick=False):
        for browser in (first, second):
            enter_password(browser)
        assert first.post(CODE, {"code": code(device)}).status_code == 302
        assert "already used" in words(second.post(CODE, {"code": code(device)}).content.decode())
        assert second.get("/wallet/").status_code == 302


def test_after_a_wrong_code_the_next_must_wait(device: TOTPDevice) -> None:
    browser = Client()
    with travel(NOW, tick=False):
        enter_password(browser)
        browser.post(CODE, {"code": "000000"})
        assert browser.post(CODE, {"code": code(device)}).status_code == 200
    later = NOW + timedelta(seconds=30)
    with travel(later, tick=False):
        assert browser.post(CODE, {"code": code(device, later)}).status_code == 302


@pytest.mark.parametrize(("minutes", "is_valid"), [(5, True), (6, False)])
def test_the_code_must_follow_within_five_minutes(minutes: int, is_valid: bool, device: TOTPDevice) -> None:
    browser = Client()
    with travel(NOW, tick=False):
        enter_password(browser)
    with travel(NOW + timedelta(minutes=minutes), tick=False):
        assert browser.get(CODE).status_code == (200 if is_valid else 302)


@pytest.mark.parametrize("change", ["password", "disabled", "inactive"])
def test_a_waiting_code_does_not_outlive_a_change_of_the_account(
    device: TOTPDevice, owner: Member, change: str
) -> None:
    browser = Client()
    with travel(NOW, tick=False):
        enter_password(browser)
        if change == "password":
            owner.user.set_password("quite-another-fair")
        elif change == "disabled":
            members.disable(owner, at=NOW, by=None)
        else:
            owner.user.is_active = False
        owner.user.save()
        assert browser.post(CODE, {"code": code(device)}).headers["location"] == SIGN_IN
        assert browser.get("/wallet/").status_code == 302
        assert browser.get(CODE).status_code == 302


def test_without_a_second_factor_no_code_is_asked(owner: Member) -> None:
    assert enter_password(Client()) == "/"
    assert Client().get(CODE).status_code == 302
    assert Client().get(SETTINGS).status_code == 302


def test_turning_it_on_or_off_ends_other_sessions(owner: Member) -> None:
    here, there = client(owner), client(owner)
    with travel(NOW, tick=False):
        setup = begin_second_step(here)
        assert here.post(SETTINGS, {"code": code(setup)}).status_code == 302
        assert (here.get("/wallet/").status_code, there.get("/wallet/").status_code) == (200, 302)
        there.force_login(owner.user)
    later = NOW + timedelta(minutes=5)
    with travel(later, tick=False):
        assert here.post(SETTINGS, {"code": code(setup, later), "password": PASSWORD}).status_code == 302
        assert (here.get("/wallet/").status_code, there.get("/wallet/").status_code) == (200, 302)


def test_a_password_reset_does_not_bypass_the_code(device: TOTPDevice, owner: Member) -> None:
    browser = Client()
    with travel(NOW, tick=False):
        browser.post("/password/", {"email": "owner@example.com"})
        send_password_resets()
        [sent] = mail.outbox
        link = next(line for line in sent.body.splitlines() if "/password/" in line)
        page = browser.get(urlsplit(link.strip()).path, follow=True)
        fields = {"new_password1": "quite-another-fair", "new_password2": "quite-another-fair"}
        assert browser.post(page.request["PATH_INFO"], fields).headers["location"] == CODE
        assert browser.get("/wallet/").status_code == 302
        assert browser.post(CODE, {"code": code(device)}).status_code == 302
        assert browser.get("/wallet/").status_code == 200


@pytest.mark.parametrize(("required_of", "members_too"), [("nobody", False), ("operators", False), ("everyone", True)])
def test_users_who_must_have_it_are_sent_to_the_setup(
    owner: Member, settings: Settings, required_of: str, members_too: bool
) -> None:
    settings.SECOND_STEP = required_of
    ana = User.objects.create_user("ana", password=PASSWORD, is_staff=True, is_superuser=True)
    operator, browser = Client(), client(owner)
    operator.force_login(ana)
    elsewhere = ("/admin/", "/admin/auth/user/", "/account/sessions/")
    for path in elsewhere:
        answer = operator.get(path)
        assert (answer.headers.get("location") == SETTINGS) is (required_of != "nobody"), path
    assert (browser.get("/wallet/").headers.get("location") == SETTINGS) is members_too
    assert operator.post("/admin/auth/user/add/").status_code == (200 if required_of == "nobody" else 302)
    assert not User.objects.filter(username="").exists()
    if required_of == "nobody":
        return
    assert "requires two-factor authentication" in words(operator.get(SETTINGS).content.decode())
    with travel(NOW, tick=False):
        operator.force_login(ana)
        device = begin_second_step(operator)
        assert operator.post(SETTINGS, {"code": code(device)}).status_code == 302
        assert operator.get("/admin/").status_code == 200
        assert "move to another phone" in words(operator.get(SETTINGS).content.decode())
    later = NOW + timedelta(minutes=5)
    with travel(later, tick=False):  # a new phone: turned off, it must be set up again
        assert operator.post(SETTINGS, {"code": code(device, later), "password": PASSWORD}).status_code == 302
        assert operator.get("/admin/").headers["location"] == SETTINGS


def test_secrets_have_160_random_bits(owner: Member, mate: Member) -> None:
    keys = {mfa.begin_setup(member.user).bin_key for member in (owner, mate)}
    assert [len(key) for key in keys] == [20, 20]


def compared_codes(monkeypatch: pytest.MonkeyPatch) -> int:
    """Enter twenty wrong codes; each is compared when no other can be compared before it. Return how many were."""
    race, codes = Race(), list[str]()
    verify = TOTPDevice.verify_token

    def record(self: TOTPDevice, token: str) -> bool:
        race.stop("comparison")
        codes.append(token)
        return bool(verify(self, token))

    monkeypatch.setattr(TOTPDevice, "verify_token", record)
    user = User.objects.get(username="owner@example.com")
    with travel(NOW, tick=False):
        answers = race.run([partial(mfa.verify, user, f"{n:06}") for n in range(20)])
    assert answers == [False] * 20
    return len(codes)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_concurrent_codes_one_is_compared(device: TOTPDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of twenty wrong codes is compared; the others are refused because they must wait."""
    assert compared_codes(monkeypatch) == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_all_codes_are_compared(device: TOTPDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    without_row_locks(monkeypatch)
    assert compared_codes(monkeypatch) == 20
