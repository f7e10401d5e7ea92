"""Admin of members: the platform invites main accounts, and disables and enables members."""

import pytest
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.test import Client
from pytest_django import Settings

from merchants.models import Member
from tests.support.members import client, text

pytestmark = pytest.mark.django_db

FIELDS = {"email": "boss@example.com", "merchant": "M1", "role": "main", "may_attach": "on", "language": "en"}
ADD = "/admin/merchants/member/add/"


@pytest.fixture
def platform(owner: Member) -> Client:
    user = User.objects.create_user("ana", is_staff=True)
    names = ("add_member", "change_member", "view_member")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(user)
    return browser


def test_an_operator_invites_a_main_account(platform: Client) -> None:
    assert "E-mail address" in text(platform, ADD)
    assert platform.post(ADD, FIELDS).status_code == 302
    new = Member.objects.get(user__username="boss@example.com")
    assert (new.merchant_id, new.role, new.invited_by, new.language) == ("M1", "main", "ana", "en")
    assert [letter.to for letter in mail.outbox] == [["boss@example.com"]]
    assert "boss@example.com" in text(platform, "/admin/merchants/member/")
    assert "invited by: ana" in text(platform, f"/admin/merchants/member/{new.pk}/change/").lower()


@pytest.mark.parametrize("broken", ["mail", "address"])
def test_a_failed_invitation_adds_nobody(platform: Client, settings: Settings, broken: str) -> None:
    if broken == "mail":
        settings.EMAIL_BACKEND = "tests.dashboard.test_messages.Broken"
    email = "owner@example.com" if broken == "address" else "boss@example.com"
    page = platform.post(ADD, {**FIELDS, "email": email}, follow=True).content.decode()
    assert ("the address is in use" if broken == "address" else "could not be sent") in page
    assert Member.objects.count() == User.objects.filter(is_staff=False).count() == 1


@pytest.mark.parametrize("email", ["a@example.com\nBcc: b@example.com", "a@example.com, b@example.com", "a"])
def test_an_invalid_address_is_rejected(platform: Client, email: str) -> None:
    assert platform.post(ADD, {**FIELDS, "email": email}).status_code == 200
    assert mail.outbox == []
    assert Member.objects.count() == 1


def test_a_member_is_disabled_and_enabled(platform: Client, owner: Member) -> None:
    chosen = {"_selected_action": [owner.pk]}
    platform.post("/admin/merchants/member/", {"action": "disable", **chosen})
    assert client(owner).get("/").status_code == 302
    platform.post("/admin/merchants/member/", {"action": "enable", **chosen})
    assert client(owner).get("/").status_code == 200


def test_without_the_permission_nothing_changes(platform: Client, owner: Member) -> None:
    user = User.objects.get(username="ana")
    user.user_permissions.set(Permission.objects.filter(codename="view_member"))
    assert platform.get(ADD).status_code == 403
    assert platform.post(ADD, FIELDS).status_code == 403
    platform.post("/admin/merchants/member/", {"action": "disable", "_selected_action": [owner.pk]})
    assert Member.objects.filter(disabled_at=None).count() == 1
    assert mail.outbox == []
