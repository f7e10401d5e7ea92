"""Search: codes in any case, names in either language, in the eligibility check and in every list."""

import pytest
from django.test import Client

from campaigns.models import Coupon
from core.search import MOST_RELATED
from merchants.models import Merchant
from tests.support.members import clock, text
from tests.support.operators import EXPRESS_COUPONS, Staff
from tests.support.world import freight, merchant, offer, publish, tick

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(staff: Staff) -> Client:
    """Two merchants with an order and a coupon each, and offers with names in both languages."""
    clock("20")
    for code, name, name_en in (("M00003", "深圳安利电子有限公司", "Shenzhen Anli Co., Ltd."), ("m4", "Ann Ltd", "")):
        merchant(code, name=name, name_en=name_en, country="CN")
        freight(f"FO-{code}", of=code, placed_at="01", paid_at="02", shipped_at="02", base_freight=1000)
        freight(f"GO-{code}", of=code, placed_at="03", use_coupon=True)
    ten = offer("ten").replace("{en: ten, zh: ten}", "{en: Ten percent, zh: 九折}")
    publish(ten + EXPRESS_COUPONS)
    tick("20")
    return staff("vi", "viewer")


@pytest.mark.parametrize("sought", ["M00003", "m00003", " m00003 ", "深圳安利", "Shenzhen", "shenzhen ltd", "ANLI"])
def test_the_eligibility_check_leads_to_the_merchant(sought: str, viewer: Client) -> None:
    answer = viewer.get("/admin/eligibility/", {"q": sought})
    assert answer.context["merchant"] == Merchant.objects.get(pk="M00003")


@pytest.mark.parametrize("sought", ["fo-m00003", "FO-M00003"])
def test_the_eligibility_check_explains_an_order_in_any_case(sought: str, viewer: Client) -> None:
    page = text(viewer, f"/admin/eligibility/?q={sought}")
    assert "Code M00003" in page
    assert "Ten percent ten Granted" in page


def test_several_records_of_a_name_are_listed(viewer: Client) -> None:
    page = text(viewer, "/admin/eligibility/?q=ltd")
    assert "Merchants Shenzhen Anli Co., Ltd. M00003 · 深圳安利电子有限公司 Ann Ltd m4" in page
    assert "Offers Ten percent" not in page
    page = text(viewer, "/admin/eligibility/?q=九折")
    assert "Offers Ten percent ten" in page


def test_a_long_list_is_cut_and_says_so(viewer: Client) -> None:
    for n in range(50):
        merchant(f"B{n:02}", name="Big ltd")
    page = text(viewer, "/admin/eligibility/?q=ltd")
    assert "There are more results" in page
    assert "B49" in page
    assert "Ann Ltd m4" not in page  # ordered by code: the 52nd
    assert "There are more results" not in text(viewer, "/admin/eligibility/?q=big")


LISTS = [
    ("merchants/merchant", "M00003", "m4"),
    ("campaigns/decision", "FO-M00003", "FO-m4"),
    ("campaigns/grant", "FO-M00003", "FO-m4"),
    ("campaigns/attachment", "GO-M00003", "GO-m4"),
    ("logistics/freightorder", "FO-M00003", "FO-m4"),
]


@pytest.mark.parametrize("sought", ["m00003", "深圳安利", "shenzhen"])
@pytest.mark.parametrize(("path", "found", "other"), LISTS)
def test_lists_find_by_merchant(path: str, found: str, other: str, sought: str, viewer: Client) -> None:
    assert other in text(viewer, f"/admin/{path}/")
    page = text(viewer, f"/admin/{path}/?q={sought}")
    assert found in page
    assert other not in page


@pytest.mark.parametrize("path", ["campaigns/decision", "campaigns/grant", "logistics/freightorder"])
@pytest.mark.parametrize("sought", ["fo-m0", "FO-M00003"])
def test_lists_find_by_the_beginning_of_a_number(path: str, sought: str, viewer: Client) -> None:
    page = text(viewer, f"/admin/{path}/?q={sought}")
    assert "FO-M00003" in page
    assert "FO-m4" not in page


@pytest.mark.parametrize("path", ["campaigns/coupon", "campaigns/journalentry", "campaigns/attachment"])
def test_lists_find_by_coupon(path: str, viewer: Client) -> None:
    code = Coupon.objects.get(order_no="GO-M00003").code
    other = Coupon.objects.get(order_no="GO-m4").code
    page = text(viewer, f"/admin/{path}/?q={code.lower()}")
    assert code in page
    assert other not in page


@pytest.mark.parametrize(("sought", "there"), [("九折", True), ("TEN", True), ("percent ten", True), ("nine", False)])
def test_offers_by_name_or_code(sought: str, there: bool, viewer: Client) -> None:
    assert ("ten Ten percent" in text(viewer, f"/admin/campaigns/offer/?q={sought}")) is there


def test_percent_signs_and_underscores_are_letters(viewer: Client) -> None:
    for sought in ("%", "_", "m%3", "M_0003"):
        assert "0 merchants" in text(viewer, f"/admin/merchants/merchant/?q={sought}".replace("%", "%25"))


def test_many_merchants_of_one_name_bound_the_search(viewer: Client) -> None:
    Merchant.objects.bulk_create(
        [Merchant(code=f"A{n:05}", name="Many ltd", batch=Merchant.objects.first().batch) for n in range(MOST_RELATED)]  # type: ignore[union-attr]
    )
    assert "0 decisions" in text(viewer, "/admin/campaigns/decision/?q=many")
