"""The page of an offer that is asked for: the countdown, the button, and the place or the refusal."""

import re
from datetime import timedelta

import pytest

from campaigns.models import Grant
from campaigns.monitoring import invariants
from dashboard import request_limits
from identity.rate_limits import RateLimit
from merchants.models import Member
from services.models import ClaimRequest
from tests.support.marketplace import account
from tests.support.members import client, clock, text, visible
from tests.support.scenarios import coupon_offer, request_offer
from tests.support.world import coupons, publish, tick

SESSION = (
    "[{fact: requested_at, within: {from: 2022-09-03 12:00:00, to: 2022-09-04 24:00}}, {fact: account.role, is: main}]"
)
PAGE = "/offers/c/request/"


@pytest.fixture(autouse=True)
def world(owner: Member) -> None:
    account()
    account("S1", role="sub")
    publish(
        request_offer(conditions=SESSION, quota="{limit: 1, per_merchant: 1}")
        + request_offer("later", conditions="[{fact: requested_at, from: 2022-09-04 12:00:00}]")
        + coupon_offer("other")
    )


def token(page: str) -> str:
    found = re.search(r'name="token" value="(\w+)"', page)
    assert found is not None
    return found[1]


def test_the_page_counts_down_to_the_session(owner: Member) -> None:
    clock("03 11:47:20")
    page = client(owner).get(PAGE).content.decode()
    assert 'data-seconds="760"' in page
    assert "<b>00</b>" in page
    assert "<b>12</b>" in page
    assert "<b>40</b>" in page
    assert re.search(r"<button[^>]* id=\"ask\"[^>]* disabled>", page)
    assert "later" in page
    assert "Opens today at 20:00" in text(client(owner), "/")


def test_a_request_before_the_session_is_not_made(owner: Member) -> None:
    clock("03 11:59:59")
    browser = client(owner)
    answer = browser.post(PAGE, {"token": token(browser.get(PAGE).content.decode())}, follow=True)
    assert "The session has not begun yet." in answer.content.decode()
    assert not ClaimRequest.objects.exists()


def test_a_double_click_claims_once_and_the_coupon_is_in_the_wallet(owner: Member) -> None:
    clock("03 12:00:00")
    browser = client(owner)
    assert "Ask for c while some are left 1 left of 1 · Ask by 5 Sep, 07:59" in text(browser, "/")
    sent = {"token": token(browser.get(PAGE).content.decode())}
    answers = [browser.post(PAGE, sent, follow=True).content.decode() for _ in range(2)]
    assert all("It is yours: c. You are number 1 of 1." in answer for answer in answers)
    assert (ClaimRequest.objects.count(), Grant.objects.count(), coupons()) == (1, 1, {"issued": 1})
    assert ClaimRequest.objects.get().account_id == "A1"
    assert "Ask for c while" not in text(browser, "/")
    assert "It is yours." in visible(browser, PAGE)
    assert "Coupon: service price 1.00 CNY" in visible(browser, "/wallet/")
    tick("03 13:00")
    assert not invariants.check()


def test_a_member_asks_a_bounded_number_of_times(owner: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_limits, "PER_MEMBER", RateLimit("claim-requests", 2, timedelta(minutes=1)))
    clock("03 12:00:00")
    browser = client(owner)
    answers = [browser.post(PAGE, {"token": f"t{n}"}, follow=True).content.decode() for n in range(3)]
    assert ["You have asked too often." in answer for answer in answers] == [False, False, True]
    assert ClaimRequest.objects.count() == 2


def test_the_second_is_told_that_the_quota_is_used_up(owner: Member, stranger: Member) -> None:
    account("A2", of="M2")
    clock("03 12:00:01")
    first, second = client(stranger), client(owner)
    sent = {"token": token(second.get(PAGE).content.decode())}
    first.post(PAGE, {"token": token(first.get(PAGE).content.decode())})
    answer = second.post(PAGE, sent, follow=True).content.decode()
    assert "uota used up" in answer
    assert "Sold out" in visible(second, PAGE)
    assert [grant.merchant_id for grant in Grant.objects.all()] == ["M2"]


def test_a_sub_account_is_told_why_it_cannot(owner: Member, mate: Member) -> None:
    clock("03 12:00:00")
    browser = client(mate)
    answer = browser.post(PAGE, {"token": token(browser.get(PAGE).content.decode())}, follow=True).content.decode()
    assert ClaimRequest.objects.get().account_id == "S1"
    assert "main account" in answer
    assert not Grant.objects.exists()


def test_other_offers_have_no_such_page(owner: Member) -> None:
    assert client(owner).get("/offers/other/request/").status_code == 404
    assert client(owner).post(PAGE, {"token": ""}).status_code == 302
    assert not ClaimRequest.objects.exists()
    assert "Ask for it" in text(client(owner), "/offers/c/")
