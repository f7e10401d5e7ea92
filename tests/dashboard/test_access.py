"""Access to the dashboard: members see their merchant only, operators with the permission may view (S1, S6, S7)."""

from re import sub

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import URLPattern, reverse

from campaigns.models import Coupon, Message
from campaigns.notifications import distribution
from dashboard import urls
from logistics.models import FreightOrder
from merchants import members
from merchants.models import Member
from tests.support.allowances import allowance
from tests.support.members import PASSWORD, client, text
from tests.support.scenarios import BUNDLE, coupon_offer, request_offer
from tests.support.world import draw, freight, merchant, offer, publish, t, tick, trade

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="permissions, not SQL")]

OPEN = {
    "sign-in",
    "sign-in-code",
    "sign-out",
    "password-reset",
    "password-sent",
    "password-choose",
    "favicon.ico",
    None,
}
SELF = {"password-change", "second-step", "sessions"}  # pages of the user, whatever the merchant
OWN = {"calendar"}  # the address itself is the secret
OPERATORS = {"impersonate", "impersonate-stop"}
FILES = {"offer-dates", "savings-csv", "savings-xlsx"}
POSTS = {
    "attach",
    "detach",
    "use-coupon",
    "message",
    "messages-read",
    "team-change",
    "calendar-renew",
    "allowance-collect",
}
FOREIGN = {"order", "coupon", "attach", "detach", "message", "team-change"}
"""Pages of an object that belongs to one merchant."""
QUOTES = allowance("quotes", "quote", collected="yes")


@pytest.fixture
def world(owner: Member, mate: Member) -> dict[str, str]:
    """Put data of M1 on every page. Return the addresses by name."""
    publish(coupon_offer(benefit=BUNDLE) + offer("o") + request_offer("asked") + "allowances:\n" + QUOTES)
    freight("OWN-A", shipped_at="02", placed_at="01")
    freight("OWN-B", placed_at="02", paid_at="02 11:00")
    freight("OWN-C", placed_at="02 12:00")
    trade("OWN-T", drafted_at="02")
    draw("OWN-D", "02")
    tick("03")
    distribution.fan_out()
    coupon = Coupon.objects.get()
    arguments: dict[str, tuple[object, ...]] = {
        "offer": ("o",),
        "allowance-collect": ("quotes",),
        "calendar": (members.renew_calendar(owner),),
        "offer-dates": ("o",),
        "request-offer": ("asked",),
        "order": ("freight", "OWN-B"),
        "attach": ("freight", "OWN-C"),
        "detach": ("freight", "OWN-C"),
        "coupon": (coupon.code,),
        "message": (Message.objects.filter(member=owner)[0].pk,),
        "team-change": (mate.pk, "disable"),
        "impersonate": ("M1",),
        "password-choose": ("x", "y"),
    }
    names = {pattern.name for pattern in urls.urlpatterns if isinstance(pattern, URLPattern)} - {None}
    return {name: reverse(name, args=arguments.get(name, ())) for name in names if name}


def test_every_page_is_covered(world: dict[str, str]) -> None:
    assert set(world) >= FOREIGN | POSTS | OWN | OPERATORS
    assert len(world) == 38


def test_every_page_has_a_sign_out_button(world: dict[str, str], owner: Member) -> None:
    browser = client(owner)
    for name in sorted(set(world) - OPEN - OWN - OPERATORS - POSTS - FILES):
        assert b'action="/sign-out/"' in browser.get(world[name]).content, name


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"])
def test_redirects_stay_on_this_host(owner: Member, to: str) -> None:
    sent = {"username": "owner@example.com", "password": PASSWORD, "next": to}
    assert Client().post("/sign-in/", sent).headers["Location"] == "/"
    assert Client().post("/i18n/setlang/", {"language": "en", "next": to}).headers["Location"] == "/"


def test_anonymous_requests_are_redirected_to_sign_in(world: dict[str, str]) -> None:
    nobody = Client()
    for name in sorted(set(world) - OPEN - OWN):
        send = nobody.post if name in POSTS | OPERATORS else nobody.get
        response = send(world[name])
        assert (response.status_code, response.headers["Location"]) == (302, f"/sign-in/?next={world[name]}"), name


def test_a_member_sees_nothing_of_another_merchant(world: dict[str, str], stranger: Member) -> None:
    browser = client(stranger)
    for name in sorted(FOREIGN):
        send = browser.post if name in POSTS else browser.get
        response, missing = send(world[name]), send(sub("OWN-.|/[A-Z0-9]{16}/|/[0-9]+/", "/0/", world[name]))
        assert response.status_code == missing.status_code == 404, name
        assert _without_address(response.content) == _without_address(missing.content), name
    for name in sorted(set(world) - FOREIGN - OPEN - OWN - OPERATORS - POSTS):
        page = browser.get(world[name])
        assert page.status_code == 200, name
        assert b"OWN-" not in page.content, name
        assert b"owner@" not in page.content, name
    assert Coupon.objects.get().status == "issued"
    assert not FreightOrder.objects.get(pk="OWN-C").use_coupon
    assert not Member.objects.exclude(disabled_at=None).exists()


def _without_address(page: bytes) -> str:
    return sub(r'name="(next|csrfmiddlewaretoken)" value="[^"]*"|support: [0-9a-f]{8}', "", page.decode())


@pytest.mark.parametrize(
    "path", ["/orders/freight/NO/", "/orders/NO/", "/orders/NO/OWN-B/", "/wallet/NO/", "/offers/no/"]
)
def test_unknown_objects_are_not_found(world: dict[str, str], owner: Member, path: str) -> None:
    assert client(owner).get(path).status_code == 404


def test_all_members_of_a_merchant_see_the_same(world: dict[str, str], owner: Member, mate: Member) -> None:
    same = sorted(
        set(world) - OPEN - OWN - OPERATORS - POSTS - SELF - {"messages", "account", "team", "coupon", "wallet"}
    )
    assert len(same) == 13
    for name in same:
        # The home page tells only those to use coupons who may.
        Member.objects.filter(pk=mate.pk).update(may_attach=name == "home")
        pages = [client(who).get(world[name]) for who in (owner, mate)]
        assert {page.status_code for page in pages} == {200}, name
        if name not in FILES:
            mine, theirs = (_without_account(text(client(who), world[name]), who) for who in (owner, mate))
            assert mine == theirs, name


def _without_account(page: str, who: Member) -> str:
    """Leave out what differs by the account: its menu, and the page of the team, which is for main accounts."""
    name = who.user.username
    return page.replace(f" {name[0].upper()} {name}", "").replace(" Team", "")


def test_a_view_only_sub_account_changes_nothing(world: dict[str, str], mate: Member) -> None:
    browser = client(mate)
    assert browser.get(world["team"]).status_code == 403
    for name in ("attach", "team-change"):
        assert browser.post(world[name]).status_code == 403, name
    assert browser.post(world["team"], {"email": "x@example.com", "language": "en"}).status_code == 403
    assert not FreightOrder.objects.get(pk="OWN-C").use_coupon
    assert Member.objects.count() == 2
    assert "Use a coupon" not in text(browser, "/orders/freight/OWN-C/")


def test_get_requests_change_nothing(world: dict[str, str], owner: Member) -> None:
    browser = client(owner)
    for name in sorted(POSTS - {"message"}):  # to open a message marks it as read
        assert browser.get(world[name]).status_code == 405, name


def test_a_post_without_the_csrf_token_changes_nothing(world: dict[str, str], owner: Member) -> None:
    browser = client(owner, enforce_csrf_checks=True)
    for name in sorted(POSTS):
        assert browser.post(world[name]).status_code == 403, name
    assert not FreightOrder.objects.get(pk="OWN-C").use_coupon
    assert not Member.objects.exclude(disabled_at=None).exists()


def test_a_disabled_member_is_signed_out_at_once(world: dict[str, str], owner: Member, mate: Member) -> None:
    browser = client(mate)
    assert browser.get("/").status_code == 200
    members.disable(mate, at=t("03"), by=owner)
    for name in sorted(set(world) - OPEN - OWN - OPERATORS - POSTS):
        assert browser.get(world[name]).headers["location"].startswith("/sign-in/"), name
    fresh = Client(headers={"accept-language": "en"})
    page = fresh.post("/sign-in/", {"username": "mate@example.com", "password": PASSWORD})
    assert "Your main account or the platform disabled" in page.content.decode()
    assert fresh.get("/").status_code == 302


def test_a_changed_password_ends_other_sessions(owner: Member) -> None:
    here, there = client(owner), client(owner)
    fields = {"old_password": PASSWORD, "new_password1": "quite-another-fair", "new_password2": "quite-another-fair"}
    assert here.post("/account/password/", fields).status_code == 302
    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 302


def test_signing_out_ends_the_session(owner: Member) -> None:
    browser = client(owner)
    kept = browser.cookies["sessionid"].value
    browser.post("/sign-out/")
    browser.cookies["sessionid"] = kept
    assert browser.get("/").status_code == 302


# Operators


@pytest.fixture
def operator(db: None) -> User:
    user = User.objects.create_user("ana", password=PASSWORD, is_staff=True)
    names = ("see_as_member", "view_merchant")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


def signed_in(user: User) -> Client:
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(user)
    return browser


def test_an_operator_sees_the_merchants_pages(world: dict[str, str], owner: Member, operator: User) -> None:
    browser = signed_in(operator)
    assert browser.get("/").headers["Location"] == "/admin/"
    assert "View the dashboard as this merchant" in text(browser, "/admin/merchants/merchant/M1/change/")
    assert browser.post(world["impersonate"]).headers["Location"] == "/"
    banner = "You (ana) are viewing the dashboard of M1 Own. You cannot change anything. This visit is logged. Leave"
    for name in ("home", "offer", "orders", "order", "wallet", "coupon", "savings", "messages", "team"):
        assert banner in text(browser, world[name]), name
    assert browser.post(world["impersonate-stop"]).headers["Location"] == "/admin/merchant/M1/"
    assert browser.get("/").headers["Location"] == "/admin/"
    log = LogEntry.objects.order_by("pk").values_list("user__username", "object_id", "change_message")
    assert list(log) == [
        ("ana", "M1", "opened the merchant's dashboard"),
        ("ana", "M1", "left the merchant's dashboard"),
    ]


def test_an_operator_cannot_change_anything_there(world: dict[str, str], operator: User) -> None:
    browser = signed_in(operator)
    browser.post(world["impersonate"])
    for name in (*sorted(POSTS), "team", "account"):
        assert browser.post(world[name]).status_code == 403, name
    assert browser.get(world["account"]).status_code == 403
    assert not FreightOrder.objects.get(pk="OWN-C").use_coupon
    assert not Member.objects.exclude(disabled_at=None).exists()


def test_an_operator_without_the_permission_sees_nothing(world: dict[str, str], operator: User) -> None:
    browser = signed_in(operator)
    operator.user_permissions.clear()
    assert browser.post(world["impersonate"]).status_code == 403
    assert not LogEntry.objects.exists()
    assert browser.get("/").headers["Location"] == "/admin/"


def test_losing_the_permission_ends_impersonation_at_once(world: dict[str, str], operator: User) -> None:
    browser = signed_in(operator)
    browser.post(world["impersonate"])
    operator.user_permissions.clear()
    assert browser.get("/").headers["Location"] == "/admin/"


@pytest.mark.parametrize("is_superuser", [False, True])
def test_losing_the_staff_status_ends_impersonation_at_once(
    world: dict[str, str], operator: User, is_superuser: bool
) -> None:
    browser = signed_in(operator)
    browser.post(world["impersonate"])
    assert browser.get("/").status_code == 200
    operator.is_staff, operator.is_superuser = False, is_superuser
    operator.save()
    assert browser.get("/").status_code == 403
    assert browser.post(world["impersonate"]).status_code == 403


def test_without_staff_status_roles_give_no_permission(operator: User) -> None:
    assert operator.has_perm("merchants.see_as_member")
    assert operator.has_module_perms("merchants")
    operator.is_staff = False
    operator.save()
    former = User.objects.get(pk=operator.pk)
    assert not former.has_perm("merchants.see_as_member")
    assert not former.has_module_perms("merchants")


def test_a_member_cannot_impersonate_another_merchant(world: dict[str, str], stranger: Member) -> None:
    browser = client(stranger)
    assert browser.post(world["impersonate"]).status_code == 403
    assert "M1" not in text(browser, "/")


def test_an_operator_whose_membership_is_disabled_keeps_the_operators_pages(owner: Member, operator: User) -> None:
    owner.user.is_staff = True
    owner.user.save()
    browser = client(owner)
    assert browser.get("/").status_code == 200
    members.disable(owner, at=t("03"), by=None)
    assert browser.get("/").headers["Location"] == "/admin/"
    again = Client().post("/sign-in/", {"username": "owner@example.com", "password": PASSWORD})
    assert again.status_code == 302


def test_a_user_who_is_neither_member_nor_operator_is_refused(db: None) -> None:
    browser = signed_in(User.objects.create_user("nobody", password=PASSWORD))
    assert browser.get("/").status_code == 403


def test_members_cannot_open_the_admin(owner: Member) -> None:
    assert client(owner).get("/admin/").status_code == 302


def test_content_security_policy_and_headers(owner: Member) -> None:
    response = client(owner).get("/")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response.headers["Cache-Control"]


def test_a_script_in_a_name_is_escaped(owner: Member) -> None:
    merchant("EVIL", name="<script>alert(1)</script>")
    evil = members.add("e@example.com", to=owner.merchant.__class__.objects.get(pk="EVIL"), at=t("01"), by="test")
    page = client(evil).get("/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
