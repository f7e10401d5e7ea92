"""Input that no database or calendar holds gives 400 or 404 at every address: NUL, impossible years, huge numbers."""

import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from core import clock
from merchants import api_keys
from merchants.models import ApiKey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once(reason="input that is refused before a query")]

WORDS = ["9999-12", "0000-01", "0001-01", "a%00b", "9" * 5000, "%ED%A0%80", "%F3"]
NUMBERS = ["9" * 30, "9" * 5000]
QUERIES = [
    "q=%00",
    "q=" + "9" * 5000,
    "p=" + "9" * 30,
    "page=" + "9" * 5000,
    "cursor=%00",
    "o=" + "9" * 30,
    "month=9999-12",
    "month=0000-00",
    "at=9999-12-31T23:59:59Z",
    "at=0001-01-01T00:00:00%2B08:00",
    "at__year=0",
    "recorded_at__year=99999",
    "recorded_at__gte=9999-12-31T23:59:59Z",
    "recorded_at__month=" + "9" * 30,
    "id__exact=" + "9" * 30,
    "merchant=%00",
    "subject=%00",
    "limit=" + "9" * 30,
    "%00=1",
]


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from patterns(each, route)
        elif isinstance(each, URLPattern):
            yield route


def addresses(route: str) -> Iterator[str]:
    """Yield the paths of a route with each hostile word in place of its parameters."""
    if "(?P" in route or "^" in route:
        return
    holes = re.findall(r"<(?:(\w+):)?\w+>", route)
    if not holes:
        yield f"/{route}"
        return
    for words, kind in ((WORDS, "str"), (NUMBERS, "int")):
        if kind == "str" or "int" in holes:
            for word in words:
                yield "/" + re.sub(r"<int:\w+>", word if kind == "int" else "1", route)


def hostile_paths() -> list[str]:
    """Return the paths of all routes with hostile words in turn: two a route, one of pages that all tables share."""
    paths = []
    for n, route in enumerate(patterns(get_resolver())):
        for path in addresses(route):
            most = 1 if OF_RECORDS.match(route) else 2
            words = [WORDS[(n + 2 * m) % len(WORDS)] for m in range(most)]
            for word in words if "<" in path else [""]:
                paths.append(re.sub(r"<(?:\w+:)?\w+>", word, path))
    return sorted(set(paths))


OF_RECORDS = re.compile(rf"admin/(?:{'|'.join(app.label for app in apps.get_app_configs())})/\w+/")


@pytest.fixture
def operator(client: Client) -> Client:
    client.raise_request_exception = False
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def program(client: Client) -> Client:
    client.raise_request_exception = False
    _key, text = api_keys.issue("hostile", scopes=ApiKey.Scope.values, at=clock.real(), by="root")
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {text}"
    return client


def failures(client: Client, paths: list[str]) -> list[str]:
    """Return the paths that are answered with a server error, each with its exception."""
    found = []
    for path in paths:
        answer = client.get(path)
        if answer.status_code >= 500:
            error = answer.exc_info and answer.exc_info[1]  # type: ignore[attr-defined]
            found.append(f"{path[:120]}: {type(error).__name__} {error}"[:300])
    return found


def test_hostile_paths_are_refused(operator: Client) -> None:
    paths = hostile_paths()
    assert len(paths) > 100
    assert failures(operator, paths) == []


def test_hostile_queries_are_refused_at_every_page(operator: Client) -> None:
    pages = [f"/{route}" for route in patterns(get_resolver()) if "<" not in route and "(?P" not in route]
    pages += [f"/admin/{m._meta.app_label}/{m._meta.model_name}/" for m in admin.site._registry]
    assert failures(operator, [f"{page}?{'&'.join(QUERIES)}" for page in pages]) == []
    lists = [page for page in pages if page.startswith("/admin/") and page.count("/") == 4]
    # All lists are made of the same parts: each meets a sixth of the queries alone.
    alone = [f"{page}?{query}" for n, page in enumerate(lists) for query in QUERIES[n % 6 :: 6]]
    assert failures(operator, alone) == []


LOOKUPS = ("year=0", "gte=0000-01-01T00:00Z", "exact=%00", f"exact={'9' * 30}")


def test_hostile_filters_of_every_admin_list_are_refused(operator: Client) -> None:
    paths = []
    for model in admin.site._registry:
        page = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        fields = [field for field in model._meta.get_fields() if field.concrete]
        # One of the lookups for each field, in turn: four for each take longer than they find.
        paths += [f"{page}?{field.name}__{LOOKUPS[n % 4]}" for n, field in enumerate(fields)]
    assert failures(operator, paths) == []


def test_a_nul_in_a_form_or_a_cookie_is_refused(operator: Client) -> None:
    assert operator.post("/sign-in/", {"username": "a\0b", "password": "x"}).status_code == 400
    assert operator.post("/admin/merchants/merchant/", {"action": ["a", "b\0"]}).status_code == 400
    operator.cookies["sessionid"] = "a\0b"
    assert operator.get("/").status_code == 400


NESTED = "[" * 900 + "]" * 900


@pytest.mark.parametrize("body", [NESTED, '{"a":' * 900 + "1" + "}" * 900, "9" * 5000, '"\\u0000"', "[" * 100_000])
def test_hostile_bodies_are_refused_by_the_programs_interface(body: str, program: Client) -> None:
    posts = ["claims/", "quotes/", "facts/merchants/", "facts/freight_orders/", "claims/freight_order/a/paid/"]
    for path in posts:
        for content in (body, f'{{"facts": {body}}}', f'[{{"merchant_code": {body}, "subject": {body}}}]'):
            answer = program.post(
                f"/api/v1/{path}", content, content_type="application/json", headers={"Idempotency-Key": "k1"}
            )
            assert 400 <= answer.status_code < 500, (path, content[:40], answer.content[:200])


def test_hostile_paths_and_queries_are_refused_by_the_programs_interface(program: Client) -> None:
    paths = [path for path in hostile_paths() if path.startswith("/api/")]
    assert failures(program, paths) == []
    assert (
        failures(
            program, [f"{path}?{query}" for path in ("/api/v1/offers/", "/api/v1/campaigns/") for query in QUERIES]
        )
        == []
    )
    assert program.get("/api/v1/statements/9999-12/").status_code in (400, 404)


def test_the_programs_interface_refuses_a_nul_in_its_own_format(program: Client) -> None:
    for path in ("/api/v1/offers/?campaign=%00", "/api/v1/offers/a%00b/", "/api/v1/no-such/%00"):
        answer = program.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
        assert answer.json()["code"] == "invalid"
