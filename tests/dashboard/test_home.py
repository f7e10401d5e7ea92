"""Home page: each offer once, in the group that says what can be done, with its dates; savings, tasks, ends."""

from datetime import timedelta
from html import unescape
from re import findall, sub

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Offer
from campaigns.offers import pausing
from logistics.models import FreightOrder
from merchants.models import Member
from tests.support import season
from tests.support.members import client, clock, visible
from tests.support.page_weight import files_named, first_visit
from tests.support.scenarios import BUNDLE, coupon_offer, threshold_offer
from tests.support.world import batch, freight, merchant, offer, publish, receipt, t, tick, trade

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once(reason="what a page shows; the tests of the browser open pages on PostgreSQL"),
]
WINDOW = "{from: 2022-09-02 00:00:00, to: 2022-09-20 23:59:59}"
CONDITIONS = f"[{{fact: paid_at, within: {WINDOW}}}, {{fact: merchant.country, is: CN}}]"
NTH = f"{{nth: {{number: 5, of: freight_orders, at: shipped_at, where: [{{fact: shipped_at, within: {WINDOW}}}]}}}}"
EIGHT = BUNDLE.replace("count: 1", "count: 8").replace("2022-09-29 23:59:59", "2022-11-30 23:59:59")


def groups(who: Member) -> dict[str, list[str]]:
    """Return the codes of the offers in each group of the home page."""
    context = client(who).get("/").context
    names = ("available", "soon", "placed", "qualified", "full", "ended", "excluded")
    found = {name: [line.status.code for line in context[name]] for name in names}
    return {name: codes for name, codes in found.items() if codes}


def test_each_offer_is_in_the_group_that_says_what_can_be_done(owner: Member) -> None:
    merchant("OTHER")
    publish(
        offer("gone", conditions=CONDITIONS, quota="{limit: 1}")
        + offer("abroad", conditions="[{fact: merchant.country, is: US}]")
        + offer("scarce", conditions=CONDITIONS, quota="{limit: 20}", benefit="{fee: freight, percent: 9}")
        + offer("open", conditions=CONDITIONS, quota="{limit: 100}", benefit="{fee: freight, percent: 1}")
        + offer("more", where="[{fact: service, is: small_parcel}]", conditions=CONDITIONS, quota="{per_merchant: 2}")
        + offer("full", where="[{fact: service, is: sea_fcl}]", conditions=CONDITIONS, quota="{per_merchant: 1}")
        + offer("later", conditions="[{fact: paid_at, within: {from: 2022-09-10 00:00:00, to: 2022-09-20 00:00:00}}]")
    )
    for n in range(20):
        freight(f"F{n}", "OTHER", paid_at=f"02 {n:02}:00")
    freight("MINE", service="small_parcel", paid_at="02 23:00")
    freight("SEA", service="sea_fcl", paid_at="02 23:00")
    tick("03")
    assert groups(owner) == {
        "available": ["more", "open", "scarce"],
        "soon": ["later"],
        "full": ["full"],
        "ended": ["gone"],
        "excluded": ["abroad"],
    }
    page = visible(client(owner), "/")
    assert "scarce 1 left of 20 Pay by 21 Sep, 07:59 Running out" in page
    assert "more 1 freight order, 100.00 CNY saved · 1 of your 2 used Pay by 21 Sep, 07:59 18 days left" in page
    assert "full 1 freight order, 100.00 CNY saved · 1 of your 1 used Settled" in page
    assert "later no limit Pay by 20 Sep, 08:00 Opens in 7 days" in page
    assert "abroad Requirement: country is United States · You have: China" in page
    assert "gone 0 left of 1 Quota used up" in page


def test_savings_and_what_is_on_its_way_never_add_currencies(owner: Member) -> None:
    half = "{fee: financing_fee, percent: 50}"
    settlement = "{locked_at: paid_at, at: departed_at, deadline: 2022-09-25 23:59:59}"
    publish(
        offer("o", where="[{fact: service, is: multimodal}]")
        + offer("f", subject="financing_draw", claim="{at: drawn_at}", benefit=half, settlement="")
        + offer("sea", where="[{fact: service, is: sea_fcl}]", claim="{at: placed_at}", settlement=settlement)
        + coupon_offer(benefit=EIGHT, decided_at="2022-09-10 00:00:00")
    )
    freight("A", service="multimodal", paid_at="02")
    freight("S", service="sea_fcl", placed_at="02", currency="USD")
    freight("SHIPPED", shipped_at="02")
    tick("03")
    page = visible(client(owner), "/")
    assert "Trial Saved so far 100.00 CNY On its way 100.00 USD + 8 coupons Savings in detail" in page


def test_a_new_merchant_reads_where_savings_will_appear(owner: Member) -> None:
    publish(offer("o", conditions=CONDITIONS))
    page = visible(client(owner), "/")
    assert "Saved so far – Savings appear when the first benefit is settled. On its way –" in page
    assert "Do next Nothing is waiting for you. The next orders that fit the offers below bring you their" in page


def test_orders_that_must_be_fulfilled_are_named_until_they_are(owner: Member) -> None:
    deadline = "{at: 2022-09-25 23:59:59, twin: {at: 2022-09-26 07:59:59, zone: Asia/Shanghai}}"
    settlement = f"{{locked_at: paid_at, at: departed_at, released_by: cancelled_at, deadline: {deadline}}}"
    publish(offer("o", claim="{at: placed_at}", settlement=settlement))
    freight("A", placed_at="02")
    freight("B", placed_at="02", paid_at="02 10:00")
    tick("03")
    browser = client(owner)
    assert "2 orders: depart in time to keep 200.00 CNY o · Depart by 26 Sep, 07:59 · 23 days left" in visible(
        browser, "/"
    )
    [link] = findall(r'href="(/orders/freight/\?[^"]+)"', browser.get("/").content.decode())
    freight("C", placed_at="02", cancelled_at="02 10:00")
    assert [row.order.pk for row in browser.get(unescape(link)).context["rows"]] == ["B", "A"]
    assert "Depart by 26 Sep, 07:59" in visible(browser, "/offers/o/")
    FreightOrder.objects.filter(pk="B").update(departed_at=t("03 10:00"), batch=batch())
    tick("04")
    clock("04")
    page = browser.get("/").content.decode()
    assert "1 order: depart in time to keep 100.00 CNY" in page
    assert 'href="/orders/freight/A/"' in page
    clock("26")
    tick("26")
    assert "in time to keep" not in visible(browser, "/")


def test_the_deciding_clock_stands_in_the_tooltip(owner: Member) -> None:
    west = "{at: 2022-09-20 23:59:59, zone: America/Los_Angeles}"
    publish(offer("o", conditions=f"[{{fact: paid_at, by: {west}}}]"))
    page = client(owner).get("/").content.decode()
    assert "20 Sep 2022, 23:59 Los Angeles · 21 Sep 2022, 14:59 Beijing" in page
    assert "Pay by 21 Sep, 14:59 18 days left" in visible(client(owner), "/")


def test_missing_orders_are_counted(owner: Member) -> None:
    publish(coupon_offer(claim=NTH))
    for n in range(3):
        freight(f"F{n}", shipped_at="02 10:00")
    page = visible(client(owner), "/")
    assert "c 2 more freight orders to qualify 3 of 5 freight orders counted Ship by 21 Sep, 07:59 18 days left" in page


def test_the_missing_amount_is_counted(owner: Member) -> None:
    publish(threshold_offer())
    trade("T1")
    receipt("R1", "T1", "02", amount=60)
    page = visible(client(owner), "/")
    assert "half Receive 40.00 USD more to qualify 60.00 USD of 100.00 USD received Receive payments by 1 Oct" in page


@pytest.mark.parametrize(
    ("shipped", "at", "group"),
    [
        (4, "21", "ended"),
        (5, "19", "qualified"),
        (5, "21", "qualified"),
        (10, "21", "qualified"),
        (5, "10-14 23:59:59", "qualified"),
        (5, "10-15", "ended"),
    ],
)
def test_a_merchant_that_qualified_is_not_told_that_the_offer_is_over(
    owner: Member, shipped: int, at: str, group: str
) -> None:
    publish(coupon_offer(claim=NTH, decided_at="2022-10-15 00:00:00", benefit=EIGHT))
    for n in range(shipped):
        freight(f"F{n}", shipped_at=f"1{n}")
    clock(at)
    tick(at)
    assert groups(owner) == {group: ["c"]}
    page = visible(client(owner), "/")
    assert ("8 coupons arrive on 15 Oct c · 15 Oct, 08:00 · Nothing to do." in page) == (group == "qualified")
    assert ("Use 8 coupons worth 200.00 CNY c · Use by 1 Dec, 07:59 · 47 days left" in page) == (at == "10-15")


@pytest.mark.parametrize(
    ("limit", "said"), [(3, "You are number 2 in line: the first 3 get it."), (1, "You are number 2, the quota is 1")]
)
def test_a_qualified_merchant_sees_its_rank_while_the_race_is_open(owner: Member, limit: int, said: str) -> None:
    for code in ("EARLIER", "LATER", "NO-MEMBER"):
        merchant(code, member=code != "NO-MEMBER")
    member = "[{in_force: membership, of: [global_pass]}]"
    publish(coupon_offer(decided_at="2022-09-10 00:00:00", quota=f"{{limit: {limit}}}", conditions=member))
    for code, shipped in (("EARLIER", "02 01:00"), ("M1", "02 03:00"), ("LATER", "02 04:00"), ("NO-MEMBER", "02")):
        freight(f"F-{code}", code, shipped_at=shipped)
    tick("03")
    assert said in visible(client(owner), "/")
    clock("10")
    tick("10")
    assert "You are number" not in visible(client(owner), "/")


DRAFTED_AND_SHIPPED = offer(
    "late",
    subject="trade_order",
    claim="{at: shipped_at}",
    conditions="[{fact: drafted_at, within: {from: 2022-09-01 00:00:00, to: 2022-09-30 23:59:59}},"
    " {fact: first_payment_at, by: 2022-09-30 23:59:59}, {fact: shipped_at, by: 2022-12-31 23:59:59}]",
    benefit="{fee: service_fee, percent: 50}",
    settlement="",
)


@pytest.mark.parametrize(
    ("at", "group", "dates"),
    [
        ("29", "available", "Place the order and pay by 1 Oct, 07:59 Ship by 1 Jan 2023, 07:59 2 days left"),
        ("30 23:59:59", "available", "Place the order and pay by 1 Oct, 07:59 Ship by 1 Jan 2023, 07:59 today"),
        ("10-01", "placed", "late no limit Ship by 1 Jan 2023, 07:59 92 days left"),
    ],
)
def test_an_offer_shows_by_when_to_order_and_by_when_to_ship(owner: Member, at: str, group: str, dates: str) -> None:
    publish(DRAFTED_AND_SHIPPED)
    clock(at)
    assert groups(owner) == {group: ["late"]}
    assert dates in visible(client(owner), "/")
    assert dates.removeprefix("late no limit ").split(" Ship")[0].split(", 07:59")[0] in visible(
        client(owner), "/offers/late/"
    )


def test_in_chinese(owner: Member) -> None:
    publish(DRAFTED_AND_SHIPPED + coupon_offer(claim=NTH))
    browser = client(owner)
    browser.cookies["django_language"] = "zh-hans"
    page = visible(browser, "/")
    assert "late 不限名额 下单并支付截止 10月1日 07:59 发货截止 2023年1月1日 07:59 剩 28 天" in page
    assert "c 再有 5 笔物流订单即可享受" in page
    assert "时间均为北京时间。" in page


def test_paused_and_stopped_offers(owner: Member) -> None:
    publish(offer("o", conditions=CONDITIONS))
    row = Offer.objects.get()
    pausing.pause(row, at=t("03"), by="ana", reason="")
    assert "o no limit Pay by 21 Sep, 07:59 Paused" in visible(client(owner), "/")
    pausing.stop(row, at=t("03"), by="ana", reason="")
    assert groups(owner) == {"ended": ["o"]}


def test_coupons_are_counted_by_status(owner: Member, mate: Member) -> None:
    publish(coupon_offer(benefit=EIGHT))
    freight("A", shipped_at="02")
    freight("B", placed_at="02 12:00", use_coupon=True)
    tick("03")
    page = visible(client(owner), "/")
    assert "7 coupons, 175.00 CNY to use · 1 coupon on an unpaid order" in page
    assert "Use 7 coupons worth 175.00 CNY c · Use by 1 Dec, 07:59 · 89 days left" in page
    assert "Pay 1 order with a coupon, 25.00 CNY off c · Pay by 1 Dec, 07:59 · 89 days left" in page
    assert "On its way 25.00 CNY" in page
    others = visible(client(mate), "/")  # of a view-only account
    assert "Use 7 coupons" not in others
    assert "Pay 1 order with a coupon, 25.00 CNY off" in others


def test_ends_are_listed_soonest_first_and_equal_ones_together(owner: Member) -> None:
    early = "[{fact: paid_at, by: 2022-09-10 00:00:00}]"
    publish(
        offer("a", conditions=CONDITIONS)
        + offer("b", conditions=CONDITIONS, benefit="{fee: freight, percent: 1}")
        + offer("c", conditions=early, benefit="{fee: freight, percent: 2}")
    )
    page = visible(client(owner), "/")
    assert "Ends soon c Pay by 10 Sep, 08:00 · 7 days left 2 offers Pay by 21 Sep, 07:59 · 18 days left" in page


def test_home_without_campaigns(owner: Member) -> None:
    page = visible(client(owner), "/")
    assert "There are no campaigns at the moment. When a campaign opens, its offers, their dates" in page


def test_the_shop_is_called_in_the_language_of_the_reader(owner: Member) -> None:
    merchant("M3", name="远帆贸易", name_en="Far Sail Trading")
    Member.objects.update(merchant="M3")
    browser = client(Member.objects.get())
    assert '<b lang="en">Far Sail Trading</b><small>M3</small>' in browser.get("/").content.decode()
    browser.cookies["django_language"] = "zh-hans"
    assert '<b lang="zh-Hans">远帆贸易</b><small>M3</small>' in browser.get("/").content.decode()


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
    # session, user with its member, clock, offers, grants, coupons, two for savings, unread messages, documents
    assert len(few) == len(many) == 10 + offers


def test_no_merchant_reads_a_code_or_seconds(owner: Member) -> None:
    lists = "lists:\n  lanes: {names: {en: the lanes, zh: 航线}, values: {a-lane: {en: A lane, zh: 甲线}}}\n"
    publish(
        offer(
            "o",
            conditions="[{fact: line, in: lanes}, {fact: merchant.country, in: [US, GB]},"
            " {fact: merchant.category_l1, is: CCTV Products}]",
        ),
        heading="campaign: trial\nnames: {en: Trial, zh: 试}\nzone: UTC\n" + lists,
    )
    freight("A", line="dw-us-west-port-to-door", placed_at="01 08:09:10", paid_at="02")
    tick("03")
    browser = client(owner)
    browser.cookies["django_language"] = "zh-hans"
    for path in ("/", "/offers/o/", "/orders/", "/orders/freight/A/"):
        page = visible(browser, path)
        assert findall(r"\d\d:\d\d:\d\d", page) == []
        assert findall(r"\b(CN|US|GB)\b", page) == []
        assert "CCTV" not in page
        assert "dw-us" not in page
    assert "DW美西港到门" in page
    assert "中国" in sub(r"\s", "", visible(browser, "/offers/o/"))


def test_a_first_visit_transfers_less_than_60_kb(owner: Member) -> None:
    season.publish()
    page = client(owner).get("/").content
    assert len(findall(rb'id="offer-', page)) == 9
    names = files_named(page)
    assert {"core/icons.svg", "core/components.css", "core/tokens.css", "core/fairground.js"} <= names
    assert len(names) == 7
    assert first_visit(page) < 60_000
