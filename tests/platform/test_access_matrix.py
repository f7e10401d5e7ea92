"""Access of each role to every page: the admin's lists in one table, and nothing open that is not named here.

The pages of the workspace, the dashboard and the API have tables of their own, by page and action.
"""

from collections.abc import Iterator
from re import Match, sub

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from imports.registry import all_schemas
from tests.support.members import client, member
from tests.support.operators import Staff, market, staff  # noqa: F401  # fixtures
from tests.support.world import merchant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("market"), pytest.mark.once(reason="permissions, not SQL")]

ROLES = {"v": "viewer", "o": "operator", "p": "approver", "a": "administrator"}
ALL = "vopa"
ADMIN_LISTS = {"auth.user": "a", "auth.group": "a", "core.democlock": "a", "identity.rolerequest": "a"}
"""Lists that not every role sees."""
ADDED = {"merchants.member": "oa", "imports.storedmapping": "oa", "auth.user": "a"}
"""Lists with a form to add a row."""
FACTS = {schema.model._meta.label_lower for schema in all_schemas()}
OPEN = {
    "health/live",
    "health/ready",
    "metrics",
    "i18n/setlang/",
    "theme/",
    "admin/login/",
    "admin/password_change/",
    "api/v1/schema/",
    "api/v1/docs/",
    "api/v1/errors/",
    "api/v1/errors/<slug:code>/",
    "calendar/<str:key>.ics",
    "sign-in/",
    "sign-in/code/",
    "sign-out/",
    "password/",
    "password/sent/",
    "password/<uidb64>/<token>/",
    "favicon.ico",
}
"""Routes that answer without a session or an API key: what they show needs a token, or is for everyone."""
ARGUMENTS = {"month": "2022-09", "verb": "pause", "form": "csv"}


def models() -> list[type[Model]]:
    return sorted(admin.site._registry, key=lambda model: model._meta.label_lower)


def url(model: type[Model], page: str, *arguments: str) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


def status(browser: Client, path: str, method: str = "get") -> int:
    return int(getattr(browser, method)(path).status_code)


@pytest.mark.parametrize("letter", ROLES)
def test_each_role_sees_its_lists_and_adds_only_what_it_may(staff: Staff, letter: str) -> None:  # noqa: F811
    browser = staff("who", ROLES[letter])
    for model in models():
        label = model._meta.label_lower
        seen = 200 if letter in ADMIN_LISTS.get(label, ALL) else 403
        assert status(browser, url(model, "changelist")) == seen, label
        added = 200 if letter in ADDED.get(label, "") else 403
        assert status(browser, url(model, "add")) == added, label
        assert status(browser, url(model, "delete", "1"), "post") == 403, label
        if label in FACTS:
            if letter in "va":  # the others see the list, which is what an export asks for
                assert status(browser, url(model, "export")) == 200, label
            for page in ("import", "template"):
                assert status(browser, url(model, page)) == (200 if letter in "oa" else 403), (label, page)


def test_staff_without_a_role_sees_no_list(staff: Staff) -> None:  # noqa: F811
    new = staff("new")
    for model in models():
        for page in ("changelist", "add"):
            assert status(new, url(model, page)) == 403, (model, page)


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        route = f"{prefix}{each.pattern}"
        if isinstance(each, URLPattern):
            yield route
        else:
            yield from routes(each, route)


def paths() -> dict[str, str]:
    """Return an address for each route that is not open."""

    def value(found: Match[str]) -> str:
        return "1" if found[1] == "int:" else ARGUMENTS.get(found[2], "x")

    found = {route: "/" + sub(r"<(\w+:)?(\w+)>", value, route) for route in routes(get_resolver())}
    return {route: path for route, path in found.items() if route not in OPEN and "(?P" not in route}


def refusals(browser: Client, chosen: dict[str, str]) -> set[tuple[int, str]]:
    """Return the statuses of GET and POST requests to the addresses, each with the page it leads to."""
    answers = [getattr(browser, method)(path) for path in chosen.values() for method in ("get", "post")]
    return {(answer.status_code, answer.headers.get("location", "").partition("?")[0]) for answer in answers}


def test_without_a_session_or_a_key_nothing_else_answers(db: None) -> None:
    chosen = paths()
    programs = {route: path for route, path in chosen.items() if route.startswith("api/v1/")}
    people = {route: path for route, path in chosen.items() if route not in programs}
    assert refusals(Client(), programs) == {(401, ""), (404, "")}  # 404: the root, and what is not there
    assert len(people) > 250
    # The admin's own page to sign in is not among them: it leads to the other. 405: only POST or only GET.
    assert refusals(Client(), people) == {(302, "/admin/login/"), (302, "/sign-in/"), (302, "/admin/"), (405, "")}


def test_a_merchant_meets_no_page_of_operators() -> None:
    """The dashboard's own test says which merchant sees what."""
    merchant("M9")
    browser = client(member("owner@example.com", of="M9"))
    chosen = {route: path for route, path in paths().items() if route.startswith("admin/")}
    assert refusals(browser, chosen) == {(302, "/admin/login/"), (302, "/admin/")}
    assert status(browser, "/impersonate/M1/", "post") == 403
    assert status(browser, "/wallet/") == 200  # still signed in
