"""Settings: roles in words, people, API keys, webhooks with their deliveries, data retention."""

from datetime import timedelta
from html import unescape
from re import search

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from backoffice import roles
from backoffice.people import ROLES
from campaigns.models import Delivery, Endpoint
from campaigns.notifications import webhooks
from core import clock
from identity.models import Session
from merchants import api_keys
from merchants.models import ApiKey
from tests.support.members import text
from tests.support.operators import Staff
from tests.support.programs import Program
from tests.support.world import t

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="forms and permissions, single rows")]


@pytest.fixture
def admin(staff: Staff, market: None) -> Client:
    return staff("dee", "administrator")


def test_each_role_is_described_with_who_has_it(admin: Client, staff: Staff) -> None:
    assert [role.name for role in ROLES] == list(roles.permissions_by_role())
    page = text(admin, "/admin/settings/roles/")
    assert "Administrator administrator" in page
    assert "May not: Set the passwords of others dee" in page
    assert "Nobody has this role." in page
    assert "Revoking more than 10 benefits a day, or more than 10,000 in one currency" in page
    assert "dee" not in text(staff("vi", "viewer"), "/admin/settings/roles/")


def test_people_are_listed_with_roles_and_second_factor(admin: Client, staff: Staff) -> None:
    staff("ana", "operator", "approver")
    TOTPDevice.objects.create(user=User.objects.get(username="ana"), confirmed=True, name="x")
    staff("new")
    page = text(admin, "/admin/settings/people/")
    assert search(r"ana approver, operator \S.*? On Deactivate dee administrator \S.*? Off new no role yet", page)


def test_the_list_of_people_costs_the_same_for_any_number(admin: Client, staff: Staff) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            admin.get("/admin/settings/people/")
        return len(found)

    few = queries()
    for n in range(5):
        staff(f"p{n}", "viewer")
    assert queries() == few


def test_a_deactivated_person_is_signed_out_and_logged(admin: Client, staff: Staff) -> None:
    ana = staff("ana", "operator")
    user = User.objects.get(username="ana")
    assert "ana cannot sign in any more" in text(admin, f"/admin/settings/people/{user.pk}/deactivate/")
    answer = admin.post(f"/admin/settings/people/{user.pk}/deactivate/")
    assert answer.headers["location"] == "/admin/settings/people/"
    user.refresh_from_db()
    assert (user.is_active, Session.objects.filter(user=user).count()) == (False, 0)
    assert ana.get("/admin/").status_code == 302
    assert LogEntry.objects.latest("pk").change_message == "deactivated"
    assert "Deactivated" in text(admin, "/admin/settings/people/")


def test_nobody_deactivates_themselves_a_superuser_or_twice(admin: Client, staff: Staff) -> None:
    root = User.objects.create_superuser("root")
    gone = User.objects.create_user("gone", is_staff=True, is_active=False)
    member = User.objects.create_user("member")
    statuses = {}
    for user in (User.objects.get(username="dee"), root, gone, member):
        statuses[user.username] = admin.post(f"/admin/settings/people/{user.pk}/deactivate/").status_code
    assert statuses == {"dee": 403, "root": 403, "gone": 403, "member": 404}
    assert User.objects.filter(is_active=True).count() == 3


def form(**more: object) -> dict[str, object]:
    return {"name": "checkout", "scopes": ["read", "claim"], "merchant": "", "expires_on": "", **more}


def shown(page: str) -> str:
    found = search(r'<code class="secret" id="secret">([^<]+)</code>', page)
    assert found, page
    return unescape(found[1])


def test_a_new_key_is_shown_once_and_works(admin: Client) -> None:
    answer = admin.post("/admin/settings/api-keys/new/", form(merchant="m1", scopes=["read"]))
    secret = shown(answer.content.decode())
    assert "no-store" in answer.headers["Cache-Control"]
    key = api_keys.find(secret, at=clock.real())
    assert key is not None
    assert (key.name, key.scopes, key.merchant_id, key.created_by, key.expires_at) == (
        "checkout",
        ["read"],
        "M1",
        "dee",
        None,
    )
    for path in ("/admin/settings/api-keys/", "/admin/", "/admin/settings/"):
        assert secret not in admin.get(path).content.decode()
    assert LogEntry.objects.latest("pk").change_message == "created with the scopes read"
    assert "checkout fg_" in text(admin, "/admin/settings/api-keys/")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": ""}, "This field is required."),
        ({"scopes": []}, "This field is required."),
        ({"scopes": ["root"]}, "root is not one of the available choices."),
        ({"merchant": "M99"}, "There is no merchant M99."),
        ({"merchant": "M1", "scopes": ["facts"]}, "a merchant's key cannot have that scope."),
        ({"expires_on": "2020-01-01"}, "This day is over."),
    ],
)
def test_a_wrong_key_is_refused_at_its_field(admin: Client, wrong: dict[str, object], message: str) -> None:
    page = unescape(admin.post("/admin/settings/api-keys/new/", form(**wrong)).content.decode())
    assert message in page
    assert 'role="alert"' in page
    assert not ApiKey.objects.exists()


def test_a_rotated_key_works_for_a_day_beside_its_successor(admin: Client) -> None:
    key, old = api_keys.issue("checkout", scopes=["read"], at=clock.real(), by="x")
    assert "goes on working for 24 hours" in text(admin, f"/admin/settings/api-keys/{key.pk}/rotate/")
    assert ApiKey.objects.count() == 1
    new = shown(admin.post(f"/admin/settings/api-keys/{key.pk}/rotate/").content.decode())
    at = clock.real()
    assert api_keys.find(old, at=at + timedelta(hours=23)) is not None
    assert api_keys.find(old, at=at + timedelta(hours=25)) is None
    assert api_keys.find(new, at=at + timedelta(hours=25)) is not None


def test_a_revoked_key_is_refused_at_once(admin: Client) -> None:
    key, secret = api_keys.issue("checkout", scopes=["read"], at=clock.real(), by="x")
    assert "This cannot be undone." in text(admin, f"/admin/settings/api-keys/{key.pk}/revoke/")
    assert api_keys.find(secret, at=clock.real()) is not None
    admin.post(f"/admin/settings/api-keys/{key.pk}/revoke/")
    assert api_keys.find(secret, at=clock.real()) is None
    assert LogEntry.objects.latest("pk").change_message == "revoked"
    assert admin.get(f"/admin/settings/api-keys/{key.pk}/rotate/").status_code == 404


@pytest.fixture
def taken(settings: Settings) -> dict[str, ApiKey]:
    """Return keys by name: `lost` made `first`, which made `second` and a webhook; `other` is none of them."""
    settings.DEMO, settings.API_RATE, settings.WEBHOOKS_PRIVATE = True, 10**6, True
    _key, secret = api_keys.issue("lost", scopes=["keys", "read", "webhooks"], at=clock.real(), by="x")
    other, _secret = api_keys.issue("other", scopes=["read"], at=clock.real(), by="x")
    lost = Program(secret)
    first = lost.post("keys/", {"name": "first", "scopes": ["keys", "read", "webhooks"]}).body
    second = Program(first["secret"]).post("keys/", {"name": "second", "scopes": ["read"]}).body
    lost.post(f"keys/{other.prefix}/rotate/", {"overlap_hours": 24})
    Program(first["secret"]).post("webhooks/", {"name": "ear", "url": "http://127.0.0.1:9/"})
    found = webhooks.register("honest", "http://127.0.0.1:9/", merchant=None, kinds=[], at=clock.real(), by="x")
    lost.ask("patch", f"webhooks/{found.pk}/", {"name": "renamed"})
    assert second["id"]
    return {key.name: key for key in ApiKey.objects.order_by("-pk")}  # `other`: the older one of that name


def works() -> tuple[set[str], set[str]]:
    """Return the prefixes of the keys, and the names of the webhooks, that work."""
    keys = ApiKey.objects.filter(revoked_at=None).values_list("prefix", flat=True)
    return set(keys), set(Endpoint.objects.filter(disabled_at=None).values_list("name", flat=True))


def test_with_a_key_ends_what_programs_made_with_it(admin: Client, taken: dict[str, ApiKey]) -> None:
    path = f"/admin/settings/api-keys/{taken['lost'].pk}/revoke/"
    page, before = text(admin, path), works()
    for name in ("first", "second", "other"):
        assert search(rf"Programs made API keys with it that still work: [^.]*{name}", page)
    assert "Programs registered webhooks with it: ear." in page
    assert "check their addresses and secrets: renamed." in page
    successor = ApiKey.objects.get(name="other", created_by__contains="lost")
    admin.post(path, {"made": "on"})
    gone = {taken[name].prefix for name in ("lost", "first", "second")} | {successor.prefix}
    assert works() == (before[0] - gone, {"renamed"})
    assert taken["other"].prefix in works()[0]  # its rotation gave it a day more; an operator issued it
    told = set(LogEntry.objects.values_list("change_message", flat=True))
    assert f"revoked with {taken['lost'].prefix}, which made it" in told
    assert f"disabled: made by {taken['lost'].prefix}, which is revoked" in told
    assert "Programs made" not in text(admin, path)


def test_what_a_key_made_may_stay(admin: Client, taken: dict[str, ApiKey]) -> None:
    before = works()
    admin.post(f"/admin/settings/api-keys/{taken['lost'].pk}/revoke/")
    assert works() == (before[0] - {taken["lost"].prefix}, before[1])
    page = text(admin, f"/admin/settings/api-keys/{taken['first'].pk}/revoke/")
    assert "second" in page
    assert "other" not in page
    assert "renamed" not in page
    assert "Programs made" not in text(admin, f"/admin/settings/api-keys/{taken['second'].pk}/revoke/")


def test_who_may_only_look_changes_no_key(admin: Client, staff: Staff) -> None:
    key, secret = api_keys.issue("checkout", scopes=["read"], at=clock.real(), by="x")
    for role in ("viewer", "operator", "approver"):
        browser = staff(role, role)
        for path in ("new/", f"{key.pk}/rotate/", f"{key.pk}/revoke/"):
            assert browser.post(f"/admin/settings/api-keys/{path}", form()).status_code == 403
        assert "Rotate" not in text(browser, "/admin/settings/api-keys/")
    assert ApiKey.objects.get().revoked_at is None
    assert api_keys.find(secret, at=clock.real()) is not None


@pytest.fixture
def endpoint(settings: Settings) -> Endpoint:
    settings.WEBHOOKS_PRIVATE = True
    return webhooks.register("shop", "http://127.0.0.1:9/", merchant=None, kinds=["granted"], at=t("20"), by="x")


def test_a_webhook_is_changed_and_its_secret_stays(admin: Client, endpoint: Endpoint) -> None:
    secret, path = endpoint.secret, f"/admin/settings/webhooks/{endpoint.pk}"
    assert 'value="shop"' in admin.get(f"{path}/change/").content.decode()
    changed = {"name": "shop 2", "url": "http://127.0.0.1:9/new", "kinds": ["settled", "quota_80"]}
    assert admin.post(f"{path}/change/", changed).status_code == 302
    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.url, endpoint.kinds) == (
        "shop 2",
        "http://127.0.0.1:9/new",
        ["quota_80", "settled"],
    )
    assert endpoint.secret == secret
    assert LogEntry.objects.latest("pk").change_message == "changed name, url, kinds"
    page = text(admin, f"{path}/")
    assert "80% of the quota used (quota.reached)" in page
    assert secret not in page


def test_the_secret_is_shown_once_on_the_answer(admin: Client, endpoint: Endpoint) -> None:
    path = f"/admin/settings/webhooks/{endpoint.pk}"
    before = endpoint.secret
    secret = shown(admin.post(f"{path}/rotate/").content.decode())
    endpoint.refresh_from_db()
    assert (secret, endpoint.old_secret) == (endpoint.secret, before)
    for other in (f"{path}/", "/admin/", "/admin/settings/webhooks/"):
        assert secret not in unescape(admin.get(other).content.decode())


def test_the_state_of_a_webhook_is_shown(admin: Client, endpoint: Endpoint) -> None:
    path = f"/admin/settings/webhooks/{endpoint.pk}/"
    assert "Active" in text(admin, path)
    webhooks.hold(endpoint, until=clock.real() + timedelta(hours=1))
    assert "The receiver asked to wait." in text(admin, path)
    admin.post(f"{path}disable/")
    assert "On hold" not in text(admin, "/admin/settings/webhooks/")
    admin.post(f"{path}enable/")
    webhooks.close(endpoint, at=clock.real())
    assert "The receiver answered 410" in text(admin, path)
    admin.post(f"{path}enable/")
    endpoint.refresh_from_db()
    assert (endpoint.disabled_at, endpoint.gone_at, endpoint.held_until) == (None, None, None)
    assert admin.post(f"{path}explode/").status_code == 404


def test_a_delivery_shows_payload_and_answer_and_is_sent_again(admin: Client, endpoint: Endpoint) -> None:
    webhooks.disable(endpoint, at=clock.real())  # so that nothing is sent
    delivery = webhooks.test(endpoint, at=t("20"))
    Delivery.objects.filter(pk=delivery.pk).update(tries=10, status=500, due_at=None)
    page = text(admin, f"/admin/settings/deliveries/{delivery.pk}/")
    assert "Given up endpoint.tested" in page
    assert '"type": "endpoint.tested"' in page
    assert "Status 500" in page
    admin.post(f"/admin/settings/deliveries/{delivery.pk}/resend/")
    again = Delivery.objects.get()
    assert (again.key, again.tries, again.due_at is not None) == (delivery.key, 0, True)
    assert "shop http://127.0.0.1:9/ Whole platform Disabled 1 0" in text(admin, "/admin/settings/webhooks/")


def test_data_retention_says_what_the_code_does(admin: Client) -> None:
    page = text(admin, "/admin/settings/retention/")
    assert "manage.py purge" in page
    assert "Sessions ends after 60 minutes without a request 24 hours" in page
    assert "Uploaded files that nobody confirmed 1 hour" in page
    assert "Notifications of operators 365 days" in page


def test_settings_show_what_one_may_open(admin: Client, staff: Staff) -> None:
    assert Group.objects.count() == 4
    assert "People Users of the workspace" in text(admin, "/admin/settings/")
    assert "People Users of the workspace" not in text(staff("vi", "viewer"), "/admin/settings/")
