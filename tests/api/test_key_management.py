"""API keys by API: a key gives, rotates and revokes no more than it has, and what it did is recorded."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from api.models import IdempotencyRecord
from merchants import api_keys
from merchants.models import AccessChange, ApiKey, Merchant
from tests.support.programs import Program, program

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="permissions and single rows, not SQL")]


def keys() -> list[tuple[str, Any, Any]]:
    return list(ApiKey.objects.order_by("pk").values_list("prefix", "revoked_at", "expires_at"))


def test_a_key_issues_rotates_and_revokes_another(platform: Program) -> None:
    manager = program("keys", "read", "claim")
    issued = manager.post("keys/", {"name": "shop", "scopes": ["read"], "merchant": "M1"})
    assert issued.status == 201
    assert (issued.body["merchant"], issued.body["scopes"], issued.body["revoked_at"]) == ("M1", ["read"], None)
    assert issued.headers["Location"] == f"/api/v1/keys/{issued.body['id']}/"
    shop = Program(issued.body["secret"])
    assert shop.get("merchants/M1/grants/").status == 200
    assert shop.get("merchants/M2/grants/").status == 404
    rotated = manager.post(f"keys/{issued.body['id']}/rotate/", {"overlap_hours": 0})
    assert (rotated.status, rotated.body["scopes"]) == (201, ["read"])
    assert (shop.get("offers/").status, Program(rotated.body["secret"]).get("offers/").status) == (401, 200)
    revoked = manager.ask("delete", f"keys/{rotated.body['id']}/")
    assert (revoked.status, revoked.body["revoked_at"] is None) == (200, False)
    assert Program(rotated.body["secret"]).get("offers/").status == 401
    acts = list(AccessChange.objects.order_by("pk").values_list("verb", "target", "merchant", "by__name"))
    first, second = issued.body["id"], rotated.body["id"]
    assert acts == [
        ("issued", first, "M1", "test"),
        ("rotated", first, "M1", "test"),
        ("revoked", second, "M1", "test"),
    ]


def test_the_secret_is_stored_nowhere_and_shown_once(platform: Program) -> None:
    manager = program("keys", "read")
    body = {"name": "shop", "scopes": ["read"]}
    first, again = manager.post("keys/", body, once="k"), manager.post("keys/", body, once="k")
    assert again.body == {**first.body, "secret": None}
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.body["secret"] not in str(list(IdempotencyRecord.objects.values()))
    assert "secret" not in manager.get(f"keys/{first.body['id']}/").body


@pytest.mark.parametrize(
    "body",
    [
        {"scopes": ["claim"]},
        {"scopes": ["read", "facts"]},
        {"scopes": ["read", "webhooks"]},
        {"scopes": ["read"], "merchant": "M2"},
        {"scopes": ["read"], "expires_at": "2199-01-01T00:00:00Z"},
    ],
)
def test_a_key_gives_no_more_than_it_has(platform: Program, body: dict[str, Any]) -> None:
    ends = timezone.now() + timedelta(days=1)
    merchant = Merchant.objects.get(pk="M1")
    _key, secret = api_keys.issue(
        "m", scopes=["keys", "read"], merchant=merchant, expires_at=ends, at=timezone.now(), by="test"
    )
    before = keys()
    refused = Program(secret).post("keys/", {"name": "x", **body})
    assert (refused.status, refused.body["code"]) == (403, "beyond_key")
    assert (keys(), AccessChange.objects.exists()) == (before, False)


def test_a_new_key_is_for_the_merchant_and_ends_with_the_key_that_issued_it(platform: Program) -> None:
    ends = timezone.now() + timedelta(days=1)
    _key, secret = api_keys.issue(
        "m",
        scopes=["keys", "read"],
        merchant=Merchant.objects.get(pk="M1"),
        expires_at=ends,
        at=timezone.now(),
        by="test",
    )
    issued = Program(secret).post("keys/", {"name": "x", "scopes": ["read"]}).body
    assert issued["merchant"] == "M1"
    assert ApiKey.objects.get(prefix=issued["id"]).expires_at == ends


def test_a_key_is_revoked_with_what_it_made_or_without(platform: Program, settings: Settings) -> None:
    settings.WEBHOOKS_PRIVATE = True
    scopes = ["keys", "read", "webhooks"]
    manager = program(*scopes)
    lost = manager.post("keys/", {"name": "lost", "scopes": scopes}).body
    second = Program(lost["secret"]).post("keys/", {"name": "second", "scopes": scopes}).body
    third = Program(second["secret"]).post("keys/", {"name": "third", "scopes": ["read"]}).body
    ear = Program(second["secret"]).post("webhooks/", {"name": "ear", "url": "http://127.0.0.1:9/"}).body
    before, changes = keys(), AccessChange.objects.count()

    named = manager.ask("delete", f"keys/{lost['id']}/")
    assert (named.status, named.body["code"]) == (409, "made_with_key")
    assert (named.body["keys"], named.body["webhooks"]) == ([second["id"], third["id"]], [ear["id"]])
    assert (keys(), AccessChange.objects.count()) == (before, changes)
    assert manager.ask("delete", f"keys/{lost['id']}/?made=all").status == 400

    kept = manager.ask("delete", f"keys/{lost['id']}/?made=keep")
    assert (kept.status, kept.body["keys"], kept.body["webhooks"]) == (200, [], [])
    assert [row["name"] for row in manager.list("keys/") if row["revoked_at"]] == ["lost"]

    # A key that the lost one made may end it, and itself with it.
    ended = Program(second["secret"]).ask("delete", f"keys/{lost['id']}/?made=end")
    assert (ended.status, ended.body["keys"], ended.body["webhooks"]) == (200, [second["id"], third["id"]], [ear["id"]])
    assert Program(second["secret"]).get("offers/").status == 401
    assert manager.get(f"webhooks/{ear['id']}/").body["status"] == "disabled"
    ends = AccessChange.objects.filter(details__made_by=lost["id"]).order_by("pk").values_list("verb", "target")
    assert list(ends) == [("revoked", second["id"]), ("revoked", third["id"]), ("changed", str(ear["id"]))]


def test_a_key_ends_no_made_key_that_has_more(platform: Program) -> None:
    """A rotated key expires soon, so that many keys may revoke it, but not what it made before."""
    lost = program("keys", "read")
    lost.post("keys/", {"name": "lasting", "scopes": ["read"]})
    row = ApiKey.objects.get(name="test", scopes=["keys", "read"])
    ApiKey.objects.filter(pk=row.pk).update(expires_at=timezone.now() + timedelta(hours=1))
    ends, now = timezone.now() + timedelta(hours=2), timezone.now()
    _key, secret = api_keys.issue("short", scopes=["keys", "read"], expires_at=ends, at=now, by="test")
    before = keys()
    assert Program(secret).ask("delete", f"keys/{row.prefix}/?made=end").body["code"] == "beyond_key"
    assert keys() == before
    assert Program(secret).ask("delete", f"keys/{row.prefix}/?made=keep").status == 200


@pytest.mark.parametrize("scopes", [["keys"], ["keys", "read"], ["keys", "read", "claim"]])
def test_a_key_neither_rotates_nor_revokes_one_that_has_more(platform: Program, scopes: list[str]) -> None:
    manager = program(*scopes)
    strong, _secret = api_keys.issue("strong", scopes=["read", "claim", "facts"], at=timezone.now(), by="test")
    before = keys()
    for method, path in (("post", f"keys/{strong.prefix}/rotate/"), ("delete", f"keys/{strong.prefix}/")):
        refused = manager.ask(method, path, {} if method == "post" else None)
        assert (refused.status, refused.body["code"]) == (403, "beyond_key")
    assert (keys(), AccessChange.objects.exists()) == (before, False)


def test_a_key_of_a_merchant_reaches_the_keys_of_that_merchant_only(platform: Program) -> None:
    own = program("keys", "read", of="M1")
    [platforms] = ApiKey.objects.filter(merchant=None)
    program("read", of="M2")
    assert {row["merchant"] for row in own.list("keys/")} == {"M1"}
    assert len(program("keys").list("keys/")) == ApiKey.objects.count()
    for key in (platforms, ApiKey.objects.get(merchant="M2")):
        assert own.get(f"keys/{key.prefix}/").status == 404
        assert own.ask("delete", f"keys/{key.prefix}/").status == 404
    assert not ApiKey.objects.exclude(revoked_at=None).exists()


def test_a_merchants_key_never_records_facts(platform: Program) -> None:
    manager = program("keys", "facts")
    refused = manager.post("keys/", {"name": "x", "scopes": ["facts"], "merchant": "M1"})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (400, "/scopes")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"scopes": ["read"]}, "/name"),
        ({"name": "x", "scopes": []}, "/scopes"),
        ({"name": "two\nlines", "scopes": ["read"]}, "/name"),
        ({"name": "x", "scopes": ["read"], "merchant_code": "M1"}, "/merchant_code"),
        ({"name": "x", "scopes": ["read"], "expires": "2199-01-01T00:00:00Z"}, "/expires"),
        ({"name": "x", "scopes": ["all"]}, "/scopes/0"),
        ({"name": "x", "scopes": ["read"], "merchant": "M9"}, "/merchant"),
        ({"name": "x", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"name": "x", "scopes": ["read"], "expires_at": "2199-01-01T00:00:00"}, "/expires_at"),
    ],
)
def test_faulty_requests_are_refused_by_member(platform: Program, body: dict[str, Any], pointer: str) -> None:
    manager = program("keys", "read")
    before = keys()
    refused = manager.post("keys/", body)
    assert (refused.status, [error["pointer"] for error in refused.body["errors"]]) == (400, [pointer])
    assert keys() == before


def test_a_merchant_has_a_bounded_number_of_working_keys(platform: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "MOST_OF_A_MERCHANT", 3)
    own = program("keys", "read", of="M1")  # the first
    second = own.post("keys/", {"name": "x", "scopes": ["read"]}).body
    assert own.post("keys/", {"name": "x", "scopes": ["read"]}).status == 201
    before = keys()
    refused = own.post("keys/", {"name": "x", "scopes": ["read"]})
    assert (refused.status, keys()) == (400, before)
    refused = own.post(f"keys/{second['id']}/rotate/", {})
    assert (refused.status, refused.body["errors"][0]["pointer"], keys()) == (400, "/merchant", before)
    own.ask("delete", f"keys/{second['id']}/")
    assert own.post("keys/", {"name": "x", "scopes": ["read"]}).status == 201
    assert program("keys", "read").post("keys/", {"name": "x", "scopes": ["read"]}).status == 201  # of the platform


def test_a_key_may_revoke_itself(platform: Program) -> None:
    own = program("keys", "read")
    [key] = ApiKey.objects.filter(scopes=["keys", "read"])
    assert own.ask("delete", f"keys/{key.prefix}/").status == 200
    assert own.get("offers/").status == 401
    assert AccessChange.objects.get().target == key.prefix


def test_a_key_revoked_during_a_request_makes_nothing(platform: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    manager, issue = program("keys", "read"), api_keys.issue

    def issue_and_be_revoked(*arguments: Any, **options: Any) -> tuple[ApiKey, str]:
        for key in ApiKey.objects.all():
            api_keys.revoke(key, at=timezone.now())
        return issue(*arguments, **options)

    monkeypatch.setattr(api_keys, "issue", issue_and_be_revoked)
    before = {prefix for prefix, *_ in keys()}
    assert manager.post("keys/", {"name": "x", "scopes": ["read"]}).status == 401
    assert ({prefix for prefix, *_ in keys()}, AccessChange.objects.exists()) == (before, False)


def test_an_ended_key_has_no_successor(platform: Program) -> None:
    manager = program("keys", "read")
    old = manager.post("keys/", {"name": "x", "scopes": ["read"]}).body
    assert manager.ask("delete", f"keys/{old['id']}/").status == 200
    before = keys()
    refused = manager.post(f"keys/{old['id']}/rotate/", {})
    assert (refused.status, refused.body["code"], keys()) == (409, "key_ended", before)


def test_a_key_without_the_scope_manages_nothing(platform: Program) -> None:
    before = keys()
    for method, path in (("get", "keys/"), ("post", "keys/"), ("get", "webhooks/"), ("post", "webhooks/")):
        refused = platform.ask(method, path, {} if method == "post" else None)
        assert (refused.status, refused.body["code"]) == (403, "scope_missing")
    assert keys() == before
