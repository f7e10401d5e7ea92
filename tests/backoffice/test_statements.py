"""Statements tie to the journal to the cent; a closed month changes no more."""

import csv
import io
from datetime import date, datetime, time
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.http import FileResponse
from django.test import Client
from openpyxl import load_workbook
from pytest_django import DjangoAssertNumQueries

from campaigns.grants import revocations
from campaigns.ledger import statements
from campaigns.ledger.statements import Line, PeriodError
from campaigns.models import AccountingPeriod, Coupon, Grant
from logistics.models import FreightOrder
from merchants.models import Merchant
from tests.support import season
from tests.support.members import text
from tests.support.operators import EXPRESS_COUPONS, Staff
from tests.support.world import correct, freight, merchant, offer, publish, t, tick

pytestmark = pytest.mark.django_db

SEPTEMBER, OCTOBER, NOVEMBER = date(2022, 9, 1), date(2022, 10, 1), date(2022, 11, 1)


def plain(month: date) -> list[str]:
    """`ten M1 100.00-0.00+0.00-0.00=100.00 CNY`: settled, taken back, redeemed, given back, total."""
    return [
        f"{line.offer} {line.merchant} {line.settled}-{line.reversed}+{line.redeemed}-{line.returned}={line.total}"
        f" {line.currency}"
        for line in statements.lines(month)
    ]


def all_lines() -> list[Line]:
    return [line for month in statements.months() for line in statements.lines(month)]


def total(name: str) -> Decimal:
    return sum((getattr(line, name) for line in all_lines()), Decimal(0))


@pytest.mark.parametrize("case", ["tiny-quotas"])
def test_all_months_together_equal_the_tables(case: str, season: season.Season) -> None:
    season(case)
    stands: dict[tuple[str, str, str], Decimal] = {}
    whose = ("offer__code", "merchant", "currency")
    grants = Grant.objects.filter(status="settled", coupons=0).values(*whose).annotate(sum=Sum("amount"))
    coupons = Coupon.objects.filter(status="redeemed").values(*whose).annotate(sum=Sum("value"))
    for code, merchant_, currency, n in (*grants.values_list(*whose, "sum"), *coupons.values_list(*whose, "sum")):
        stands[code, merchant_, currency] = stands.get((code, merchant_, currency), Decimal(0)) + n
    sums: dict[tuple[str, str, str], Decimal] = {}
    for line in all_lines():
        key = (line.offer, line.merchant, line.currency)
        sums[key] = sums.get(key, Decimal(0)) + line.total
    assert {key: n for key, n in sums.items() if n} == stands


def test_a_month_is_that_of_beijing() -> None:
    merchant()
    freight("F1", paid_at="30 15:59:59")
    freight("F2", paid_at="30 16:00:00", base_freight=500)
    publish(offer("ten"))
    tick("10-05")
    assert plain(SEPTEMBER) == ["ten M1 100.00-0.00+0.00-0.00=100.00 CNY"]
    assert plain(OCTOBER) == ["ten M1 50.00-0.00+0.00-0.00=50.00 CNY"]


def test_reversals_are_listed_beside_settlements() -> None:
    merchant()
    freight("F1", paid_at="05", cancelled_at="10-05")
    freight("F2", paid_at="05")
    publish(offer("ten"))
    tick("10-06")
    revocations.revoke(Grant.objects.get(subject="F2"), at=t("10-07"), by="ana", reason="x")
    assert plain(SEPTEMBER) == ["ten M1 200.00-0.00+0.00-0.00=200.00 CNY"]
    assert plain(OCTOBER) == ["ten M1 0.00-200.00+0.00-0.00=-200.00 CNY"]


def test_a_returned_coupon_returns_the_redeemed_amount() -> None:
    """On an order of 10.00 a coupon of 25.00 is worth 9.99: that is what comes back, not its face value."""
    merchant()
    freight("F0", placed_at="01", paid_at="01", shipped_at="02")
    freight("G", placed_at="03", paid_at="04", cancelled_at="10-05", use_coupon=True, base_freight=10)
    publish(EXPRESS_COUPONS)
    tick("05")
    assert plain(SEPTEMBER) == ["eight M1 0.00-0.00+9.99-0.00=9.99 CNY"]
    tick("10-06")
    assert plain(OCTOBER) == ["eight M1 0.00-0.00+0.00-9.99=-9.99 CNY"]
    assert total("total") == 0


def close(month: date, at: str) -> AccountingPeriod:
    return statements.close(month, at=t(at), by="ana")


def test_late_facts_of_a_closed_month_correct_the_next() -> None:
    merchant()
    freight("F1", paid_at="05")
    publish(offer("ten"))
    tick("10-02")
    close(SEPTEMBER, "10-02")
    before = plain(SEPTEMBER)
    freight("F2", paid_at="06", base_freight=300)
    freight("F3", paid_at="10-02", base_freight=200)
    tick("10-03")
    assert plain(SEPTEMBER) == before == ["ten M1 100.00-0.00+0.00-0.00=100.00 CNY"]
    assert plain(OCTOBER) == ["ten M1 50.00-0.00+0.00-0.00=50.00 CNY"]
    close(OCTOBER, "11-02")
    freight("F4", paid_at="06", base_freight=100)
    tick("11-03")
    assert plain(OCTOBER) == ["ten M1 50.00-0.00+0.00-0.00=50.00 CNY"]
    assert plain(NOVEMBER) == ["ten M1 10.00-0.00+0.00-0.00=10.00 CNY"]
    assert total("total") == Grant.objects.aggregate(sum=Sum("amount"))["sum"]
    correct(FreightOrder, "F1", base_freight=999)
    assert plain(SEPTEMBER) == before


@pytest.mark.parametrize(("at", "over"), [("30 15:59:59", False), ("30 16:00:00", True)])
def test_a_month_is_closed_when_it_is_over(at: str, over: bool) -> None:
    if over:
        assert close(SEPTEMBER, at).last_entry == 0
        return
    with pytest.raises(PeriodError, match="not over"):
        close(SEPTEMBER, at)
    assert not AccountingPeriod.objects.exists()


def test_months_are_closed_one_after_the_other() -> None:
    close(SEPTEMBER, "12-05")
    for month in (SEPTEMBER, NOVEMBER):
        with pytest.raises(PeriodError, match="the next is 2022-10"):
            close(month, "12-05")
    close(OCTOBER, "12-05")
    assert [str(period) for period in AccountingPeriod.objects.order_by("month")] == ["2022-09", "2022-10"]


def test_the_first_closed_month_includes_earlier_entries() -> None:
    merchant()
    freight("F1", paid_at="2022-07-05")
    freight("F2", paid_at="05", base_freight=500)
    publish(offer("ten"), at="2022-07-01")
    tick("10-02")
    close(SEPTEMBER, "10-02")
    assert plain(SEPTEMBER) == ["ten M1 150.00-0.00+0.00-0.00=150.00 CNY"]
    assert plain(date(2022, 7, 1)) == []


@pytest.fixture
def bo(staff: Staff, market: None) -> Client:
    return staff("bo", "approver")


def test_the_page_and_its_files(bo: Client) -> None:
    page = text(bo, "/admin/statements/2022-09/")
    assert "CNY 600.60 0.00 0.00 0.00 600.60 CNY" in page
    assert "ten ten 600.60 0.00 0.00 0.00 600.60 CNY" in page
    assert "ten Merchant M1 M1 300.30 0.00 0.00 0.00 300.30 CNY" in page
    chosen = text(bo, "/admin/statements/2022-09/?merchant=M2")
    assert "CNY 300.30 0.00 0.00 0.00 300.30 CNY" in chosen
    assert "Merchant M1" not in chosen
    rows = list(csv.reader(io.StringIO(content(bo, "csv").decode())))
    assert rows[0] == statements.COLUMNS
    assert rows[1] == ["2022-09", "ten", "M1", "CNY", "300.30", "0.00", "0.00", "0.00", "300.30"]
    assert bo.get("/admin/statements/2022-09/statement.exe").status_code == 404


def content(browser: Client, form: str) -> bytes:
    answer = browser.get(f"/admin/statements/2022-09/statement.{form}")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="statement-2022-09.{form}"'
    assert isinstance(answer, FileResponse)
    return b"".join(answer.streaming_content)


def test_the_workbook_is_ready_for_finance(bo: Client) -> None:
    book = load_workbook(io.BytesIO(content(bo, "xlsx")))
    heads = ["Currency", "Settled", "Reversed", "Redeemed", "Returned", "Total"]
    first = datetime.combine(SEPTEMBER, time())
    figures, total = [300.3, 0, 0, 0, 300.3], [600.6, 0, 0, 0, 600.6]
    assert [[list(row) for row in sheet.values] for sheet in book] == [
        [["Offer", "Code", *heads], ["ten", "ten", "CNY", *total], ["Total", None, "CNY", *total]],
        [
            ["Merchant", "Code", *heads],
            ["Merchant M1", "M1", "CNY", *figures],
            ["Merchant M2", "M2", "CNY", *figures],
            ["Total", None, "CNY", *total],
        ],
        [
            ["Month", "Offer", "Offer code", "Merchant", "Merchant code", *heads],
            [first, "ten", "ten", "Merchant M1", "M1", "CNY", *figures],
            [first, "ten", "ten", "Merchant M2", "M2", "CNY", *figures],
            ["Total", None, None, None, None, "CNY", *total],
        ],
    ]
    assert book.sheetnames == ["By offer", "By merchant", "Lines"]
    lines = book["Lines"]
    assert (lines.freeze_panes, lines["A2"].number_format, lines["K2"].number_format) == ("A2", "yyyy-mm", "#,##0.00")
    assert (lines.column_dimensions["D"].width, lines["A1"].font.b, lines["K4"].font.b, lines["K3"].font.b) == (
        40,
        True,
        True,
        False,
    )


def test_a_name_is_never_a_formula_in_the_workbook(bo: Client) -> None:
    Merchant.objects.filter(pk="M1").update(name="=HYPERLINK(1)")
    cell = load_workbook(io.BytesIO(content(bo, "xlsx")))["Lines"]["D2"]
    assert (cell.value, cell.data_type) == ("'=HYPERLINK(1)", "s")


def test_the_workbook_is_in_the_readers_language(staff: Staff, market: None) -> None:
    book = load_workbook(io.BytesIO(content(staff("vi", "viewer", language="zh-hans"), "xlsx")))
    assert book.sheetnames == ["按优惠", "按商家", "明细"]


def test_the_list_has_the_totals_and_the_state_of_each_month(bo: Client) -> None:
    assert "2022-09 Not closed yet 600.60 CNY" in text(bo, "/admin/statements/")
    bo.post("/admin/statements/2022-08/close/")
    statements.close(SEPTEMBER, at=t("10-01 00:00:00"), by="bo")
    assert "2022-09 Closed bo" in text(bo, "/admin/statements/")


def test_totals_are_the_sums_of_the_lines(market: None) -> None:
    publish(EXPRESS_COUPONS + offer("yen", benefit="{fee: freight, percent: 20}"))
    correct(FreightOrder, "FM10", shipped_at="12")
    correct(FreightOrder, "FM12", cancelled_at="21")
    freight("U", of="M3", paid_at="12", base_freight=77)
    tick("22")
    for month in statements.months():
        sums: dict[str, Decimal] = {}
        for line in statements.lines(month):
            sums[line.currency] = sums.get(line.currency, Decimal(0)) + line.total
        assert statements.totals(month) == sorted(sums.items())
        assert list(statements.rows(month)) == [
            (
                *(f"{month:%Y-%m}", line.offer, line.merchant, line.currency),
                *(line.settled, line.reversed, line.redeemed, line.returned, line.total),
            )
            for line in statements.lines(month)
        ]


def test_lines_are_paged_and_sums_are_of_all(bo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backoffice.statements.LINES_ON_A_PAGE", 1)
    second = text(bo, "/admin/statements/2022-09/?offer=ten&page=2")
    assert "ten Merchant M2 M2 300.30" in second
    assert "ten Merchant M1 M1" not in second
    assert "Page 2 of 2" in second
    assert "CNY 600.60 0.00 0.00 0.00 600.60 CNY" in second
    assert "?offer=ten&amp;page=1" in bo.get("/admin/statements/2022-09/?offer=ten&page=2").content.decode()
    for odd in ("0", "x", "99999999999999999999"):
        assert bo.get(f"/admin/statements/2022-09/?page={odd}").status_code == 200


def test_closing_at_the_desk(bo: Client, staff: Staff) -> None:
    where = "/admin/statements/2022-08/close/"
    assert "It comes to" not in text(bo, where)
    assert staff("ana", "operator").post(where).status_code == 403
    september = "/admin/statements/2022-09/"
    for ask in (bo.get, bo.post):
        assert "not over" in ask(f"{september}close/", follow=True).content.decode()
    assert "Close the month… (The month is not over yet.)" in text(bo, september)
    assert "(The month is not over yet.)" not in text(staff("vi", "viewer"), september)
    bo.post(where)
    assert AccountingPeriod.objects.get().closed_by == "bo"
    assert "closed by bo" in text(bo, "/admin/statements/2022-08/")


def test_the_statement_costs_the_same_for_any_number_of_merchants(
    market: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(4):
        assert len(list(statements.lines(SEPTEMBER))) == 2
    merchant("M9")
    freight("F9", of="M9", paid_at="12")
    publish(offer("more", benefit="{fee: freight, percent: 20}"))
    tick("21")
    with django_assert_num_queries(4):
        assert len(list(statements.lines(SEPTEMBER))) > 2
