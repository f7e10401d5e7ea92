"""Team page: invite, limit, disable and enable members; sign-in, passwords, language and time zone."""

from datetime import UTC, datetime, timedelta
from re import search

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings
from time_machine import travel

from campaigns import tasks
from identity.models import RateCount
from identity.rate_limits import RateLimit
from merchants import invitations, members
from merchants.models import Member
from tests.support.members import PASSWORD, client, member, signed_in, visible

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="forms and permissions, single rows")]
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
INVITATION = {"email": "New@Example.com", "may_attach": "on", "language": "zh-hans"}
CHOSEN = {"new_password1": "my-own-little-fair", "new_password2": "my-own-little-fair"}


def link(body: object) -> str:
    found = search(r"http://[^/]+(/password/\S+)", str(body))
    assert found
    return found[1]


def test_an_invitation_leads_to_the_home_page(owner: Member) -> None:
    page = client(owner).post("/team/", INVITATION, follow=True).content.decode()
    assert "Invitation sent to new@example.com." in page
    assert "Invited, not signed in yet" in page
    [sent] = mail.outbox
    assert (sent.to, sent.subject) == (["new@example.com"], "邀请您查看权益")
    fresh = Client()
    form = fresh.get(link(sent.body), follow=True)
    home = fresh.post(form.redirect_chain[-1][0], CHOSEN, follow=True)
    assert home.redirect_chain[-1][0] == "/"
    assert "<small>M1</small>" in home.content.decode()
    used = Client(headers={"accept-language": "en"}).get(link(sent.body), follow=True)
    assert "This link is no longer valid" in used.content.decode()
    new = Member.objects.get(user__username="new@example.com")
    assert (new.role, new.may_attach, new.merchant_id, new.invited_by) == ("sub", True, "M1", "owner@example.com")
    assert (
        Client().post("/sign-in/", {"username": " NEW@example.com ", "password": CHOSEN["new_password1"]}).status_code
        == 302
    )


def test_an_address_in_use_is_not_invited(owner: Member, stranger: Member) -> None:
    page = client(owner).post("/team/", {**INVITATION, "email": "STRANGER@example.com"}).content.decode()
    assert "stranger@example.com cannot be invited: the address is in use." in page
    assert mail.outbox == []
    assert Member.objects.count() == 2


def test_nobody_is_invited_if_the_mail_fails(owner: Member, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "tests.dashboard.test_mail.Broken"
    page = client(owner).post("/team/", INVITATION).content.decode()
    assert "The invitation could not be sent; try again later." in page
    assert Member.objects.count() == 1


def test_an_invitation_can_be_resent_after_a_minute(owner: Member) -> None:
    browser = client(owner)
    with travel(NOW, tick=False) as at:
        browser.force_login(owner.user)
        browser.post("/team/", INVITATION)
        new = Member.objects.get(user__username="new@example.com")
        for seconds, sent in ((0, 1), (59, 1), (60, 2), (61, 2), (120, 3)):
            at.move_to(NOW + timedelta(seconds=seconds))
            browser.post(f"/team/{new.pk}/invite/")
            assert len(mail.outbox) == sent, seconds
        assert Client().get(link(mail.outbox[1].body), follow=True).status_code == 200


def test_invitations_are_limited_by_day_for_an_account_and_an_address(
    owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "PER_INVITER", RateLimit("invitations", 7, timedelta(days=1)))
    browser = client(owner)
    with travel(NOW, tick=False) as at:
        browser.force_login(owner.user)

        def invite(email: str, minutes: int) -> str:
            at.move_to(NOW + timedelta(minutes=minutes))
            browser.force_login(owner.user)
            return browser.post("/team/", {**INVITATION, "email": email}, follow=True).content.decode()

        for n in range(5):
            invite(" OWNER@example.com", n)  # refused, and counted all the same
        assert "Too many invitations within a day" in invite("owner@example.com", 5)
        for n in range(2):
            assert "Invitation sent" in invite(f"{n}@example.com", 6)
        assert "Too many invitations within a day" in invite("2@example.com", 7)
        assert "Invitation sent" in invite("2@example.com", 24 * 60)
    assert Member.objects.count() == 4


def test_an_invitation_is_withdrawn_and_its_address_is_free_again(owner: Member) -> None:
    browser = client(owner)
    browser.post("/team/", INVITATION)
    new = Member.objects.get(user__username="new@example.com")
    browser.post(f"/team/{new.pk}/withdraw/")
    assert list(Member.objects.all()) == [owner]
    page = Client(headers={"accept-language": "en"}).get(link(mail.outbox[0].body), follow=True)
    assert "This link is no longer valid" in page.content.decode()
    RateCount.objects.all().delete()
    assert "Invitation sent" in browser.post("/team/", INVITATION, follow=True).content.decode()


def test_who_has_signed_in_is_not_invited_again_and_not_withdrawn(owner: Member, mate: Member) -> None:
    client(mate)
    browser = client(owner)
    for action in ("invite", "withdraw"):
        page = browser.post(f"/team/{mate.pk}/{action}/", follow=True).content.decode()
        assert "has accepted the invitation already" in page
    assert (mail.outbox, Member.objects.count()) == ([], 2)


@pytest.mark.parametrize("action", ["invite", "withdraw"])
def test_only_the_platform_withdraws_or_repeats_the_invitation_of_a_main_account(owner: Member, action: str) -> None:
    second = member("second@example.com")
    page = client(owner).post(f"/team/{second.pk}/{action}/", follow=True).content.decode()
    assert "A main account can be changed by the platform only." in page
    assert (mail.outbox, Member.objects.count()) == ([], 2)


def test_a_disabled_members_links_give_no_session(owner: Member) -> None:
    browser = client(owner)
    browser.post("/team/", INVITATION)
    new = Member.objects.get(user__username="new@example.com")
    browser.post(f"/team/{new.pk}/disable/", {"confirmed": "1"})
    page = Client(headers={"accept-language": "en"}).get(link(mail.outbox[0].body), follow=True)
    assert "This link is no longer valid" in page.content.decode()
    RateCount.objects.all().delete()
    assert "Enable the account first." in browser.post(f"/team/{new.pk}/invite/", follow=True).content.decode()
    new.user.set_password(PASSWORD)
    new.user.save()
    Client().post("/password/", {"email": new.user.email})
    tasks.sweep()
    assert len(mail.outbox) == 1


def test_a_sub_account_is_limited_disabled_and_enabled(owner: Member, mate: Member) -> None:
    browser = client(owner)

    def do(what: str, **sent: str) -> Member:
        assert browser.post(f"/team/{mate.pk}/{what}/", sent).status_code == 302
        return Member.objects.get(pk=mate.pk)

    assert do("attach").may_attach
    assert not do("look").may_attach
    members.renew_calendar(mate)
    asked = browser.post(f"/team/{mate.pk}/disable/").content.decode()
    assert "is signed out at once and cannot sign in any more" in asked
    assert Member.objects.get(pk=mate.pk).disabled_at is None
    shut = do("disable", confirmed="1")
    assert shut.disabled_at is not None
    assert shut.calendar_digest is None
    assert "Disabled 3 Sep, 08:00" in visible(browser, "/team/")
    assert do("enable").disabled_at is None
    assert browser.post(f"/team/{mate.pk}/nonsense/").status_code == 404


@pytest.mark.parametrize("what", ["disable", "look"])
def test_only_the_platform_changes_a_main_account(owner: Member, what: str) -> None:
    page = client(owner).post(f"/team/{owner.pk}/{what}/", follow=True).content.decode()
    assert "A main account can be changed by the platform only." in page
    owner.refresh_from_db()
    assert (owner.disabled_at, owner.may_attach) == (None, True)


def test_pages_keep_the_language_of_the_browser_after_sign_in(owner: Member) -> None:
    """The language of the account is that of its mail."""
    Member.objects.update(language="zh-hans")
    fields = {"username": "owner@example.com", "password": PASSWORD}
    fresh = Client(headers={"accept-language": "en"})
    assert "Saved so far" in fresh.post("/sign-in/", fields, follow=True).content.decode()
    assert "django_language" not in fresh.cookies
    chosen = Client(headers={"accept-language": "zh-CN"})
    assert "首页" in chosen.post("/sign-in/", fields, follow=True).content.decode()
    chosen.post("/i18n/setlang/", {"language": "en", "next": "/"})
    assert "Saved so far" in chosen.get("/").content.decode()


def test_an_invitation_is_withdrawn_and_a_member_disabled(owner: Member, mate: Member) -> None:
    browser = client(owner)
    page = browser.get("/team/").content.decode()
    assert f'action="/team/{mate.pk}/withdraw/"' in page
    assert f'action="/team/{mate.pk}/disable/"' not in page
    signed_in(mate)
    page = browser.get("/team/").content.decode()
    assert f'action="/team/{mate.pk}/withdraw/"' not in page
    assert f'action="/team/{mate.pk}/disable/"' in page


def test_switching_the_language_keeps_the_page(owner: Member) -> None:
    browser = client(owner)
    page = browser.get("/orders/trade/?x=1").content.decode()
    assert '<input type="hidden" name="next" value="/orders/trade/?x=1">' in page
    assert '<button class="btn btn-quiet" name="language" value="zh-hans" lang="zh-Hans">中文</button>' in page
    response = browser.post("/i18n/setlang/", {"language": "zh-hans", "next": "/orders/trade/?x=1"})
    assert response.headers["Location"] == "/orders/trade/?x=1"
    assert '<html lang="zh-hans">' in browser.get("/orders/trade/").content.decode()


def test_times_are_shown_in_the_members_zone(owner: Member) -> None:
    browser = client(owner)
    assert "Updated 3 Sep, 08:00 · Times are those of Beijing." in visible(browser, "/team/")
    fields = {"language": "en", "zone": "America/Los_Angeles", "shown": [], "mailed": []}
    browser.post("/account/", fields)
    assert "Updated 2 Sep, 17:00 · Times are those of Los Angeles." in visible(browser, "/team/")
    bad = browser.post("/account/", {**fields, "zone": "Europe/Paris"})
    assert "Select a valid choice" in bad.content.decode()
    assert Member.objects.get().zone == "America/Los_Angeles"
