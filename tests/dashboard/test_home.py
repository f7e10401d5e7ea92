"""Home page: a card for each offer, the most urgent first."""

from datetime import timedelta
from pathlib import Path
from re import findall

import brotli  # type: ignore[import-untyped]  # has no types
import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Offer
from campaigns.offers import pausing
from logistics.models import FreightOrder
from merchants.models import Member
from tests.support import season
from tests.support.members import client, clock, text
from tests.support.scenarios import BUNDLE, coupon_offer, threshold_offer
from tests.support.world import batch, freight, merchant, offer, publish, receipt, t, tick, trade

pytestmark = pytest.mark.django_db

WINDOW = "{from: 2022-09-02 00:00:00, to: 2022-09-20 23:59:59}"
CONDITIONS = f"[{{fact: paid_at, within: {WINDOW}}}, {{fact: merchant.country, is: CN}}]"
NTH = f"{{nth: {{number: 5, of: freight_orders, at: shipped_at, where: [{{fact: shipped_at, within: {WINDOW}}}]}}}}"


def cards(who: Member) -> list[tuple[str, str]]:
    """Return offer and status of each card, from the top."""
    page = client(who).get("/").content.decode()
    found = findall(r'(?s)<p class="state">(.*?)</p>.*?<a href="/offers/([\w-]+)/"', page)
    return [(code, " ".join(state.split())) for state, code in found]


def test_the_most_urgent_offers_come_first(owner: Member) -> None:
    merchant("OTHER")
    publish(
        offer("gone", conditions=CONDITIONS, quota="{limit: 1}")
        + offer("abroad", conditions="[{fact: merchant.country, is: US}]")
        + offer("scarce", conditions=CONDITIONS, quota="{limit: 20}", benefit="{fee: freight, percent: 9}")
        + offer("open", conditions=CONDITIONS, quota="{limit: 100}", benefit="{fee: freight, percent: 1}")
        + offer("own", where="[{fact: service, is: small_parcel}]", conditions=CONDITIONS, quota="{per_merchant: 2}")
    )
    for n in range(20):
        freight(f"F{n}", "OTHER", paid_at=f"02 {n:02}:00")
    freight("MINE", service="small_parcel", paid_at="02 23:00")
    tick("03")
    assert cards(owner) == [
        ("own", "Earned · more available"),
        ("open", "Available to you"),
        ("scarce", "Running out"),
        ("abroad", "Not available to you"),
        ("gone", "Quota used up"),
    ]


def test_a_card_shows_benefits_and_next_steps(owner: Member) -> None:
    deadline = "{at: 2022-09-25 23:59:59, twin: {at: 2022-09-26 07:59:59, zone: Asia/Shanghai}}"
    settlement = f"{{locked_at: paid_at, at: departed_at, released_by: cancelled_at, deadline: {deadline}}}"
    publish(offer("o", claim="{at: placed_at}", settlement=settlement))
    freight("A", placed_at="02")
    tick("03")
    page = text(client(owner), "/")
    assert "reserved 1 order, 100.00 CNY" in page
    assert "What happens next: settled when departed" in page
    assert "no later than 25 September 2022 23:59:59 UTC (26 September 2022 07:59:59 Beijing)" in page


def test_a_card_shows_missing_orders_and_the_deadline(owner: Member) -> None:
    publish(coupon_offer(claim=NTH))
    for n in range(3):
        freight(f"F{n}", shipped_at="02 10:00")
    assert "3 of 5 freight orders counted, 2 more by 20 September 2022 23:59:59 UTC" in text(client(owner), "/")


def test_a_card_shows_the_missing_amount(owner: Member) -> None:
    publish(threshold_offer())
    trade("T1")
    receipt("R1", "T1", "02", amount=60)
    assert "60.00 USD of 100.00 USD received, 40.00 USD short" in text(client(owner), "/")


def test_a_qualified_merchant_sees_when_claims_are_decided(owner: Member) -> None:
    publish(coupon_offer(decided_at="2022-09-10 00:00:00"))
    freight("A", shipped_at="02")
    tick("03")
    assert cards(owner) == [("c", "Qualified")]
    page = text(client(owner), "/")
    assert "What happens next: Qualified: 1 coupon arrives on 10 September 2022 00:00:00 UTC" in page


@pytest.mark.parametrize(
    ("shipped", "at", "state"),
    [
        (4, "21", "Ended"),
        (5, "19", "Qualified"),
        (5, "21", "Qualified"),
        (10, "21", "Qualified"),
        (5, "10-14 23:59:59", "Qualified"),
        (5, "10-15", "Earned"),
    ],
)
def test_a_merchant_that_qualified_is_not_told_that_the_offer_is_over(
    owner: Member, shipped: int, at: str, state: str
) -> None:
    bundle = BUNDLE.replace("count: 1", "count: 8").replace("2022-09-29 23:59:59", "2022-11-30 23:59:59")
    publish(coupon_offer(claim=NTH, decided_at="2022-10-15 00:00:00", benefit=bundle))
    for n in range(shipped):
        freight(f"F{n}", shipped_at=f"1{n}")
    clock(at)
    tick(at)
    assert cards(owner) == [("c", state)]
    promised = "Qualified: 8 coupons arrive on 15 October 2022 00:00:00 UTC" in text(client(owner), "/")
    assert promised == (state == "Qualified")


def test_a_qualified_merchant_is_told_of_the_quota(owner: Member) -> None:
    publish(coupon_offer(decided_at="2022-09-10 00:00:00", quota="{limit: 3000}"))
    freight("A", shipped_at="02")
    tick("03")
    page = text(client(owner), "/")
    assert "Qualified: 1 coupon arrives on 10 September 2022 00:00:00 UTC, while the quota lasts" in page


DRAFTED_AND_SHIPPED = offer(
    "late",
    subject="trade_order",
    claim="{at: shipped_at}",
    conditions="[{fact: drafted_at, within: {from: 2022-09-01 00:00:00, to: 2022-09-30 23:59:59}},"
    " {fact: first_payment_at, by: 2022-10-05 23:59:59}, {fact: shipped_at, by: 2022-12-31 23:59:59}]",
    benefit="{fee: service_fee, percent: 50}",
    settlement="",
)


@pytest.mark.parametrize(
    ("at", "state", "shown", "hidden"),
    [
        ("29", "", "Order by 30 September 2022 23:59:59 UTC Shipped by 31 December 2022 23:59:59 UTC", "in time"),
        ("30 23:59:59", "", "Order by 30 September 2022 23:59:59 UTC", "in time"),
        (
            "10-01",
            " · closed to new orders",
            "For orders placed in time: shipped by 31 December 2022 23:59:59 UTC",
            "Order by",
        ),
    ],
)
def test_an_offer_shows_by_when_to_order_and_by_when_to_ship(
    owner: Member, at: str, state: str, shown: str, hidden: str
) -> None:
    publish(DRAFTED_AND_SHIPPED)
    clock(at)
    assert cards(owner) == [("late", f"Available to you{state}")]
    page = text(client(owner), "/")
    assert shown in page
    assert hidden not in page
    detail = text(client(owner), "/offers/late/")
    assert "Order by 30 September 2022 23:59:59 Los Angeles" not in detail
    assert "Order by 30 September 2022 16:59:59 Los Angeles 1 October 2022 07:59:59 Beijing" in detail
    assert "Shipped by 31 December 2022 15:59:59 Los Angeles" in detail


def test_in_chinese_the_dates_to_order_and_to_ship(owner: Member) -> None:
    publish(DRAFTED_AND_SHIPPED)
    browser = client(owner)
    browser.cookies["django_language"] = "zh-hans"
    assert "下单截止：UTC2022年9月30日 23:59:59 发货截止：" in text(browser, "/")


def test_the_quota_is_shown_with_the_time_of_the_data(owner: Member) -> None:
    publish(offer("o", conditions=CONDITIONS, quota="{limit: 1200, per_merchant: 3}"))
    assert "1,200 left of 1,200. You can get 3 more. Updated 08:00." in text(client(owner), "/")


def test_an_unavailable_offer_names_the_requirement(owner: Member) -> None:
    publish(offer("o", conditions="[{fact: merchant.country, is: US}]"))
    assert "Requirement: country is US; found: CN." in text(client(owner), "/")


def test_paused_and_stopped_offers(owner: Member) -> None:
    publish(offer("o", conditions=CONDITIONS))
    row = Offer.objects.get()
    pausing.pause(row, at=t("03"), by="ana", reason="")
    assert cards(owner) == [("o", "Available to you · paused: claims are decided when the offer resumes")]
    pausing.stop(row, at=t("03"), by="ana", reason="")
    assert cards(owner) == [("o", "Ended")]


def test_coupons_are_counted_by_status(owner: Member) -> None:
    publish(coupon_offer(benefit=BUNDLE.replace("count: 1", "count: 8")))
    freight("A", shipped_at="02")
    freight("B", placed_at="02 12:00", use_coupon=True)
    tick("03")
    page = text(client(owner), "/")
    assert "issued 7 coupons, 175.00 CNY" in page
    assert "locked 1 coupon, 25.00 CNY" in page
    assert "Coupons valid until 29 September 2022 23:59:59 UTC" in page


def test_an_ended_offer_shows_no_deadline(owner: Member) -> None:
    publish(offer("o", conditions=CONDITIONS))
    freight("A", paid_at="02")
    tick("03")
    browser = client(owner)
    assert "Until 20 September 2022 23:59:59 UTC" in text(browser, "/")
    clock("21")
    page = text(browser, "/")
    assert "settled 1 order" in page
    assert "Until" not in page


def test_home_without_campaigns(owner: Member) -> None:
    assert "There are no campaigns at the moment." in text(client(owner), "/")


@pytest.mark.parametrize(("offers", "orders"), [(1, 10), (3, 20_000)])
def test_the_number_of_queries_depends_only_on_offers(owner: Member, offers: int, orders: int) -> None:
    publish("".join(offer(f"o{n}", conditions=CONDITIONS) for n in range(offers)))
    browser = client(owner)
    browser.get("/")  # terms are read once a process
    with CaptureQueriesContext(connection) as few:
        browser.get("/")
    batch_ = batch()
    rows = (
        FreightOrder(
            order_no=f"F{n:06}", merchant_id="M1", batch=batch_, service="express", line="l", base_freight=100,
            currency="CNY", placed_at=t("02") + timedelta(seconds=n), paid_at=t("02") + timedelta(seconds=n),
        )
        for n in range(orders)
    )  # fmt: skip
    FreightOrder.objects.bulk_create(rows, batch_size=5_000)
    with CaptureQueriesContext(connection) as many:
        browser.get("/")
    assert len(few) == len(many) == 7 + offers


def test_a_first_visit_transfers_less_than_60_kb(owner: Member) -> None:
    """Count the page uncompressed, and its files as they are stored compressed."""
    season.publish()
    page = client(owner).get("/").content
    assert len(findall(rb'class="card ', page)) == 9
    names = findall(rb'(?:src|href)="/static/([^"]+)"', page)
    assert len(names) == 4
    files = [Path(str(finders.find(name.decode()))).read_bytes() for name in names]
    assert len(page) + sum(len(brotli.compress(file)) for file in files) < 60_000
