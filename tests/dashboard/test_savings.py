"""Savings by month, offer and currency, exact to the cent."""

import csv
from decimal import Decimal
from io import BytesIO, StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from campaigns.grants import transitions
from campaigns.models import Grant
from merchants.models import Member
from tests.support.members import client, text
from tests.support.scenarios import BUNDLE, coupon_offer
from tests.support.world import draw, freight, merchant, offer, publish, t, tick

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once(reason="what a page shows; the tests of the browser open pages on PostgreSQL"),
]
CENT = Decimal("0.01")
HEADER = ["date", "order", "offer", "kind", "amount", "currency", "of which you pay"]


@pytest.fixture
def season(owner: Member) -> Member:
    """Discounts in two months and currencies, one released, one revoked; a coupon redeemed, one returned."""
    half = "{fee: financing_fee, percent: 50}"
    publish(
        offer("o", where="[{fact: service, is: multimodal}]")
        + offer("f", subject="financing_draw", claim="{at: drawn_at}", benefit=half, settlement="")
        + coupon_offer(benefit=BUNDLE.replace("count: 1", "count: 3"))
    )
    for n, paid in enumerate(("08-31 15:59:59", "08-31 16:00:00", "02", "02 01:00", "02 02:00")):
        cancelled = "03" if n == 3 else None
        freight(f"F{n}", service="multimodal", base_freight=Decimal("333.33") + n, paid_at=paid, cancelled_at=cancelled)
    draw("D", "02")
    freight("S", shipped_at="02")
    freight("C0", placed_at="02 01:00", paid_at="02 02:00", use_coupon=True)
    freight("C1", placed_at="02 01:00", paid_at="02 02:00", use_coupon=True, cancelled_at="02 12:00")
    freight("C2", placed_at="02 01:00", paid_at="02 02:00", use_coupon=True, base_freight=Decimal("20.00"))
    merchant("M2")
    freight("THEIRS", of="M2", service="multimodal", paid_at="02")
    tick("02 10:00")
    tick("04")
    transitions.revoke(Grant.objects.get(subject="F4"), at=t("04"), by="ana", reason="abuse")
    return owner


def rows(who: Member) -> list[list[str]]:
    content = client(who).get("/savings.csv").content.decode("utf-8-sig")
    return list(csv.reader(StringIO(content)))


def test_the_export_has_every_line_and_adds_up_to_the_page(season: Member) -> None:
    header, *lines = rows(season)
    assert header == HEADER
    assert [line[0] for line in lines] == sorted((line[0] for line in lines), reverse=True)
    sums: dict[tuple[str, str, str], Decimal] = {}
    for day, order, name, _kind, amount, currency, own in lines:
        assert order
        assert own == "0.00"
        sums[day[:7], name, currency] = sums.get((day[:7], name, currency), Decimal(0)) + Decimal(amount)
    assert sums == {
        ("2022-09", "c", "CNY"): Decimal("44.99"),
        ("2022-09", "f", "USD"): Decimal("50.00"),
        ("2022-09", "o", "CNY"): Decimal("66.96"),
        ("2022-08", "o", "CNY"): Decimal("33.33"),
    }
    coupons = [line for line in lines if line[3] == "coupon"]
    assert {line[2] for line in coupons} == {"c"}
    assert sum(Decimal(line[4]) for line in coupons) == Decimal("44.99")


def test_the_export_in_chinese(season: Member) -> None:
    browser = client(season)
    browser.cookies["django_language"] = "zh-hans"
    content = browser.get("/savings.csv").content.decode("utf-8-sig")
    assert content.splitlines()[0] == "日期,订单,优惠,种类,金额,币种,其中由您承担"
    assert "优惠券" in content


def test_the_page_has_a_chart_and_a_table(season: Member) -> None:
    page = text(client(season), "/savings/")
    assert "CNY 145.28 CNY Aug 2022 33.33 CNY Sep 2022 111.95 CNY" in page
    assert "USD 50.00 USD Sep 2022 50.00 USD" in page
    assert "c Sep 2022 44.99 CNY f Sep 2022 50.00 USD o Sep 2022 66.96 CNY o Aug 2022 33.33 CNY" in page
    assert "195.28" not in page  # never added up


def test_the_workbook_can_be_filed_as_it_is(season: Member) -> None:
    browser = client(season)
    response = browser.get("/savings.xlsx")
    assert response.headers["Content-Disposition"] == 'attachment; filename="savings-M1-2022-09-03.xlsx"'
    sheet = load_workbook(BytesIO(response.content)).worksheets[0]
    top = [[cell.value for cell in row if cell.value not in (None, "")] for row in sheet["A1:G6"]]
    *above, _empty, header = top
    days = [line[0] for line in rows(season)[1:]]
    assert above == [
        ["Merchant", "M1", "Own"],
        ["Period", f"{days[-1]} – {days[0]}"],
        ["Total", 145.28, "CNY"],
        ["Total", 50, "USD"],
    ]
    assert header == HEADER
    lines = list(sheet.iter_rows(min_row=7))
    assert [(row[0].value.date().isoformat(), row[1].value) for row in lines] == [
        (line[0], line[1]) for line in rows(season)[1:]
    ]
    assert [Decimal(str(row[4].value)).quantize(CENT) for row in lines] == [
        Decimal(line[4]) for line in rows(season)[1:]
    ]
    assert {(row[0].number_format, row[4].number_format) for row in lines} == {("yyyy-mm-dd", "#,##0.00")}
    assert sheet.column_dimensions["C"].width == 40
    assert "savings-M1-2022-09-03.csv" in browser.get("/savings.csv").headers["Content-Disposition"]


def test_the_page_prints_whose_savings_of_which_period(season: Member) -> None:
    page = client(season).get("/savings/").content.decode()
    assert '<p class="print-only"><b>Own</b> · M1 · <span class="nowrap">Aug 2022 – Sep 2022</span></p>' in page
    assert page.index('class="cluster no-print"') < page.index("Excel</a>")


def test_no_savings_yet(owner: Member) -> None:
    assert "No savings yet" in text(client(owner), "/savings/")
    assert rows(owner) == [HEADER]


def test_the_number_of_queries(season: Member) -> None:
    browser = client(season)
    with CaptureQueriesContext(connection) as queries:
        browser.get("/savings/")
    # session, user with its member, payers, settled, redeemed, offers, clock, unread messages, documents
    assert len(queries) == 9


def test_a_merchant_sees_what_it_pays_itself(owner: Member) -> None:
    """10 % of 100.01 is 10.00; the platform pays two thirds, and the merchant the rest."""
    publish(offer("f", funded_by="{merchant: 1, platform: 2}"))
    freight("F1", paid_at="05", base_freight=Decimal("100.01"))
    tick("06")
    assert "f Sep 2022 10.00 CNY of which you pay 3.34 CNY" in text(client(owner), "/savings/")
    assert rows(owner)[1][3:] == ["discount", "10.00", "CNY", "3.34"]
    assert "Paid for in parts: 1/3 by the merchant and 2/3 by the platform" in text(client(owner), "/offers/f/")
