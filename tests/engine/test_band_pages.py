"""Bands of a quota as people and programs see them: explanations, status, warnings, pages, metrics."""

from decimal import Decimal

import pytest
from django.test import Client
from django.utils import translation

from backoffice import answers
from campaigns.eligibility import explanations, merchant_status
from campaigns.eligibility.merchant_status import Kind
from campaigns.models import Notice, OutboxEvent
from campaigns.monitoring import prometheus
from campaigns.notifications import distribution, notice_texts
from campaigns.offers import band_usage, published_offers
from campaigns.reporting.band_figures import band_forecasts
from merchants.models import Merchant
from tests.support.members import words
from tests.support.world import freight, merchant, offer, publish, t, tick

pytestmark = pytest.mark.django_db

IN_CNY = "{fee: freight, percent: 10, currency: CNY}"
BANDS = (
    "[{of: amount, at_most: 250.00, currency: CNY, last: partly, in: {calendar: month, zone: Asia/Shanghai}}, "
    "{of: grants, at_most: 2, per: merchant, in: week}]"
)


@pytest.fixture
def decided() -> None:
    """Five claims: M1 gets two and reaches its week, M2 gets what is left of the month, M3 nothing."""
    for code in ("M1", "M2", "M3"):
        merchant(code)
    publish(offer("o", benefit=IN_CNY, quota=BANDS))
    for order, code, at in (
        ("A", "M1", "05"),
        ("B", "M1", "06"),
        ("C", "M1", "07"),
        ("D", "M2", "08"),
        ("E", "M3", "09"),
    ):
        freight(order, code, paid_at=at)
    tick("10")


@pytest.mark.usefixtures("decided")
def test_an_explanation_names_the_band_with_figures_and_the_next_period() -> None:
    found = {
        one.subject: one for one in explanations.explain_all(published_offers.find("o"), list("ABCDE"), at=t("10"))
    }
    week, month = found["C"].conditions[-1], found["E"].conditions[-1]
    assert (found["C"].outcome, found["E"].outcome) == ("merchant_cap", "quota_exhausted")
    assert (week.name, week.asked.operator, week.asked.value, week.asked.unit) == ("quota", "at_most", 2, "grants")
    assert (week.found, week.shortfall, week.passed) == (3, 1, False)
    assert week.margin == "1 too many; again from 12 Sep"
    assert week.required == "at most 2 for each merchant, each calendar week (UTC time)"
    assert found["C"].next_period == t("12")
    assert (month.asked.value, month.asked.unit) == (Decimal("250.00"), "CNY")
    assert (month.found, month.shortfall) == (Decimal("350.00"), Decimal("100.00"))
    assert month.margin == "100.00 CNY too much; again from 1 Oct"
    assert found["E"].next_period == t("30 16:00")
    assert (found["D"].amount, found["D"].benefit, found["A"].benefit) == (Decimal(50), Decimal(100), None)
    assert found["A"].next_period is None
    headline = answers.of_explanation(found["D"]).headline
    assert headline == "Granted: 50.00 CNY of 100.00 CNY, all that was left of the budget"
    with translation.override("zh-hans"):
        [chinese] = explanations.explain_all(published_offers.find("o"), ["E"], at=t("10"))
        assert chinese.conditions[-1].required == "每个自然月（北京时间）合计最多 250.00 CNY（最后一笔得余额）"


@pytest.mark.usefixtures("decided")
def test_the_status_of_a_merchant_knows_its_own_band_and_the_budget() -> None:
    def status(code: str, at: str) -> merchant_status.MerchantOfferStatus:
        [found] = merchant_status.statuses(published_offers.published(), Merchant.objects.get(pk=code), at=t(at))
        return found

    now = status("M1", "10")
    assert [(one.used, one.left, one.is_own, one.ends) for one in now.bands] == [
        (25000, 0, False, t("30 16:00")),
        (2, 0, True, t("12")),
    ]
    assert (now.open_to_more, status("M3", "10").kind) == (False, Kind.OVER)
    later = status("M1", "10-01")
    assert [one.used for one in later.bands] == [0, 0]
    assert (later.open_to_more, status("M3", "10-01").kind) == (True, Kind.ELIGIBLE)


@pytest.mark.usefixtures("decided")
def test_marks_of_a_budget_are_published_in_money_and_told_to_operators() -> None:
    events = OutboxEvent.objects.filter(kind__startswith="quota").order_by("pk")
    assert [(e.kind, e.reason, str(e.amount), e.currency) for e in events] == [
        ("quota_80", "250.00 / 250.00 CNY 2022-09", "250.00", "CNY"),
        ("quota_95", "250.00 / 250.00 CNY 2022-09", "250.00", "CNY"),
        ("quota_100", "250.00 / 250.00 CNY 2022-09", "250.00", "CNY"),
    ]
    distribution.fan_out()
    [notice] = Notice.objects.all()
    assert notice_texts.describe(notice) == "The quota is used up: o (250.00 CNY of 250.00 CNY in 2022-09)"
    freight("F", "M3", paid_at="10-02", base_freight=Decimal(2000))
    tick("10-03")
    assert [e.reason for e in events.filter(at__gt=t("20"))] == ["200.00 / 250.00 CNY 2022-10"]
    tick("10-04")
    assert events.all().count() == 4


@pytest.mark.usefixtures("decided")
def test_the_pages_of_an_offer_and_the_metrics_show_the_bands(admin_client: Client) -> None:
    [week] = [
        row
        for row in band_usage.usages(published_offers.published(), at=t("10"))[published_offers.find("o").id]
        if not row.is_shared
    ]
    assert (week.holders, week.full) == (2, 1)
    text = words(admin_client.get("/admin/offers/o/").content.decode())
    assert "Limits and budgets" in text
    assert "At most 250.00 CNY in all, each calendar month (Beijing time)" in text
    page = words(admin_client.get("/admin/").content.decode())
    assert "of 250.00 CNY" in page
    metrics = prometheus.render(now=t("10")).decode()
    assert 'fairground_budget_limit{band="1 amount CNY",offer="o"} 250.0' in metrics
    assert 'fairground_budget_used{band="1 amount CNY",offer="o"} 250.0' in metrics


@pytest.mark.parametrize(("at_most", "likely"), [("120.00", "11"), ("500.00", "30"), ("520.00", None)])
def test_a_forecast_says_when_a_budget_of_the_month_will_be_used_up(at_most: str, likely: str | None) -> None:
    """Six grants of 10.00 in 72 hours: the rest takes 12 hours a grant, unless the month ends before."""
    merchant("M1")
    publish(offer("o", benefit=IN_CNY, quota=f"[{{of: amount, at_most: {at_most}, currency: CNY, in: month}}]"))
    for n, paid_at in enumerate(("05 01:00", "05 12:00", "06", "06 12:00", "07", "07 12:00")):
        freight(f"F{n}", "M1", paid_at=paid_at, base_freight=Decimal(100))
    tick("08")
    found, at = published_offers.find("o"), t("08")
    [forecast] = band_forecasts(found, band_usage.usages([found], at=at)[found.id], at=at)
    assert (forecast.likely if forecast else None) == (t(likely) if likely else None)
