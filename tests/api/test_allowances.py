"""Uses of allowances, allowances and entitlements over REST."""

import pytest
from pytest_django import Settings
from rest_framework.exceptions import ValidationError

from api import own_numbers, use_batch
from api.idempotency import IdempotentRequest
from api.use_batch import PendingUse
from campaigns.allowances.instant_uses import NewUse
from campaigns.models import Allowance
from core.batching import Batch
from merchants.models import ApiKey
from services.models import Usage
from tests.support.allowances import allowance, publish
from tests.support.marketplace import account, buyer, level, request
from tests.support.members import clock
from tests.support.programs import Program, program
from tests.support.world import merchant, tick

pytestmark = pytest.mark.django_db
BODY = {"usage_no": "U1", "account_code": "A1", "use": "mail", "quantity": 3}


@pytest.fixture
def seller(settings: Settings) -> Program:
    settings.DEMO, settings.API_RATE = True, 10**6
    merchant()
    merchant("M2", member=False)
    account()
    clock("06 10:00")
    return program("claim", "read", of="M1")


def test_a_use_is_accepted_or_refused_at_once(seller: Program) -> None:
    publish(allowance("mails", "mail"))
    accepted = seller.post("usages/", BODY)
    assert (accepted.status, accepted.body["result"], accepted.body["left"]) == (201, "accepted", 2)
    assert accepted.body["until"] == "2022-09-07T00:00:00Z"
    refused = seller.post("usages/", {**BODY, "usage_no": "U2"})
    assert (refused.status, refused.body["code"], refused.body["taken"]) == (409, "nothing_left", 0)
    other = seller.post("usages/", {**BODY, "usage_no": "U3", "use": "fax"})
    assert (other.status, other.body["code"]) == (409, "no_allowance")
    assert seller.get("usages/U1/").body["used"] == 3
    before = [Allowance.objects.get().used, Usage.objects.count()]
    tick("06 11:00")
    assert [Allowance.objects.get().used, Usage.objects.count()] == before == [3, 3]


def test_a_repeated_use_is_not_used_twice(seller: Program) -> None:
    publish(allowance("mails", "mail"))
    first = seller.post("usages/", BODY, once="key")
    again = seller.post("usages/", BODY, once="key")
    by_number = seller.post("usages/", BODY)
    assert first.body == again.body == by_number.body
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Allowance.objects.get().used == 3
    assert seller.post("usages/", {**BODY, "quantity": 1}).status == 400


def test_each_merchant_has_numbers_of_its_own(seller: Program) -> None:
    """A merchant's key neither takes a number of others nor learns of it: files name rows by it for all merchants."""
    publish(allowance("mails", "mail"))
    platform, other = program("claim", "read"), program("claim", "read", of="M2")
    assert platform.post("usages/", {**BODY, "merchant_code": "M1", "quantity": 1}).body["usage_no"] == "U1"
    first = other.post("usages/", {"usage_no": "U1", "use": "mail"})
    unknown = other.post("usages/", {"usage_no": "U2", "use": "mail"})
    assert (first.status, first.body["code"], first.body["usage_no"]) == (409, "no_allowance", "U1")
    assert {**unknown.body, "usage_no": "U1", "used_at": 0} == {**first.body, "used_at": 0}
    assert other.get("usages/U1/").body["result"] == "no_allowance"
    assert seller.get("usages/U1/").body["result"] == "accepted"  # that of the platform
    assert seller.post("usages/", {**BODY, "quantity": 2}).body["used"] == 3
    assert seller.get("usages/U1/").body["taken"] == 2
    assert sorted(Usage.objects.values_list("pk", flat=True)) == ["M1:U1", "M2:U1", "M2:U2", "U1"]
    assert [seller.get(f"usages/{number}/").status for number in ("M1:U1", "M2:U1", "U2")] == [200, 404, 404]
    assert platform.get("usages/M1:U1/").body["usage_no"] == "M1:U1"


def test_no_code_and_number_make_that_of_another_merchant() -> None:
    numbers = [("A", "B:1"), ("A:B", "1"), ("A%3AB", "1"), ("A", "%3AB:1"), (None, "A:B:1")]
    stored = [own_numbers.stored_number(*each, field="n", longest=64) for each in numbers]
    assert stored == ["A:B:1", "A%3AB:1", "A%253AB:1", "A:%3AB:1", "A:B:1"]  # the platform's may name any
    assert [own_numbers.shown_number(own, full) for (own, _), full in zip(numbers, stored, strict=True)] == [
        number for _own, number in numbers
    ]


def test_a_use_that_is_sent_twice_at_once_counts_once(seller: Program) -> None:
    publish(allowance("mails", "mail"))
    key = ApiKey.objects.latest("pk").pk
    sent = [
        PendingUse(
            group="mail",
            own="M1",
            new=NewUse("M1:U1", "M1", None, "mail", quantity),
            identity=IdempotentRequest(key, f"call {n}", ""),
            language="en",
        )
        for n, quantity in enumerate((2, 2, 1))
    ]
    use_batch._process(Batch(sent[0], lambda batch: batch.items.extend(sent[1:])))
    assert [item.response.data["taken"] if item.response else type(item.error) for item in sent] == [
        2,
        2,
        ValidationError,
    ]
    assert Allowance.objects.get().used == 2


def test_faulty_uses_are_not_recorded(seller: Program) -> None:
    publish(allowance("mails", "mail") + allowance("buyers", "contact", cost_per="buyer"))
    account("B1", of="M2")
    faults = {
        "account_code": {**BODY, "account_code": "B1"},
        "buyer_code": {**BODY, "buyer_code": "nobody"},
        "quantity": {**BODY, "quantity": 0},
        "usage_no": {**BODY, "usage_no": "U" * 62},  # behind the merchant's code it has 65 characters
        "use": {**BODY, "use": "mail\nfax"},
    }
    for name, body in faults.items():
        answer = seller.post("usages/", body)
        assert (answer.status, [error["pointer"] for error in answer.body["errors"]]) == (400, [f"/{name}"])
    contact = {"usage_no": "U1", "use": "contact"}
    assert seller.post("usages/", contact).body["errors"][0]["pointer"] == "/buyer_code"
    assert seller.post("usages/", {**BODY, "merchant_code": "M2"}).status == 404
    for number in ("a\u200bb", "1.23457E+17", "N/A"):  # no file could name them
        assert seller.post("usages/", {**BODY, "usage_no": number}).body["errors"][0]["pointer"] == "/usage_no"
    assert program("read", of="M1").post("usages/", BODY).status == 403
    assert not Usage.objects.exists()


def test_what_is_left_and_until_when(seller: Program) -> None:
    monthly = {"in_": "{calendar: month, from_day: 5}", "collected": "yes"}
    abroad = {**monthly, "conditions": "[{fact: merchant.country, is: US}]"}
    publish(
        allowance("mails", "mail")
        + allowance("quotes", "quote", **monthly)
        + allowance("pass", "pass", **monthly)
        + allowance("exports", "export", **abroad)
    )
    request("R1", "quotes", "05 10:00")
    tick("06")
    seller.post("usages/", BODY)
    found = {one["code"]: one for one in seller.list("allowances/")}
    states = {code: (one["state"], one["units"], one["left"], one["until"]) for code, one in found.items()}
    assert states == {
        "mails": ("had", 5, 2, "2022-09-07T00:00:00Z"),
        "quotes": ("had", 5, 5, "2022-10-01T00:00:00Z"),
        "pass": ("collectable", 5, 0, "2022-10-01T00:00:00Z"),
        "exports": ("not_eligible", 5, 0, "2022-10-01T00:00:00Z"),
    }
    [failed] = found["exports"]["conditions"]
    assert (failed["required"], failed["actual"], failed["held"]) == ("US", "CN", False)
    platform = program("read")
    assert platform.get("allowances/").status == 404
    assert [one["state"] for one in platform.list("allowances/?merchant=M2")].count("not_eligible") == 4


def test_entitlements_of_buyers_and_merchants(seller: Program) -> None:
    buyer("B1", closed_at="20 00:00")
    level("B1", 2, "01 00:00")
    rate = "{cases: [{when: [{fact: level, at_least: 3}], is: 5}, {when: [{fact: level, at_least: 2}], is: 7.5}]}"
    open_ = "[{fact: registered_at, happened: yes}, {fact: closed_at, happened: no}]"
    publish(
        entitlements="\n".join(
            f"  - {{code: {code}, names: {{en: {code}, zh: 权益}}, holder: {holder}, conditions: {conditions}{value}}}"
            for code, holder, conditions, value in (
                ("bnpl", "buyer", open_.replace("]", ", {fact: level, at_least: 2}]"), ""),
                ("credit", "buyer", open_.replace("]", ", {fact: level, at_least: 3}]"), ""),
                ("loan_rate", "buyer", open_, f", value: {rate}"),
                ("mainland", "merchant", "[{fact: merchant.country, is: CN}]", ""),
            )
        )
    )
    platform = program("read")
    path = "buyers/B1/entitlements/"
    assert {one["code"]: one["value"] for one in platform.list(path)} == {"bnpl": "yes", "loan_rate": "7.50"}
    tag = platform.get(path).headers["ETag"]
    assert platform.get(path, **{"if-none-match": tag}).status == 304
    level("B1", 3, "06 10:00")
    assert platform.get(path, **{"if-none-match": tag}).status == 200
    assert {one["code"]: one["value"] for one in platform.list(path)} == {
        "bnpl": "yes",
        "credit": "yes",
        "loan_rate": "5.00",
    }
    assert seller.get(path).status == 404
    assert platform.get("buyers/B9/entitlements/").status == 404
    assert [one["code"] for one in seller.list("merchants/M1/entitlements/")] == ["mainland"]


def test_an_allowance_is_collected_once_in_a_period(seller: Program) -> None:
    monthly = {"in_": "{calendar: month, from_day: 5}", "collected": "yes"}
    abroad = {**monthly, "conditions": "[{fact: merchant.country, is: US}]"}
    publish(
        allowance("quotes", "quote", **monthly) + allowance("exports", "export", **abroad) + allowance("mails", "mail")
    )
    body = {"offer": "quotes", "account_code": "A1"}
    first = seller.post("allowances/", body, once="key")
    assert (first.status, first.body["state"], first.body["left"]) == (201, "had", 5)
    assert seller.post("allowances/", body, once="key").body == first.body
    again = seller.post("allowances/", body)
    assert (again.status, again.body["code"], again.body["allowance"]["state"]) == (409, "not_collected", "had")
    refused = seller.post("allowances/", {**body, "offer": "exports"})
    assert (refused.status, refused.body["allowance"]["state"]) == (409, "not_eligible")
    assert refused.body["allowance"]["conditions"][0]["actual"] == "CN"
    tick("06 11:00")
    assert [(row.document.code, row.units, row.used) for row in Allowance.objects.all()] == [("quotes", 5, 0)]


def test_faulty_requests_collect_nothing(seller: Program) -> None:
    publish(allowance("mails", "mail") + allowance("quotes", "quote", collected="yes"))
    account("B1", of="M2")
    for body, pointer in (
        ({"offer": "mails", "account_code": "A1"}, "/offer"),
        ({"offer": "nothing", "account_code": "A1"}, "/offer"),
        ({"offer": "quotes", "account_code": "B1"}, "/account_code"),
    ):
        answer = seller.post("allowances/", body)
        assert (answer.status, [error["pointer"] for error in answer.body["errors"]]) == (400, [pointer])
    assert program("read", of="M1").post("allowances/", {"offer": "quotes", "account_code": "A1"}).status == 403
    assert not Allowance.objects.exists()
