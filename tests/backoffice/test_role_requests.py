"""Roles that approve, or that make users, take effect when a second administrator confirms them; names are fixed."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.core import mail
from django.test import Client

from campaigns import tasks
from identity import role_requests
from identity.models import RoleRequest
from identity.role_requests import RoleRequestError
from tests.support.members import words
from tests.support.operators import Staff

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="proposals and their approval, single rows")]
DATES = {"date_joined_0": "2022-09-01", "date_joined_1": "00:00:00"}
LIST = "/admin/identity/rolerequest/"


def give(browser: Client, name: str, *roles: str, **more: str) -> str:
    """Save the form of a user with roles, and return the text of the next page."""
    user = User.objects.get(username=name)
    chosen = [str(pk) for pk in Group.objects.filter(name__in=roles).values_list("pk", flat=True)]
    sent = {"is_active": "on", "is_staff": "on", "groups": chosen, **DATES, **more}
    return words(browser.post(f"/admin/auth/user/{user.pk}/change/", sent, follow=True).content.decode())


def roles_of(name: str) -> list[str]:
    return sorted(User.objects.get(username=name).groups.values_list("name", flat=True))


def decide(browser: Client, verb: str) -> str:
    keys = [str(pk) for pk in RoleRequest.objects.values_list("pk", flat=True)]
    return words(browser.post(LIST, {"action": verb, "_selected_action": keys}, follow=True).content.decode())


@pytest.mark.parametrize("role", ["approver", "administrator"])
def test_a_role_that_approves_waits_for_a_second_administrator(role: str, staff: Staff) -> None:
    root, second = staff("root", "administrator"), staff("second", "administrator")
    staff("new")
    assert f"{role.capitalize()}: takes effect when a second administrator confirms it" in give(
        root, "new", "operator", role
    )
    assert roles_of("new") == ["operator"]
    assert "Another administrator" in decide(root, "confirm")
    assert (roles_of("new"), RoleRequest.objects.count()) == (["operator"], 1)
    assert "1 role confirmed" in decide(second, "confirm")
    assert (roles_of("new"), RoleRequest.objects.count()) == (sorted([role, "operator"]), 0)
    entry = LogEntry.objects.latest("pk")
    assert (entry.user.username, entry.object_repr) == ("second", "new")
    assert entry.change_message == f"confirmed the role {role}, requested by root"


def test_an_administrator_cannot_make_its_own_second_administrator(staff: Staff) -> None:
    root, puppet = staff("root", "administrator"), staff("puppet")
    give(root, "puppet", "administrator")
    assert puppet.get(LIST).status_code == 403
    assert puppet.post(LIST, {"action": "confirm", "_selected_action": ["1"]}).status_code == 403
    give(root, "root", "administrator", "approver")
    assert roles_of("root") == ["administrator"]
    assert "Another administrator" in decide(root, "confirm")
    assert (roles_of("puppet"), roles_of("root")) == ([], ["administrator"])


def test_nobody_confirms_its_own_role(staff: Staff) -> None:
    root, _second = staff("root", "administrator"), staff("second", "administrator")
    give(root, "second", "administrator", "approver")
    with pytest.raises(RoleRequestError, match="Another administrator"):
        role_requests.confirm(RoleRequest.objects.get(), by=User.objects.get(username="second"))
    assert roles_of("second") == ["administrator"]


def test_roles_that_a_user_has_stay_and_others_are_given_at_once(staff: Staff) -> None:
    root = staff("root", "administrator")
    staff("eve", "approver")
    give(root, "eve", "approver", "viewer")
    assert (roles_of("eve"), RoleRequest.objects.count()) == (["approver", "viewer"], 0)
    give(root, "eve", "viewer")
    assert roles_of("eve") == ["viewer"]


@pytest.mark.parametrize("lost", ["is_active", "is_staff"])
def test_roles_of_a_user_who_comes_back_are_confirmed_again(lost: str, staff: Staff) -> None:
    root = staff("root", "administrator")
    staff("eve", "approver", "viewer")
    User.objects.filter(username="eve").update(**{lost: False})
    give(root, "eve", "approver", "viewer")
    assert (roles_of("eve"), RoleRequest.objects.count()) == (["viewer"], 1)


def test_a_withdrawn_request_gives_nothing_and_is_decided_once(staff: Staff) -> None:
    root, second = staff("root", "administrator"), staff("second", "administrator")
    staff("new")
    give(root, "new", "approver")
    [request] = RoleRequest.objects.all()
    decide(root, "withdraw")
    assert (roles_of("new"), RoleRequest.objects.count()) == ([], 0)
    with pytest.raises(RoleRequestError, match="decided before"):
        role_requests.confirm(request, by=User.objects.get(username="second"))
    assert roles_of("new") == []
    assert second.get(LIST).status_code == 200


def test_a_superuser_gives_the_first_roles_alone(staff: Staff) -> None:
    root = staff("root")
    User.objects.filter(username="root").update(is_superuser=True)
    staff("new")
    give(root, "new", "administrator")
    assert (roles_of("new"), RoleRequest.objects.count()) == (["administrator"], 0)


def test_names_are_fixed(staff: Staff) -> None:
    root = staff("root", "administrator")
    staff("ana", "operator")
    for _each in range(2):
        give(root, "ana", "operator", username="somebody")
        assert User.objects.filter(username="ana").exists()
        User.objects.filter(username="root").update(is_superuser=True)  # not even by a superuser


def test_an_administrator_never_knows_the_password_of_a_new_user(staff: Staff) -> None:
    root = staff("root", "administrator")
    page = root.get("/admin/auth/user/add/").content.decode()
    assert 'name="email"' in page
    assert 'name="password' not in page
    sent = {
        "username": "new",
        "email": "new@platform.example",
        "password1": "chosen-by-root",
        "password2": "chosen-by-root",
    }
    assert root.post("/admin/auth/user/add/", sent).status_code == 302
    new = User.objects.get(username="new")
    assert (new.has_usable_password(), new.check_password("chosen-by-root"), new.is_staff) == (True, False, False)
    tasks.sweep()
    assert [letter.to for letter in mail.outbox] == [["new@platform.example"]]
