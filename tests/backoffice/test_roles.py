"""Permissions of each role, for every page and action of the operators' workspace."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core import mail
from django.test import Client
from django.urls import URLPattern, get_resolver

from backoffice import roles
from campaigns import tasks
from campaigns.grants import revocations
from campaigns.models import AuditEvent, Draft, Endpoint, Grant
from campaigns.notifications import webhooks
from campaigns.offers import drafts
from campaigns.simulation import jobs
from merchants import api_keys, blocks
from tests.support.marketplace import buyer
from tests.support.members import PASSWORD, member
from tests.support.operators import Staff
from tests.support.world import t

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("market"), pytest.mark.once(reason="permissions, not SQL")]

# Roles that see each page; v: viewer, o: operator, p: approver, a: administrator.
SEEN = {
    "offer": "vopa",
    "offer-state": "oa",
    "amend-offer": "oa",
    "restore-version": "oa",
    "duplicate-offer": "oa",
    "new-draft": "oa",
    "draft": "vopa",
    "offer-form": "oa",
    "add-offer": "oa",
    "draft-campaign": "oa",
    "new-simulation": "oa",
    "draft-transition": "pa",
    "clone-campaign": "oa",
    "campaign": "vopa",
    "campaign-yaml": "vopa",
    "simulation": "vopa",
    "cancel-simulation": "",
    "simulation-workbook": "",
    "try-rules": "",
    "rating-changes": "",
    "explanation": "vopa",
    "merchant": "vopa",
    "buyer": "vopa",
    "revoke-offer": "oa",
    "revoke-merchant": "oa",
    "block-merchant": "oa",
    "block": "vopa",
    "revoke-selection": "oa",
    "revoke-grant": "oa",
    "revocation": "vopa",
    "ratings": "vopa",
    "statements": "vopa",
    "statement": "vopa",
    "close-month": "pa",
    "statement-file": "vopa",
    "statement-by-payer": "vopa",
    "approvals": "vopa",
    "campaigns": "vopa",
    "settings": "vopa",
    "data": "vopa",
    "more": "vopa",
    "notifications": "vopa",
    "notification": "",
    "notifications-read": "",
    "notification-settings": "vopa",
    "roles": "vopa",
    "people": "a",
    "deactivate-person": "a",
    "retention": "vopa",
    "search": "vopa",
    "choose-draft": "oa",
    "write-to-merchant": "oa",
    "draft-comment": "",
    "help": "vopa",
    "glossary": "vopa",
    "design": "vopa",
    "api-keys": "vopa",
    "new-api-key": "a",
    "rotate-api-key": "a",
    "revoke-api-key": "a",
    "endpoints": "vopa",
    "new-endpoint": "a",
    "endpoint": "vopa",
    "change-endpoint": "a",
    "rotate-endpoint": "a",
    "endpoint-act": "",
    "delivery": "vopa",
    "resend-delivery": "",
}
POSTS = {
    "cancel-simulation": "oa",
    "try-rules": "oa",
    "notifications-read": "vopa",
    "endpoint-act": "a",
    "resend-delivery": "a",
    "draft-comment": "vopa",
}
"""Pages that only take a form, with the roles that may send it."""
NOT_THERE = {"simulation-workbook", "rating-changes", "notification"}
"""Pages that all roles see, of things that are not there."""
ROLES = {"v": "viewer", "o": "operator", "p": "approver", "a": "administrator"}


def patterns() -> Iterator[URLPattern]:
    for item in get_resolver("backoffice.urls").url_patterns:
        assert isinstance(item, URLPattern)
        yield item


@pytest.fixture
def paths() -> dict[str, str]:
    draft = drafts.begin("campaign: x", title="x", at=t("20"), by="eve")
    grant = Grant.objects.order_by("pk")[0]
    revocation = revocations.propose(Grant.objects.filter(pk=grant.pk), title="x", at=t("20"), by="eve", reason="x")
    block = blocks.propose(grant.merchant, kind="other", until=None, reason="x", at=t("20"), by="eve")
    source = grant.offer.campaign.source
    right = drafts.begin(source, title="y", at=t("20"), by="eve")
    trial = jobs.request(right, until=t("20"), at=t("20"), by="eve")
    return {
        "offer": "offers/ten/",
        "offer-state": "offers/ten/pause/",
        "amend-offer": "offers/ten/amend/limit/",
        "restore-version": "offers/ten/versions/1/restore/",
        "duplicate-offer": "offers/ten/duplicate/",
        "new-draft": "drafts/new/",
        "draft": f"drafts/{draft.pk}/",
        "offer-form": f"drafts/{right.pk}/offers/ten/",
        "add-offer": f"drafts/{right.pk}/add-offer/",
        "draft-campaign": f"drafts/{right.pk}/campaign/",
        "new-simulation": f"drafts/{right.pk}/simulate/",
        "draft-transition": f"drafts/{draft.pk}/approve/",
        "clone-campaign": "campaign/trial/clone/",
        "campaign": "campaign/trial/",
        "campaign-yaml": "campaign/trial/campaign.yaml",
        "simulation": f"simulations/{trial.pk}/",
        "cancel-simulation": f"simulations/{trial.pk}/cancel/",
        "simulation-workbook": f"simulations/{trial.pk}/simulation.xlsx",
        "try-rules": f"drafts/{right.pk}/scorecards/stars/try/",
        "rating-changes": f"simulations/{trial.pk}/changes.csv",
        "explanation": "eligibility/",
        "merchant": "merchant/M1/",
        "buyer": f"buyer/{buyer('B1').pk}/",
        "revoke-offer": "offers/ten/revoke/",
        "revoke-merchant": "merchant/M1/revoke/",
        "block-merchant": "merchant/M1/block/",
        "block": f"blocks/{block.pk}/",
        "revoke-selection": "grants/revoke/?ids=1,2",
        "revoke-grant": f"grants/{grant.pk}/revoke/",
        "revocation": f"revocations/{revocation.pk}/",
        "statements": "statements/",
        "statement": "statements/2022-09/",
        "close-month": "statements/2022-08/close/",
        "statement-file": "statements/2022-09/statement.csv",
        "statement-by-payer": "statements/2022-09/by-payer.csv",
        "approvals": "approvals/",
        "campaigns": "campaigns/",
        "settings": "settings/",
        "data": "data/",
        "more": "more/",
        "notifications": "notifications/",
        "notification": "notifications/1/",
        "notifications-read": "notifications/read/",
        "notification-settings": "settings/notifications/",
        "search": "search/?q=ten",
        "choose-draft": "simulations/new/",
        "write-to-merchant": "merchant/M1/message/",
        "draft-comment": f"drafts/{draft.pk}/comment/",
        "ratings": "scorecards/",
        "help": "help/",
        "glossary": "help/glossary/",
        "design": "design/",
        **setting_paths(),
    }


def setting_paths() -> dict[str, str]:
    """Return the settings about people and programs, for a person, a key and a webhook with one delivery."""
    person = User.objects.create_user("pat", is_staff=True).pk
    key = api_keys.issue("k", scopes=["read"], at=t("20"), by="eve")[0].pk
    columns = {"url": "https://w.example", "secret": "s", "created_by": "eve", "created_at": t("20")}
    endpoint = Endpoint.objects.create(name="w", **columns)
    delivery = webhooks.test(endpoint, at=t("20")).pk
    return {
        "roles": "settings/roles/",
        "people": "settings/people/",
        "deactivate-person": f"settings/people/{person}/deactivate/",
        "retention": "settings/retention/",
        "api-keys": "settings/api-keys/",
        "new-api-key": "settings/api-keys/new/",
        "rotate-api-key": f"settings/api-keys/{key}/rotate/",
        "revoke-api-key": f"settings/api-keys/{key}/revoke/",
        "endpoints": "settings/webhooks/",
        "new-endpoint": "settings/webhooks/new/",
        "endpoint": f"settings/webhooks/{endpoint.pk}/",
        "change-endpoint": f"settings/webhooks/{endpoint.pk}/change/",
        "rotate-endpoint": f"settings/webhooks/{endpoint.pk}/rotate/",
        "endpoint-act": f"settings/webhooks/{endpoint.pk}/test/",
        "delivery": f"settings/deliveries/{delivery}/",
        "resend-delivery": f"settings/deliveries/{delivery}/resend/",
    }


def test_every_page_is_in_the_table(paths: dict[str, str]) -> None:
    assert {item.name for item in patterns()} == set(SEEN) == set(paths)


@pytest.mark.parametrize("letter", ROLES)
def test_pages_that_each_role_sees(letter: str, staff: Staff, paths: dict[str, str]) -> None:
    browser = staff("who", ROLES[letter])
    for name, path in paths.items():
        answer = browser.get(f"/admin/{path}")
        status = answer.status_code
        if answer.streaming:
            list(answer.streaming_content)  # type: ignore[attr-defined]  # read to its end: that closes the file
        if name in POSTS:
            assert status == (405 if letter in POSTS[name] else 403), (name, ROLES[letter])
        elif name in NOT_THERE:
            assert status == 404, name
        else:
            assert status == (200 if letter in SEEN[name] else 403), (name, ROLES[letter])


def test_staff_without_a_role_merchants_and_nobody_see_nothing(staff: Staff, paths: dict[str, str]) -> None:
    new, owner = staff("new"), Client()
    owner.force_login(member("owner@example.com").user)
    for name, path in paths.items():
        # The search finds what each may view: `test_finding` shows that this is nothing.
        assert new.get(f"/admin/{path}").status_code == (200 if name == "search" else 403), path
        for browser in (owner, Client()):
            answer = browser.get(f"/admin/{path}")
            assert (answer.status_code, answer.headers["location"].startswith("/admin/login/")) == (302, True), path


# Actions: the path, the roles that may, the form data.
ACTS = {
    "offers/ten/pause/": ("oa", {"reason": "x"}),
    "offers/ten/stop/": ("oa", {"reason": "x"}),
    "offers/ten/revoke/": ("oa", {"reason": "x"}),
    "merchant/M1/revoke/": ("oa", {"reason": "x"}),
    "merchant/M1/block/": ("oa", {"kind": "fraud", "reason": "x"}),
    "drafts/new/?of=trial": ("oa", {"title": "x"}),
    "drafts/new/": (
        "oa",
        {"names_en": "Spring", "names_zh": "春", "zone": "UTC", "starts": "2027-03-01", "ends": "2027-03-31"},
    ),
    "campaign/trial/clone/": ("oa", {"code": "n", "ending": "-n", "way": "dates", "years": "1", "make": "1"}),
    "statements/2022-08/close/": ("pa", {}),
}


@pytest.mark.parametrize("letter", ROLES)
@pytest.mark.parametrize("path", ACTS)
def test_actions_that_each_role_may_take(path: str, letter: str, staff: Staff) -> None:
    allowed, sent = ACTS[path]
    browser = staff("who", ROLES[letter])
    before = (AuditEvent.objects.count(), Draft.objects.count())
    status = browser.post(f"/admin/{path}", sent).status_code
    if letter in allowed:
        assert status == 302
    else:
        assert status == 403
        assert (AuditEvent.objects.count(), Draft.objects.count()) == before


@pytest.mark.parametrize("path", ACTS)
def test_a_form_without_its_token_does_nothing(path: str, staff: Staff) -> None:
    staff("root", "administrator")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.get(username="root"))
    before = (AuditEvent.objects.count(), Draft.objects.count())
    assert browser.post(f"/admin/{path}", ACTS[path][1]).status_code == 403
    assert (AuditEvent.objects.count(), Draft.objects.count()) == before


def test_groups_have_exactly_the_permissions_of_their_roles() -> None:
    viewer = Group.objects.get(name="viewer")
    extra = Permission.objects.get(codename="approve_draft")
    viewer.permissions.add(extra)
    roles.sync_groups()
    assert not viewer.permissions.exclude(codename__startswith="view_").exists()
    for name, codenames in roles.permissions_by_role().items():
        given = Group.objects.get(name=name).permissions.exclude(codename__startswith="view_")
        has = set(given.values_list("codename", flat=True))
        assert has == {item for item in codenames if not item.startswith("view_")}, name
    assert not {"add_grant", "delete_grant", "change_journalentry", "delete_auditevent", "change_decision"} & {
        codename for codenames in roles.permissions_by_role().values() for codename in codenames
    }


def test_an_administrator_gives_roles_and_never_all_rights(staff: Staff) -> None:
    root = staff("root", "administrator")
    sue = User.objects.create_superuser("sue")
    new = User.objects.create_user("new", is_staff=True)
    page = root.get(f"/admin/auth/user/{new.pk}/change/").content.decode()
    assert 'name="groups"' in page
    assert 'name="is_superuser"' not in page
    assert 'name="user_permissions"' not in page
    role = Group.objects.get(name="operator").pk
    sent = {
        "username": "new",
        "is_active": "on",
        "is_staff": "on",
        "is_superuser": "on",
        "groups": [role],
        "date_joined_0": "2022-09-01",
        "date_joined_1": "00:00:00",
    }
    assert root.post(f"/admin/auth/user/{new.pk}/change/", sent).status_code == 302
    new.refresh_from_db()
    assert (new.is_superuser, [group.name for group in new.groups.all()]) == (False, ["operator"])
    assert root.post(f"/admin/auth/user/{sue.pk}/change/", {**sent, "username": "sue"}).status_code == 403
    assert root.post(f"/admin/auth/user/{sue.pk}/password/", {"password1": "x", "password2": "x"}).status_code == 403
    assert root.post(f"/admin/auth/user/{new.pk}/delete/", {"post": "yes"}).status_code == 403
    assert staff("ana", "operator").get("/admin/auth/user/").status_code == 403


def test_an_administrator_cannot_take_over_the_account_of_an_approver(staff: Staff) -> None:
    """It sets neither password nor address; it sends a link to the address that is there."""
    root = staff("root", "administrator")
    eve = User.objects.create_user("eve", "eve@platform.example", PASSWORD, is_staff=True)
    eve.groups.add(Group.objects.get(name="approver"))
    page, fields = f"/admin/auth/user/{eve.pk}/", {"password1": "mine-and-not-yours", "password2": "mine-and-not-yours"}
    assert root.get(f"{page}password/").status_code == 403
    assert root.post(f"{page}password/", fields).status_code == 403
    assert 'name="email"' not in root.get(f"{page}change/").content.decode()
    sent = {"username": "eve", "email": "root@evil.example", "is_active": "on", "is_staff": "on"}
    root.post(f"{page}change/", {**sent, "date_joined_0": "2022-09-01", "date_joined_1": "00:00:00"})
    root.post("/admin/auth/user/", {"action": "send_reset_link", "_selected_action": [eve.pk]})
    tasks.sweep()
    eve.refresh_from_db()
    assert (eve.email, eve.check_password(PASSWORD)) == ("eve@platform.example", True)
    assert [letter.to for letter in mail.outbox] == [["eve@platform.example"]]


def test_a_superuser_sets_passwords_and_ones_own_takes_the_old_one(staff: Staff) -> None:
    root, ana = staff("root"), User.objects.create_user("ana", is_staff=True)
    User.objects.filter(username="root").update(is_superuser=True)
    fields = {"password1": "another-one-4711", "password2": "another-one-4711", "usable_password": "true"}
    assert root.post(f"/admin/auth/user/{ana.pk}/password/", fields).status_code == 302
    ana.refresh_from_db()
    assert ana.check_password("another-one-4711")
    own = User.objects.get(username="root").pk
    for path in (f"/admin/auth/user/{own}/password/", f"/admin/auth/user/0{own}/password/"):
        assert root.post(path, fields).headers["location"] == "/account/password/"
    assert User.objects.get(username="root").check_password(PASSWORD)


def test_sessions_die_with_the_password_and_the_leaving(staff: Staff) -> None:
    browser = staff("ana", "operator")
    user = User.objects.get(username="ana")
    assert browser.get("/admin/").status_code == 200
    user.set_password("another-one-4711")
    user.save()
    assert browser.get("/admin/").status_code == 302
    browser.force_login(user)
    stolen = Client()
    stolen.cookies.update(browser.cookies)
    browser.post("/sign-out/")
    assert stolen.get("/admin/").status_code == 302
    browser.force_login(user)
    user.is_active = False
    user.save()
    assert browser.get("/admin/").status_code == 302
