"""Reading over REST: offers, quotas, merchants and explanations; keys, scopes and other merchants."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import Coupon
from merchants import api_keys
from merchants.models import ApiKey, Merchant
from tests.support.programs import Program, program
from tests.support.scenarios import BUNDLE, coupon_offer
from tests.support.world import freight, offer, publish, tick

pytestmark = pytest.mark.django_db


def test_offers_with_terms_as_data_and_as_sentences(platform: Program) -> None:
    publish(offer("o", quota="{limit: 3}"))
    assert [item["code"] for item in platform.list("campaigns/")] == ["trial"]
    assert [item["code"] for item in platform.list("offers/?campaign=trial")] == ["o"]
    english = platform.get("offers/o/", **{"accept-language": "en"}).body
    chinese = platform.get("offers/o/", **{"accept-language": "zh-Hans"}).body
    assert english["terms"] == chinese["terms"]
    assert english["terms"]["quota"] == {"limit": 3}
    assert (english["sentences"]["benefit"], chinese["sentences"]["benefit"]) == ("10% off the freight", "运费减免10%")
    assert platform.get("offers/none/").status == 404


def test_the_last_orders_come_before_the_closing(platform: Program) -> None:
    dates = "[{fact: placed_at, by: 2022-09-20 23:59:59}, {fact: paid_at, by: 2022-09-30 23:59:59}]"
    publish(offer("two", conditions=dates) + offer("one", conditions="[{fact: paid_at, by: 2022-09-30 23:59:59}]"))
    found = {each["code"]: (each["order_by"], each["closes"]) for each in platform.list("offers/")}
    assert found == {
        "two": ("2022-09-21T00:00:00Z", "2022-10-01T00:00:00Z"),
        "one": ("2022-10-01T00:00:00Z", "2022-10-01T00:00:00Z"),
    }


def test_quota(platform: Program) -> None:
    settled = "{locked_at: paid_at, at: departed_at, released_by: cancelled_at}"
    publish(offer("o", claim="{at: placed_at}", settlement=settled, quota="{limit: 3, per_merchant: 2}"))
    freight("A", placed_at="02")
    freight("B", placed_at="02", paid_at="02", departed_at="02 10:00")
    tick("03")
    assert platform.get("offers/o/quota/").body == {
        "limit": 3,
        "used": 2,
        "reserved": 1,
        "left": 1,
        "per_merchant": 2,
        "bands": [],
        "as_of": "2022-09-03T00:00:00Z",
        "forecast": None,
    }


def test_quota_history_and_forecast(platform: Program) -> None:
    publish(offer("o", quota="{limit: 12}"))
    for n in range(9):
        freight(f"F{n}", paid_at=f"02 0{n}:30")
    tick("03")
    history = platform.list("offers/o/quota/history/")
    assert history[0] == {"at": "2022-09-02T00:00:00Z", "taken": 1, "total": 1}
    assert [point["total"] for point in history] == list(range(1, 10))
    assert platform.get("offers/o/quota/").body["forecast"] == {
        "soonest": "2022-09-03T14:24:00Z",
        "likely": "2022-09-04T00:00:00Z",
        "latest": "2022-09-06T00:00:00Z",
        "taken": 9,
        "since": "2022-08-31T00:00:00Z",
    }
    assert platform.get("offers/none/quota/history/").status == 404


def test_a_monthly_statement(platform: Program) -> None:
    publish(offer("o"))
    freight("A", paid_at="02")
    freight("B", of="M2", paid_at="02")
    tick("03")
    line = {"offer": "o", "currency": "CNY", "settled": "100.00", "reversed": "0.00", "redeemed": "0.00",
            "returned": "0.00", "total": "100.00"}  # fmt: skip
    assert platform.list("statements/2022-09/") == [{**line, "merchant": "M1"}, {**line, "merchant": "M2"}]
    assert platform.list("statements/2022-09/?merchant=M2") == [{**line, "merchant": "M2"}]
    own = program("read", of="M1")
    assert own.list("statements/2022-09/") == [{**line, "merchant": "M1"}]
    assert own.list("statements/2022-09/?merchant=M2") == []
    assert platform.list("statements/2022-10/") == []


def test_a_merchants_benefits_grants_and_coupons(platform: Program) -> None:
    publish(coupon_offer(benefit=BUNDLE.replace("count: 1", "count: 3")))
    freight("S", shipped_at="02")
    tick("03")
    own = program("read", of="M1")
    [benefit] = own.list("merchants/M1/benefits/")
    assert (benefit["offer"], benefit["state"]) == ("c", "granted")
    [grant] = own.list("merchants/M1/grants/?offer=c&status=settled")
    assert (grant["subject"], grant["amount"], grant["currency"]) == ("M1", "75.00", "CNY")
    first = own.get("merchants/M1/coupons/?size=2").body
    second = own.get(first["next"].partition("/api/v1/")[2]).body
    codes = [coupon["code"] for coupon in (*first["results"], *second["results"])]
    assert codes == list(Coupon.objects.order_by("-pk").values_list("code", flat=True))
    assert own.list("merchants/M1/coupons/?status=void") == []


def test_an_explanation_of_a_refusal(platform: Program) -> None:
    publish(offer("o", conditions="[{fact: base_freight, at_least: 5000.00}]"))
    freight("A", paid_at="02")
    tick("03")
    [told] = program("read", of="M1").list("subjects/freight_order/A/")
    assert (told["outcome"], told["conditions"][0]["shortfall_text"]) == ("refused", "4,000.00 CNY short")
    assert platform.get("subjects/nothing/A/").status == 404


@pytest.mark.parametrize(
    "path",
    ["merchants/M2/benefits/", "merchants/M2/grants/", "merchants/M2/coupons/", "subjects/freight_order/THEIRS/"],
)
def test_other_merchants_are_not_found(platform: Program, path: str) -> None:
    publish(offer("o"))
    freight("THEIRS", of="M2", paid_at="02")
    tick("03")
    own = program("read", of="M1")
    missing = own.get(path.replace("M2", "NO").replace("THEIRS", "NO"))
    assert (own.get(path).status, own.get(path).body) == (404, missing.body)
    assert platform.get(path).status == 200


def test_an_unchanged_response_is_a_304(platform: Program) -> None:
    publish(offer("o"))
    first = platform.get("offers/o/quota/")
    assert platform.get("offers/o/quota/", **{"if-none-match": first.headers["ETag"]}).status == 304
    freight("A", paid_at="02")
    tick("03")
    assert platform.get("offers/o/quota/", **{"if-none-match": first.headers["ETag"]}).status == 200


# Keys


def test_without_a_valid_key_it_is_a_401(platform: Program) -> None:
    for secret in ("", "nonsense", "fg_000000000000_x", platform.headers["authorization"][7:-1]):
        answer = Program(secret).get("offers/")
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_revoked_or_expired_key_is_refused(platform: Program) -> None:
    now = timezone.now()
    key, secret = api_keys.issue("k", scopes=["read"], expires_at=now + timedelta(hours=1), at=now, by="test")
    assert api_keys.find(secret, at=now + timedelta(minutes=59)) == key
    assert api_keys.find(secret, at=now + timedelta(hours=1)) is None
    assert Program(secret).get("offers/").status == 200
    api_keys.revoke(key, at=now)
    assert Program(secret).get("offers/").status == 401


def test_a_replaced_key_remains_valid_for_a_while(platform: Program) -> None:
    now = timezone.now()
    key, old = api_keys.issue("k", scopes=["read"], merchant=Merchant.objects.get(pk="M1"), at=now, by="test")
    made, new = api_keys.rotate(key, at=now, overlap=timedelta(hours=1), by="test")
    assert (made.merchant_id, made.scopes) == ("M1", ["read"])
    later = now + timedelta(hours=1)
    assert api_keys.find(old, at=later - timedelta(seconds=1)) == key
    assert api_keys.find(old, at=later) is None
    assert api_keys.find(new, at=later) == made


def test_a_missing_scope_is_a_403(platform: Program) -> None:
    reader, claimer = program("read"), program("claim")
    assert claimer.get("offers/").status == 403
    answer = reader.post("claims/", {"subject": "merchant", "key": "M1"})
    assert (answer.status, answer.body["code"]) == (403, "scope_missing")


def test_no_secret_is_stored(platform: Program) -> None:
    secret = platform.headers["authorization"].split("_", 2)[2]
    assert not any(secret in str(row) for row in ApiKey.objects.values())
    assert ApiKey.objects.get().used_at is None
    platform.get("offers/")
    assert ApiKey.objects.get().used_at is not None


def test_the_command_issues_keys(platform: Program, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("issue_key", "shop", "--scopes", "read", "--merchant", "M1")
    assert Program(capsys.readouterr().out.strip()).get("merchants/M1/grants/").status == 200
    for arguments in (["--scopes", "facts", "--merchant", "M1"], ["--scopes", "read", "--merchant", "NO"]):
        with pytest.raises(CommandError):
            call_command("issue_key", "shop", *arguments)
    assert ApiKey.objects.count() == 2


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_queries_of_a_list_is_constant(platform: Program, count: int) -> None:
    publish(offer("o"))
    for n in range(count):
        freight(f"F{n}", paid_at="02")
    tick("03")
    platform.get("merchants/M1/grants/")
    with CaptureQueriesContext(connection) as queries:
        platform.get("merchants/M1/grants/")
    assert len(queries) == 3  # key, merchant, grants


def decided(platform: Program, query: str = "") -> list[tuple[str, str, str]]:
    found = platform.list(f"merchants/M1/decisions/{query}")
    return [(item["offer"], item["subject"], item["outcome"]) for item in found]


def test_decisions_with_their_explanations(platform: Program) -> None:
    publish(offer("o", quota="{limit: 1}", conditions="[{fact: base_freight, at_least: 500.00}]"))
    publish(offer("p", where="[{fact: line, is: other}]", benefit="{fee: freight, percent: 5}"))
    freight("A", paid_at="02 01:00")
    freight("B", paid_at="02 02:00", base_freight=480)
    freight("C", paid_at="02 03:00")
    freight("D", of="M2", paid_at="02 03:00")
    tick("03")
    everyone = [("o", "A", "granted"), ("o", "B", "refused"), ("o", "C", "quota_exhausted")]
    assert sorted(decided(platform)) == everyone
    assert decided(platform, "?outcome=refused") == [("o", "B", "refused")]
    assert decided(platform, "?offer=p") == []
    assert len(decided(platform, "?offer=o&size=2")) == 2
    [small] = platform.list("merchants/M1/decisions/?outcome=refused")
    assert [(item["held"], item["shortfall_text"]) for item in small["conditions"]] == [(False, "20.00 CNY short")]


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_queries_of_decisions_is_constant(platform: Program, count: int) -> None:
    publish(offer("o"))
    for n in range(count):
        freight(f"F{n}", paid_at="02")
    tick("03")
    platform.get("merchants/M1/decisions/")
    with CaptureQueriesContext(connection) as queries:
        platform.get("merchants/M1/decisions/")
    assert len(queries) == 6  # key, merchant, decisions, offers, the demonstration's clock, their explanation
