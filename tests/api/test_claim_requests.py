"""Requests for offers over REST: stamped by the server, decided at once, made once for each Idempotency-Key."""

import pytest

from campaigns.models import Decision
from campaigns.monitoring import invariants
from campaigns.offers import published_offers
from merchants.models import ApiKey
from services.models import ClaimRequest
from tests.support.marketplace import account
from tests.support.programs import Program, program
from tests.support.scenarios import request_offer
from tests.support.world import coupons, everything, grants, offer, publish, states, tick

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def world(platform: Program) -> None:
    account()
    account("A2", of="M2")
    publish(request_offer(quota="{limit: 2, per_merchant: 1}") + offer("o"))


def test_a_request_is_stamped_and_decided(platform: Program) -> None:
    answer = platform.post("claim-requests/", {"offer": "c", "account_code": "A1"})
    assert (answer.status, answer.body["outcome"], answer.body["subject"]) == (201, "granted", "claim_request")
    row = ClaimRequest.objects.get()
    assert (row.pk, row.offer, row.merchant_id, row.account_id) == (answer.body["key"], "c", "M1", "A1")
    assert Decision.objects.get().claimed_at == row.requested_at
    assert platform.get(f"claims/claim_request/{row.pk}/").body["outcome"] == "granted"
    decided = grants()
    tick(row.requested_at)
    assert (grants(), coupons()) == (decided, {"issued": 1})


def test_requests_at_one_instant_are_stamped_in_their_order(platform: Program) -> None:
    first = platform.post("claim-requests/", {"offer": "c", "account_code": "A1"})
    again = platform.post("claim-requests/", {"offer": "c", "account_code": "A1"})
    other = platform.post("claim-requests/", {"offer": "c", "account_code": "A2"})
    assert [each.status for each in (first, again, other)] == [201, 409, 201]
    assert again.body["code"] == "merchant_cap"
    stamps = dict(ClaimRequest.objects.values_list("pk", "requested_at"))
    assert stamps[first.body["key"]] < stamps[again.body["key"]] < stamps[other.body["key"]]
    assert not invariants.check()


def test_a_repeated_request_is_made_once(platform: Program) -> None:
    first = platform.post("claim-requests/", {"offer": "c", "account_code": "A1"}, once="k")
    before = everything()
    assert platform.post("claim-requests/", {"offer": "c", "account_code": "A1"}, once="k").body == first.body
    assert platform.post("claim-requests/", {"offer": "c", "account_code": "A2"}, once="k").status == 422
    assert (everything(), ClaimRequest.objects.count()) == (before, 1)


def test_a_request_for_an_offer_about_something_else_does_nothing(platform: Program) -> None:
    answer = platform.post("claim-requests/", {"offer": "o", "account_code": "A1"})
    assert (answer.status, answer.body["outcome"]) == (200, "not_applicable")
    assert states("o") == {}


@pytest.mark.parametrize(
    ("where", "codes"),
    [
        ("[{fact: offer, is: a}]", "a"),
        ("[{fact: offer, in: [a, b]}]", "ab"),
        ("[{fact: offer, is_not: a}]", "bc"),
        ("[{fact: offer, in: [a, b]}, {fact: offer, is_not: a}]", "b"),
        ("[{fact: account.role, is: main}]", "abc"),
        ("all", "abc"),
    ],
)
def test_offers_about_other_codes_are_left_out(where: str, codes: str) -> None:
    publish(request_offer("d", where=where))
    terms = published_offers.find("d").terms
    assert [code for code in "abc" if terms.may_be_requested_as(code)] == list(codes)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"offer": "nothing", "account_code": "A1"}, "/offer"),
        ({"offer": "c", "account_code": "A9"}, "/account_code"),
        ({"offer": "c"}, "/account_code"),
    ],
)
def test_what_is_unknown_is_named(platform: Program, body: dict[str, str], pointer: str) -> None:
    answer = platform.post("claim-requests/", body)
    assert answer.status == 400
    assert [error["pointer"] for error in answer.body["errors"]] == [pointer]
    assert not ClaimRequest.objects.exists()


def test_a_merchant_asks_for_its_own_accounts_alone(platform: Program) -> None:
    own = program(ApiKey.Scope.CLAIM, of="M2")
    assert own.post("claim-requests/", {"offer": "c", "account_code": "A1"}).status == 400
    assert own.post("claim-requests/", {"offer": "c", "account_code": "A2"}).status == 201
