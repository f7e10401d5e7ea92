"""Page of allowances: collecting, what is left, and what other conditions would bring."""

import re

import pytest

from campaigns.models import Allowance
from merchants.models import Member
from services.models import ClaimRequest
from tests.support.allowances import allowance, publish, use
from tests.support.marketplace import account
from tests.support.members import client, clock, text
from tests.support.world import tick

pytestmark = pytest.mark.django_db
MONTHLY = {"in_": "{calendar: month, from_day: 5}", "collected": "yes"}


@pytest.fixture
def seller(owner: Member) -> Member:
    account()
    publish(
        allowance("mails", "mail")
        + allowance("quotes", "quote", **MONTHLY)
        + allowance("exports", "export", **{**MONTHLY, "conditions": "[{fact: merchant.country, is: US}]"})
    )
    clock("06 10:00")
    return owner


def test_allowances_are_collected_once_and_used(seller: Member) -> None:
    browser = client(seller)
    page = text(browser, "/allowances/")
    assert "quotes Not collected, 24 days left 5 units" in page
    assert "mails 5 left of 5" in page
    assert "exports, 5 units country is United States · found: China Not applicable" in page
    token = re.findall(r'name="token" value="(\w+)"', browser.get("/allowances/").content.decode())[0]
    for _n in range(2):
        answer = browser.post("/allowances/quotes/collect/", {"token": token}, follow=True)
        assert "Collected: quotes." in answer.content.decode()
    assert ClaimRequest.objects.count() == 1
    use("U1", "06 11:00", name="quote", quantity=2)
    tick("06 12:00")
    clock("06 12:00")
    page = text(browser, "/allowances/")
    assert "quotes 3 left of 5" in page
    assert Allowance.objects.get().used == 2
    clock("10-01 10:00")
    assert "quotes (2022-09) 2 of 5 used" in text(browser, "/allowances/")


def test_who_may_collect(seller: Member, stranger: Member) -> None:
    assert client(seller).post("/allowances/mails/collect/", {"token": "a"}).status_code == 404
    answer = client(seller).post("/allowances/exports/collect/", {"token": "a"}, follow=True)
    assert "Not collected: exports." in answer.content.decode()
    answer = client(stranger).post("/allowances/quotes/collect/", {"token": "a"}, follow=True)
    assert "No account of yours is recorded yet." in answer.content.decode()
    assert not Allowance.objects.exists()
