"""Search of the workspace: by kind, with permissions, as a page and as the options of the palette."""

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campaigns.models import Coupon
from campaigns.offers import drafts
from core.facts import SUBJECTS
from tests.support.members import clock, text
from tests.support.operators import EXPRESS_COUPONS, Staff
from tests.support.world import freight, merchant, offer, publish, t, tick

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once(reason="pages of answers; the tests of explanations ask PostgreSQL"),
]


@pytest.fixture
def viewer(staff: Staff) -> Client:
    """Two merchants with orders and coupons, two offers and a draft."""
    clock("20")
    for code, name, name_en in (("M00003", "深圳安利电子有限公司", "Shenzhen Anli Co., Ltd."), ("m4", "Ann Ltd", "")):
        merchant(code, name=name, name_en=name_en, country="CN")
        freight(f"FO-{code}", of=code, placed_at="01", paid_at="02", shipped_at="02", base_freight=1000)
        freight(f"GO-{code}", of=code, placed_at="03", use_coupon=True)
    publish(offer("ten").replace("{en: ten, zh: ten}", "{en: Ten percent, zh: 九折}") + EXPRESS_COUPONS)
    tick("20")
    drafts.begin("", title="Raise the limit", at=t("20"), by="ana")
    return staff("vi", "viewer")


def found(browser: Client, sought: str) -> dict[str, list[str]]:
    """Return the names of the results by the label of their kind."""
    answer = browser.get("/admin/search/", {"q": sought})
    assert answer.status_code == 200
    return {group.label: [hit.name for hit in group.hits] for group in answer.context["groups"]}


def check(sought: str) -> dict[str, list[str]]:
    return {"Pages and actions": [f"Check eligibility for “{sought}”"]}


@pytest.mark.parametrize("sought", ["M00003", "m00003", "深圳安利", "shenzhen ltd", "ANLI"])
def test_merchants_by_code_or_by_name_in_either_language(sought: str, viewer: Client) -> None:
    assert found(viewer, sought) == {"Merchants": ["Shenzhen Anli Co., Ltd."], **check(sought)}


@pytest.mark.parametrize(
    ("sought", "kind", "name"),
    [
        ("九折", "Offers", "Ten percent"),
        ("TEN", "Offers", "Ten percent"),
        ("trial", "Campaigns", "Trial"),
        ("raise limit", "Drafts", "Raise the limit"),
        ("fo-m0", "Orders", "FO-M00003"),
    ],
)
def test_other_kinds(sought: str, kind: str, name: str, viewer: Client) -> None:
    assert found(viewer, sought) == {kind: [name], **check(sought)}


def test_coupons_by_the_beginning_of_their_code(viewer: Client) -> None:
    code = Coupon.objects.get(order_no="GO-M00003").code
    assert found(viewer, code.lower()) == {"Coupons": [code], **check(code.lower())}
    page = text(viewer, f"/admin/search/?q={code}")
    assert "eight · M00003" in page


def test_a_result_leads_to_its_page(viewer: Client) -> None:
    page = viewer.get("/admin/search/", {"q": "anli"}).content.decode()
    assert 'href="/admin/merchant/M00003/"' in page
    assert 'href="/admin/eligibility/?q=anli"' in page
    page = viewer.get("/admin/search/", {"q": "trial"}).content.decode()
    assert 'href="/admin/campaign/trial/"' in page
    page = viewer.get("/admin/search/", {"q": "FO-m4"}).content.decode()
    assert 'href="/admin/eligibility/?q=FO-m4"' in page


def test_pages_and_actions(staff: Staff, viewer: Client) -> None:
    assert found(viewer, "") == {"Pages and actions": ["Check eligibility"]}
    assert found(viewer, "audit")["Pages and actions"] == ["Check eligibility for “audit”", "Audit log"]
    assert "New campaign" not in found(viewer, "new camp")["Pages and actions"]
    assert found(staff("ana", "operator"), "new camp")["Pages and actions"][1:] == ["New campaign"]
    assert found(staff("zh", "operator", language="zh-hans"), "审计") == {
        "页面和操作": ["查询“审计”的资格", "审计日志"]
    }


@pytest.mark.parametrize(
    ("sought", "permission"),
    [("anli", "view_merchant"), ("ten", "view_offer"), ("raise", "view_draft")],
)
def test_only_what_the_user_may_view_is_found(sought: str, permission: str, staff: Staff, viewer: Client) -> None:
    nobody = staff("no")
    assert found(nobody, sought) == {}
    user = User.objects.get(username="no")
    user.user_permissions.set(Permission.objects.filter(codename__in=[permission, "view_grant"]))
    assert len(found(nobody, sought)) >= 1


def test_visitors_sign_in_first(viewer: Client) -> None:
    assert Client().get("/admin/search/?q=anli").status_code == 302


@pytest.mark.parametrize("sought", ["nothing", "' OR 1=1 --", "x" * 99, "<script>alert(1)</script>", "%", "_"])
def test_odd_texts_find_nothing_and_are_shown_as_text(sought: str, viewer: Client) -> None:
    answer = viewer.get("/admin/search/", {"q": sought})
    assert [group.label for group in answer.context["groups"]] == ["Pages and actions"]
    assert "<script>alert" not in answer.content.decode()


def test_the_options_of_the_palette(viewer: Client) -> None:
    page = viewer.get("/admin/search/", {"q": "anli", "part": "hits"}).content.decode()
    assert "<html" not in page
    assert page.count('role="option"') == 2
    assert '<span lang="en">Shenzhen Anli Co., Ltd.</span> <small>深圳安利电子有限公司 · M00003</small>' in page


@pytest.mark.parametrize("most", [3, 40])
def test_the_number_of_queries_does_not_grow(most: int, viewer: Client) -> None:
    for n in range(most):
        merchant(f"B{n:02}", name="Big ltd")
    viewer.get("/admin/search/?q=big&part=hits")
    with CaptureQueriesContext(connection) as queries:
        page = viewer.get("/admin/search/?q=big&part=hits").content.decode()
    assert page.count('role="option"') == min(most, 6) + 1
    assert len(queries) == 10 + len(
        SUBJECTS.keys() - {"merchant", "merchant_period"}
    )  # nobody types the key of a period
