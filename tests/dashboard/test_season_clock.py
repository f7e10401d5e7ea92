"""The season of September 2022 as one merchant reads it on four days: each card says the truth, by the engine."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from campaigns.offers import published_offers
from dashboard.due_dates import upcoming
from logistics.models import FreightOrder
from merchants.models import Member, ServicePackage
from tests.support import season
from tests.support.members import client, clock, member, visible
from tests.support.world import freight, merchant, states, t, tell, tick
from trade.models import FinancingDraw

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once(reason="what a page shows; the tests of the browser open pages on PostgreSQL"),
]
SEA: dict[str, Any] = {"service": "sea_fcl", "line": "dw-us-west-port-to-door", "promo_flag": True, "currency": "USD"}


@pytest.fixture
def owner(settings: Settings) -> Member:
    """Merchant with five express shipments, two containers of which one has departed, and one charter discount."""
    settings.DEMO = True
    season.publish()
    merchant("M1", name="远帆贸易", category_l1="Home & Garden")
    tell(ServicePackage, merchant_id="M1", package="easy_return", starts_at="2022-01-01")
    for n in range(5):
        freight(f"F{n}", line="3c-select", placed_at="05", paid_at="05 02:00", shipped_at=f"1{n}")
    freight("CHARTER", placed_at="06", paid_at="06 02:00")
    freight("GONE", **SEA, placed_at="07", paid_at="08", departed_at="20")
    freight("PORT", **SEA, placed_at="07", paid_at="08")
    return member("owner@example.com")


EXPECTED = {
    "10-01 04:00": (
        "On its way 100.00 USD + 8 coupons",
        [
            "1 order: depart in time to keep 100.00 USD · Depart by 1 Nov, 14:59 · 31 days left",
            "8 coupons arrive on 15 Oct · 15 Oct, 15:00 · You are number 1 in line: the first 3,000 get it.",
        ],
        {
            "service-fee-half": "available: receive payments 10-01 14:59 today, clear customs or ship 01-01 15:59",
            "oa-fee-waiver": "available: place the order and have the buyer confirm 10-01 14:59 today, pay 11-01 14:59",
            "easy-return-premium-half": "available: place the order and pay 10-01 14:59 today, ship 12-31 23:59",
            "lc-financing-first-draw": "available: draw 10-01 14:59 today",
            "express-coupons": "qualified: ship 10-01 14:59 today",
            "multimodal-reduction": "available: pay 10-15 23:59 14 days left",
            "charter-5-off": "available: pay 10-15 23:59 14 days left",
            "parcel-11-off": "excluded: pay 10-15 23:59 14 days left",
            "us-west-port-to-door": "full: place the order 10-01 14:59 today, depart 11-01 14:59",
        },
    ),
    "10-15 04:00": (
        "On its way 100.00 USD + 8 coupons",
        [
            "1 order: depart in time to keep 100.00 USD · Depart by 1 Nov, 14:59 · 17 days left",
            "8 coupons arrive on 15 Oct · 15 Oct, 15:00 · You are number 1 in line: the first 3,000 get it.",
        ],
        {
            "service-fee-half": "ended",
            "oa-fee-waiver": "placed: pay 11-01 14:59 17 days left",
            "easy-return-premium-half": "placed: ship 12-31 23:59 77 days left",
            "lc-financing-first-draw": "ended",
            "express-coupons": "qualified",
            "multimodal-reduction": "available: pay 10-15 23:59 today",
            "charter-5-off": "available: pay 10-15 23:59 today",
            "parcel-11-off": "excluded: pay 10-15 23:59 today",
            "us-west-port-to-door": "ended",
        },
    ),
    "10-26 04:00": (
        "On its way 100.00 USD Savings",
        [
            "1 order: depart in time to keep 100.00 USD · Depart by 1 Nov, 14:59 · 6 days left",
            "Use 8 coupons worth 200.00 CNY · Use by 1 Dec, 15:59 · 36 days left",
        ],
        {
            "service-fee-half": "ended",
            "oa-fee-waiver": "placed: pay 11-01 14:59 6 days left",
            "easy-return-premium-half": "placed: ship 12-31 23:59 66 days left",
            "lc-financing-first-draw": "ended",
            "express-coupons": "ended",
            "multimodal-reduction": "ended",
            "charter-5-off": "ended",
            "parcel-11-off": "ended",
            "us-west-port-to-door": "ended",
        },
    ),
    "12-02 04:00": (
        "On its way – Savings",
        [],
        {
            "service-fee-half": "ended",
            "oa-fee-waiver": "ended",
            "easy-return-premium-half": "placed: ship 12-31 23:59 29 days left",
            "lc-financing-first-draw": "ended",
            "express-coupons": "ended",
            "multimodal-reduction": "ended",
            "charter-5-off": "ended",
            "parcel-11-off": "ended",
            "us-west-port-to-door": "ended",
        },
    ),
}


@pytest.mark.parametrize("at", list(EXPECTED))
def test_each_card_says_what_is_due(owner: Member, at: str) -> None:
    pending, tasks, cards = EXPECTED[at]
    clock(at)
    tick(at)
    browser = client(owner)
    context = browser.get("/").context
    found = {}
    with timezone.override("Asia/Shanghai"):
        for line in context["lines"]:
            dates = [f"{due.acts} {timezone.localtime(due.bound.instant):%m-%d %H:%M}" for due in line.dues]
            if dates:
                dates[0] = f"{dates[0]} {line.dues[0].left}"
            found[line.status.code] = f"{line.group}: {', '.join(dates)}".removesuffix(": ")
    assert found == cards
    page = visible(browser, "/")
    assert pending in page
    assert len(context["tasks"]) == len(tasks)
    for task in tasks:
        title, rest = task.split(" · ", 1)
        assert title in page
        assert rest in page


def act(code: str, number: str, at: datetime) -> None:
    """Let the merchant do at an instant what an offer asks for by its first due date."""
    match code:
        case "charter-5-off":
            tell(FreightOrder, **order(number, placed_at=t("06"), paid_at=at))
        case "multimodal-reduction":
            tell(FreightOrder, **order(number, service="multimodal", line="us-matson-select", paid_at=at))
        case "us-west-port-to-door":
            tell(FreightOrder, **{**order(number, placed_at=at), **SEA})
        case _:
            fields = {"product": "lc_post_document", "fee": Decimal(100), "currency": "USD", "drawn_at": at}
            tell(FinancingDraw, draw_no=number, merchant_id="M1", **fields)


def order(number: str, **fields: Any) -> dict[str, Any]:
    usual = {"service": "express", "line": "us-charter-select", "base_freight": Decimal(1000), "currency": "CNY"}
    return {"order_no": number, "merchant_id": "M1", **usual, **fields}


@pytest.mark.parametrize(
    "code", ["charter-5-off", "multimodal-reduction", "us-west-port-to-door", "lc-financing-first-draw"]
)
def test_the_first_due_date_is_the_last_second_at_which_the_engine_grants(settings: Settings, code: str) -> None:
    settings.DEMO = True
    season.publish()
    merchant("M1", category_l1="Home & Garden")
    due = next(upcoming(published_offers.find(code).terms, at=t("15")))
    act(code, "LATE", due.bound.instant + timedelta(seconds=1))
    act(code, "LAST", due.bound.instant)
    tick("10-20")
    assert set(states(code)) == {"LAST"}
