"""Admin of members: the platform invites main accounts, and disables and enables members."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.test import Client
from pytest_django import Settings

from campaigns import tasks
from identity.rate_limits import RateLimit
from merchants import invitations
from merchants.models import Member
from tests.support.members import client, text
from tests.support.world import merchant

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="forms and permissions, single rows")]

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
        settings.EMAIL_BACKEND = "tests.dashboard.test_mail.Broken"
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


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        ("ana@platform.example", "You cannot invite yourself"),
        ("Ana+shop@Platform.example", "You cannot invite yourself"),
        ("Eve@Platform.example", "the address is in use"),
    ],
)
def test_operators_cannot_invite_themselves_or_each_other(platform: Client, email: str, reason: str) -> None:
    User.objects.filter(username="ana").update(email="ana@platform.example")
    User.objects.create_user("eve", "eve@platform.example", is_staff=True)
    page = platform.post(ADD, {**FIELDS, "email": email}, follow=True).content.decode()
    assert reason in page
    assert (mail.outbox, Member.objects.count()) == ([], 1)


def test_main_accounts_are_notified_of_an_invitation(
    platform: Client, owner: Member, mate: Member, stranger: Member, settings: Settings
) -> None:
    for each in (owner, mate, stranger):
        client(each)
    platform.post(ADD, FIELDS)
    backend, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "tests.dashboard.test_mail.Broken"
    tasks.sweep()  # the mail server fails: told by the next sweep
    settings.EMAIL_BACKEND = backend
    tasks.sweep()
    tasks.sweep()
    invitation, notice = mail.outbox
    assert (invitation.to, notice.to) == (["boss@example.com"], ["owner@example.com"])
    assert "ana of the platform invited boss@example.com as a main account of M1" in notice.body
    history = LogEntry.objects.filter(content_type__model="merchant").values_list("user__username", "change_message")
    assert list(history) == [("ana", "invited boss@example.com as main")]


def test_the_first_main_account_is_announced_to_the_second(platform: Client) -> None:
    """Else an operator could make itself the first one of a merchant, and nobody would ever be told."""
    merchant("M2")
    platform.post(ADD, {**FIELDS, "merchant": "M2", "email": "first@example.com"})
    first = Member.objects.get(user__username="first@example.com")
    client(first)
    tasks.sweep()
    assert len(mail.outbox) == 1  # the invitation: nobody else is there yet
    platform.post(ADD, {**FIELDS, "merchant": "M2", "email": "second@example.com"})
    tasks.sweep()
    client(Member.objects.get(user__username="second@example.com"))
    tasks.sweep()
    tasks.sweep()
    letters = [(letter.to, letter.body.partition(" as ")[0]) for letter in mail.outbox[2:]]
    assert letters == [
        (["first@example.com"], "ana of the platform invited second@example.com"),
        (["second@example.com"], "ana of the platform invited first@example.com"),
    ]


def test_main_accounts_are_not_notified_of_their_own_invitations(owner: Member) -> None:
    client(owner).post("/team/", {"email": "new@example.com", "may_attach": "on", "language": "en"})
    tasks.sweep()
    assert [letter.to for letter in mail.outbox] == [["new@example.com"]]


def test_invitations_by_an_operator_are_limited(platform: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "PER_INVITER", RateLimit("invitations", 1, timedelta(days=1)))
    platform.post(ADD, {**FIELDS, "merchant": ""})  # not counted
    platform.post(ADD, FIELDS)
    page = platform.post(ADD, {**FIELDS, "email": "another@example.com"}, follow=True).content.decode()
    assert "Too many invitations within a day" in page
    assert (len(mail.outbox), Member.objects.count()) == (1, 2)


def test_the_platform_withdraws_an_invitation_that_nobody_accepted(platform: Client, owner: Member) -> None:
    client(owner)
    platform.post(ADD, FIELDS)
    every = list(Member.objects.values_list("pk", flat=True))
    platform.post("/admin/merchants/member/", {"action": "withdraw", "_selected_action": every})
    assert list(Member.objects.all()) == [owner]
    assert not User.objects.filter(email="boss@example.com").exists()


def test_without_the_permission_nothing_changes(platform: Client, owner: Member) -> None:
    user = User.objects.get(username="ana")
    user.user_permissions.set(Permission.objects.filter(codename="view_member"))
    assert platform.get(ADD).status_code == 403
    assert platform.post(ADD, FIELDS).status_code == 403
    platform.post("/admin/merchants/member/", {"action": "disable", "_selected_action": [owner.pk]})
    assert Member.objects.filter(disabled_at=None).count() == 1
    assert mail.outbox == []
