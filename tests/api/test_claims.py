"""Claims over REST: decided at once by the rules of the engine, each request done once."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.utils.translation import override

from api import idempotency
from api.models import IdempotencyRecord
from api.problems import ProblemError
from campaigns.models import Decision, Grant, Offer
from campaigns.offers import pausing
from imports.models import ImportBatch
from logistics.models import FreightOrder
from merchants.models import ApiKey
from tests.support.members import clock
from tests.support.programs import FACT, Program, claim_with_fact, program
from tests.support.scenarios import BUNDLE, coupon_offer
from tests.support.world import everything, freight, offer, publish, states, t, tick, trade

pytestmark = pytest.mark.django_db


def test_a_claim_records_its_facts_and_is_decided(platform: Program) -> None:
    publish(offer("o", quota="{limit: 1}"))
    answer = platform.post("claims/", claim_with_fact())
    assert (answer.status, answer.body["outcome"], answer.body["key"]) == (201, "granted", "A")
    [bodies] = answer.body["answers"]
    assert (bodies["offer"], bodies["amount"], bodies["currency"], bodies["place"]) == ("o", "100.00", "CNY", 1)
    assert bodies["claimed_at"] == "2022-09-02T04:00:00Z"
    assert states("o") == {"A": "settled"}
    decided = everything()
    tick("03")
    assert everything() == decided


def test_a_refused_claim_is_a_409_with_code_and_explanation(platform: Program) -> None:
    publish(offer("o", quota="{limit: 1}", conditions="[{fact: base_freight, at_least: 500.00}]"))
    assert platform.post("claims/", claim_with_fact()).status == 201
    full = platform.post("claims/", claim_with_fact(order_no="B"))
    assert (full.status, full.body["code"], full.headers["Content-Type"]) == (
        409,
        "quota_exhausted",
        "application/problem+json",
    )
    small = platform.post("claims/", claim_with_fact(order_no="C", base_freight="480.00"))
    assert (small.status, small.body["code"]) == (409, "refused")
    [reason] = [condition for condition in small.body["answers"][0]["conditions"] if not condition["held"]]
    assert (reason["actual_text"], reason["shortfall_text"]) == ("480.00 CNY", "20.00 CNY short")
    assert Decision.objects.count() == 3
    assert Grant.objects.count() == 1


def test_a_corrected_fact_is_told_from_what_was_decided(platform: Program) -> None:
    publish(offer("o", conditions="[{fact: base_freight, at_least: 500.00}]"))
    freight("F", paid_at="02", base_freight=1000)
    freight("G", paid_at="02", base_freight=100)
    for key in "FG":
        platform.post("claims/", {"subject": "freight_order", "key": key})
    for key, fee in (("F", "100.00"), ("G", "1000.00")):
        answer = platform.ask("patch", "facts/freight_orders/", {"facts": [{"order_no": key, "base_freight": fee}]})
        assert answer.status == 200, answer.body
    tick("03")
    given, refused = (platform.get(f"claims/freight_order/{key}/").body["answers"][0] for key in "FG")
    found = [(each["held"], each["holds_now"], each["actual"]) for each in given["conditions"][:1]]
    assert found == [(True, False, "100.00")]
    assert (given["status"], given["amount"]) == ("settled", "100.00")
    assert given["review"] == "a condition no longer holds"
    found = [(each["held"], each["holds_now"], each["actual"]) for each in refused["conditions"][:1]]
    assert found == [(False, True, "1000.00")]
    assert (refused["outcome"], refused["review"]) == ("refused", "")
    [grant] = platform.get("merchants/M1/grants/").body["results"]
    assert (grant["subject"], grant["subject_type"], grant["review"]) == ("F", "freight_order", given["review"])


def test_a_subject_that_has_not_claimed_yet_is_a_200(platform: Program) -> None:
    publish(offer("o"))
    answer = platform.post("claims/", claim_with_fact(paid_at=None))
    assert (answer.status, answer.body["state"], answer.body["outcome"]) == (200, "not_claimed", "not_claimed")
    assert (answer.body["decides_at"], answer.body["answers"][0]["outcome"]) == (None, "no_claim")
    assert not Decision.objects.exists()


def test_a_claim_before_the_opening_is_a_409_and_no_decision(platform: Program) -> None:
    window = "{from: 2022-09-02 05:00:00, to: 2022-09-20 23:59:59}"
    publish(offer("o", conditions=f"[{{fact: paid_at, within: {window}}}]"))
    answer = platform.post("claims/", claim_with_fact())
    assert (answer.status, answer.body["code"]) == (409, "before_opening")
    assert [condition["held"] for condition in answer.body["answers"][0]["conditions"]] == [False]
    assert not Decision.objects.exists()
    corrected = platform.post("claims/", claim_with_fact(paid_at="2022-09-02T05:00:00Z"))
    assert (corrected.status, corrected.body["outcome"]) == (201, "granted")


def test_a_subject_that_no_offer_is_about_is_a_200(platform: Program) -> None:
    assert platform.post("claims/", claim_with_fact()).body["state"] == "not_applicable"
    publish(offer("o", where="[{fact: line, is: other}]"))
    for once in ("first", "second"):
        answer = platform.post("claims/", {"subject": "freight_order", "key": "A"}, once=once)
        assert (answer.status, answer.body["state"], answer.body["outcome"]) == (200, *["not_applicable"] * 2)
        assert [each["outcome"] for each in answer.body["answers"]] == ["not_a_subject"]
    assert platform.post("quotes/", {"subject": "freight_order", "key": "A"}).body == answer.body
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("parts", "decides_at"),
    [
        ({"decided_at": "2022-09-03 00:00:01"}, "2022-09-03T00:00:01Z"),
        ({"settling_hours": "21"}, "2022-09-03T01:00:00Z"),
        ({"decided_at": "2022-09-02 10:00:00", "settling_hours": "15"}, "2022-09-03T01:00:00Z"),
    ],
)
def test_a_claim_that_is_decided_later_is_a_202_that_says_when(
    platform: Program, parts: dict[str, str], decides_at: str
) -> None:
    publish(offer("o", **parts))
    answer = platform.post("claims/", claim_with_fact())
    assert (answer.status, answer.body["state"], answer.body["decides_at"]) == (202, "waiting", decides_at)
    assert answer.body["answers"][0]["decides_at"] == decides_at
    due = datetime.fromisoformat(decides_at)
    clock(f"{due - timedelta(seconds=1):%d %H:%M:%S}")
    assert platform.post("claims/", {"subject": "freight_order", "key": "A"}).status == 202
    assert not Decision.objects.exists()
    clock(f"{due:%d %H:%M:%S}")
    decided = platform.post("claims/", {"subject": "freight_order", "key": "A"})
    assert (decided.status, decided.body["state"], decided.body["decides_at"]) == (201, "settled", None)


def test_competing_offers_wait_for_the_longest_delay_among_them(platform: Program) -> None:
    publish(offer("o", settling_hours="21") + offer("p", benefit="{fee: freight, percent: 5}"))
    answer = platform.post("claims/", claim_with_fact())
    assert (answer.status, answer.body["decides_at"]) == (202, "2022-09-03T01:00:00Z")
    assert [each["decides_at"] for each in answer.body["answers"]] == ["2022-09-03T01:00:00Z"] * 2


def test_a_claim_on_a_paused_offer_is_a_200_without_an_instant(platform: Program) -> None:
    publish(offer("o"))
    row = Offer.objects.get()
    pausing.pause(row, at=t("01"), by="ana", reason="a fault")
    answer = platform.post("claims/", claim_with_fact())
    assert (answer.status, answer.body["state"], answer.body["decides_at"]) == (200, "paused", None)
    pausing.resume(row, at=t("02"), by="ana", reason="repaired")
    assert platform.post("claims/", {"subject": "freight_order", "key": "A"}).status == 201


def test_the_state_is_the_present_one_beside_the_decision(platform: Program) -> None:
    publish(offer("o", settlement="{locked_at: paid_at, at: shipped_at, released_by: cancelled_at}"))
    key = {"subject": "freight_order", "key": "A"}
    placed = platform.post("claims/", claim_with_fact())
    assert (placed.status, placed.body["state"], placed.body["outcome"]) == (201, "locked", "granted")
    cancelled = platform.post("claims/freight_order/A/cancel/", {"at": "2022-09-02T20:00:00Z"})
    assert (cancelled.status, cancelled.body["state"], cancelled.body["outcome"]) == (200, "released", "granted")
    again = platform.post("claims/", key)
    assert (again.status, again.body["status"], again.body["code"]) == (409, 409, "ended")
    assert (again.body["state"], again.body["outcome"]) == ("released", "granted")
    assert platform.post("claims/", key).status == 409
    assert platform.post("quotes/", key).body["state"] == "released"
    assert (Grant.objects.count(), Decision.objects.count()) == (1, 1)


def test_a_claim_that_may_still_be_granted_waits_though_another_offer_refused_it(platform: Program) -> None:
    publish(
        offer("later", decided_at="2022-09-10 00:00:00")
        + offer("small", conditions="[{fact: base_freight, at_least: 5000.00}]", benefit=BUNDLE, settlement="")
    )
    answer = platform.post("claims/", claim_with_fact())
    assert (answer.status, answer.body["state"]) == (202, "waiting")
    assert sorted(each["outcome"] for each in answer.body["answers"]) == ["pending", "refused"]
    clock("10")
    assert platform.post("claims/", {"subject": "freight_order", "key": "A"}).body["state"] == "settled"


def test_a_claim_for_a_recorded_subject(platform: Program) -> None:
    publish(offer("o"))
    freight("A", paid_at="02")
    assert platform.post("claims/", {"subject": "freight_order", "key": "A"}).status == 201


def test_a_quote_equals_the_claim_and_stores_nothing(platform: Program) -> None:
    publish(offer("o", quota="{limit: 1}"))
    before = everything(), ImportBatch.objects.count(), FreightOrder.objects.count()
    quote = platform.post("quotes/", claim_with_fact(), once=None)
    assert (quote.status, quote.body["outcome"]) == (200, "granted")
    assert (everything(), ImportBatch.objects.count(), FreightOrder.objects.count()) == before
    claim = platform.post("claims/", claim_with_fact())
    assert claim.body == quote.body


def test_a_repeated_request_gets_the_same_response(platform: Program) -> None:
    publish(offer("o", quota="{limit: 1}"))
    first = platform.post("claims/", claim_with_fact(), once="k1")
    again = platform.post("claims/", claim_with_fact(), once="k1")
    assert (again.status, again.body, again.headers["Idempotent-Replayed"]) == (first.status, first.body, "true")
    refused = platform.post("claims/", claim_with_fact(order_no="B"), once="k2")
    assert platform.post("claims/", claim_with_fact(order_no="B"), once="k2").body == refused.body
    assert Decision.objects.count() == IdempotencyRecord.objects.count() == 2


@pytest.mark.parametrize(
    ("once", "status", "code"),
    [
        (None, 400, "idempotency_key_missing"),
        ("", 400, "idempotency_key_missing"),
        ("x" * 256, 400, "idempotency_key_missing"),
        ("x" * 255, 201, None),
    ],
)
def test_the_idempotency_key_is_validated(platform: Program, once: str | None, status: int, code: str | None) -> None:
    publish(offer("o"))
    answer = platform.post("claims/", claim_with_fact(), once=once)
    assert (answer.status, answer.body.get("code")) == (status, code)
    assert FreightOrder.objects.count() == (status == 201)


def test_a_reused_key_with_another_body_is_refused(platform: Program) -> None:
    publish(offer("o"))
    platform.post("claims/", claim_with_fact(), once="k")
    answer = platform.post("claims/", claim_with_fact(order_no="B"), once="k")
    assert (answer.status, answer.body["code"]) == (422, "idempotency_key_reused")
    assert not FreightOrder.objects.filter(pk="B").exists()


def test_idempotency_keys_belong_to_an_api_key(platform: Program) -> None:
    publish(offer("o"))
    platform.post("claims/", claim_with_fact(), once="k")
    other = program("claim", "facts").post("claims/", claim_with_fact(order_no="B"), once="k")
    assert other.status == 201


def test_a_key_can_be_used_again_after_a_day(platform: Program) -> None:
    publish(offer("o"))
    platform.post("claims/", claim_with_fact(), once="k")
    call = IdempotencyRecord.objects.get()
    IdempotencyRecord.objects.update(at=call.at - IdempotencyRecord.RETENTION)
    answer = platform.post("claims/", claim_with_fact(order_no="B"), once="k")
    assert (answer.status, answer.body["key"]) == (201, "B")


def test_a_failed_request_leaves_its_key_free(platform: Program) -> None:
    publish(offer("o"))
    wrong = platform.post("claims/", claim_with_fact(base_freight="-1"), once="k")
    assert (wrong.status, wrong.body["errors"][0]["pointer"]) == (400, "/fact/base_freight")
    assert not IdempotencyRecord.objects.exists()
    assert platform.post("claims/", claim_with_fact(), once="k").status == 201


def test_a_merchants_key_claims_only_for_its_own_subjects(platform: Program) -> None:
    publish(offer("o"))
    freight("MINE", paid_at="02")
    freight("THEIRS", of="M2", paid_at="02")
    own = program("claim", "read", of="M1")
    missing = own.post("claims/", {"subject": "freight_order", "key": "NO"})
    theirs = own.post("claims/", {"subject": "freight_order", "key": "THEIRS"})
    assert (theirs.status, theirs.body) == (missing.status, missing.body) == (404, missing.body)
    assert not Decision.objects.exists()
    assert own.post("claims/", {"subject": "freight_order", "key": "MINE"}).status == 201


def test_a_merchants_key_cannot_record_facts(platform: Program) -> None:
    publish(offer("o"))
    own = program("claim", "read", of="M1")
    answer = own.post("claims/", claim_with_fact())
    assert (answer.status, answer.body["code"]) == (403, "scope_missing")
    assert not FreightOrder.objects.exists()
    assert own.post("facts/freight_orders/", {"facts": [FACT]}).status == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"subject": "freight_order"},
        {"subject": "freight_order", "key": "A", "fact": FACT},
        {"subject": "nothing", "key": "A"},
        {"subject": "freight_order", "key": ["A"]},
        {"subject": "freight_order", "fact": "A"},
        {"subject": "freight_order", "fact": {**FACT, "order_no": {"a": 1}}},
        {"subject": "freight_order", "fact": {**FACT, "status": "settled"}},
        {"subject": "freight_order", "fact": {**FACT, "merchant_code": "NOBODY"}},
        [],
        "text",
        None,
    ],
)
def test_an_invalid_claim_is_a_400_and_stores_nothing(platform: Program, body: Any) -> None:
    publish(offer("o"))
    answer = platform.post("claims/", body)
    assert (answer.status, answer.body["code"]) == (400, "invalid")
    assert answer.body["errors"]
    assert not FreightOrder.objects.exists()


def test_claims_for_subjects_of_every_type(platform: Program) -> None:
    publish(
        coupon_offer()
        + offer(
            "half",
            subject="trade_order",
            claim="{at: completed_at}",
            benefit="{fee: service_fee, percent: 50}",
            settlement="",
        )
    )
    trade("T", completed_at="02")
    assert platform.post("claims/", {"subject": "trade_order", "key": "T"}).status == 201
    freight("S", shipped_at="02")
    assert platform.post("claims/", {"subject": "merchant", "key": "M1"}).body["outcome"] == "granted"


def test_a_database_error_is_a_503_and_the_key_stays_free(platform: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise OperationalError("read-only")

    publish(offer("o"))
    with monkeypatch.context() as patched:
        patched.setattr("campaigns.engine.instant_claims.claim", refuse)
        answer = platform.post("claims/", claim_with_fact(), once="k")
    assert (answer.status, answer.body["code"], answer.headers["Retry-After"]) == (503, "unavailable", "2")
    assert not FreightOrder.objects.exists()
    assert platform.post("claims/", claim_with_fact(), once="k").status == 201


def test_an_unexpected_error_is_a_500_without_details(
    platform: Program, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr("campaigns.engine.instant_claims.claim", fail)
    publish(offer("o"))
    answer = platform.post("claims/", claim_with_fact())
    assert (answer.status, answer.body["code"]) == (500, "internal")
    assert "secret" not in str(answer.body)
    assert "secret of the house" in caplog.text
    assert not FreightOrder.objects.exists()


def test_a_reused_key_is_refused_in_the_language_of_the_request(platform: Program) -> None:
    """A batch is looked up in the language of its leader; each error is written in the language of its request."""
    publish(offer("o"))
    platform.post("claims/", claim_with_fact(), once="k")
    other = idempotency.IdempotentRequest(ApiKey.objects.get().pk, "k", "the digest of another call")
    with override("zh-hans"), transaction.atomic():
        _free, before = idempotency.lock([other])
    refused = before[other]
    assert isinstance(refused, ProblemError)
    bodies = {}
    for language in ("en", "zh-hans"):
        with override(language):
            bodies[language] = refused.body()["detail"]
    assert bodies == {
        "en": "This idempotency key was already used for a different request.",
        "zh-hans": "该幂等键已用于另一个请求。",
    }
