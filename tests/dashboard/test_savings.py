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

pytestmark = pytest.mark.django_db

CENT = Decimal("0.01")


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


def test_savings_by_month_of_the_readers_zone_and_by_currency(season: Member) -> None:
    assert rows(season) == [
        ["month", "offer", "name", "amount", "currency"],
        ["2022-09", "c", "c", "44.99", "CNY"],
        ["2022-09", "f", "f", "50.00", "USD"],
        ["2022-09", "o", "o", "66.96", "CNY"],
        ["2022-08", "o", "o", "33.33", "CNY"],
    ]


def test_the_page_has_a_chart_and_a_table(season: Member) -> None:
    page = text(client(season), "/savings/")
    assert "CNY: 145.28 CNY" in page
    assert "USD: 50.00 USD" in page
    assert "33.33 Aug 2022 111.95 Sep 2022" in page
    assert "Sep 2022 c 44.99 CNY Sep 2022 f 50.00 USD Sep 2022 o 66.96 CNY Aug 2022 o 33.33 CNY" in page
    assert "195.28" not in page  # never added up


def test_the_workbook_has_the_same_rows(season: Member) -> None:
    response = client(season).get("/savings.xlsx")
    assert response.headers["Content-Disposition"] == 'attachment; filename="savings.xlsx"'
    sheet = load_workbook(BytesIO(response.content)).worksheets[0]
    found = [[str(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    assert [row[:3] for row in found] == [row[:3] for row in rows(season)]
    assert [Decimal(row[3]).quantize(CENT) for row in found[1:]] == [Decimal(row[3]) for row in rows(season)[1:]]


def test_no_savings_yet(owner: Member) -> None:
    assert "No savings yet." in text(client(owner), "/savings/")
    assert rows(owner) == [["month", "offer", "name", "amount", "currency"]]


def test_the_number_of_queries(season: Member) -> None:
    browser = client(season)
    with CaptureQueriesContext(connection) as queries:
        browser.get("/savings/")
    assert len(queries) == 7  # session, user with its member, settled, redeemed, offers, clock, unread messages
