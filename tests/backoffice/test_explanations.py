"""Eligibility explanations of a merchant, an order, a draw or a coupon."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campaigns.models import Coupon, Decision
from campaigns.offers import drafts
from logistics.models import FreightOrder
from merchants.models import Merchant
from tests.support.members import client, clock, member, text, words
from tests.support.operators import EXPRESS_COUPONS, Staff
from tests.support.world import correct, freight, merchant, offer, publish, t, tick

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once(reason="what a page shows; the tests of the browser open pages on PostgreSQL"),
]


@pytest.fixture
def viewer(staff: Staff, market: None) -> Client:
    return staff("vi", "viewer")


def test_an_order_that_got_it_and_one_that_did_not(viewer: Client) -> None:
    page = text(viewer, "/admin/eligibility/?q=FM10")
    assert "ten ten Granted Granted: 100.00 CNY 2 of 2 requirements are met. Claimed 11 Sep, 08:00" in page
    assert "position 1 · settled · decided by version 1" in page
    assert "Met: Country is China Actual: China" in page
    page = text(viewer, "/admin/eligibility/?q=FM30")
    assert "ten ten Refused: a condition is not met Not granted: 1 requirement is not met 1 of 2 requirements" in page
    assert "Not met: Country is China Actual: United States" in page
    page = text(viewer, "/admin/eligibility/?q=FM23")
    assert "Refused: quota used up 2 of 3 requirements are met." in page
    assert "position 8" in page


def test_what_is_missing_comes_first(viewer: Client) -> None:
    page = text(viewer, "/admin/eligibility/?q=FM23")
    missed = "Not met: The quota was not used up Actual: no"
    assert page.index(missed) < page.index("Met: Country is China")
    assert page.count("Not met:") == 1


def test_missing_amounts_in_figures(staff: Staff) -> None:
    viewer = staff("vi", "viewer")
    clock("20")
    merchant()
    freight("F1", paid_at="05", base_freight=480)
    publish(offer("ten", conditions="[{fact: base_freight, at_least: 500}]"))
    tick("06")
    page = text(viewer, "/admin/eligibility/?q=F1")
    assert "Not granted: 20.00 CNY short" in page
    assert "Not met: Base freight is at least 500.00 20.00 CNY short Actual: 480.00 CNY" in page


def test_as_of_the_claim_and_now(viewer: Client) -> None:
    correct(Merchant, "M3", country="CN")
    page = text(viewer, "/admin/eligibility/?q=FM30")
    assert "The claim · 11 Sep, 08:00 Now" in page
    assert "Not granted: 1 requirement is not met" in page
    assert "Met by now" in page
    page = text(viewer, "/admin/eligibility/?q=FM30&as_of=now")
    assert "ten ten Eligible 2 of 2 requirements are met. Evaluated as if claimed now" in page
    correct(Merchant, "M1", country="US")
    page = text(viewer, "/admin/eligibility/?q=FM10&as_of=now")
    assert "Not eligible now: 1 requirement is not met 1 of 2 requirements are met." in page
    assert "Not met: Country is China Actual: United States" in page
    assert Decision.objects.get(subject="FM10").outcome == Decision.Outcome.GRANTED


def test_one_offer_is_shown_and_the_others_are_listed(staff: Staff, market: None) -> None:
    publish(
        offer("five", where="[{fact: service, is: express}]") + offer("six", where="[{fact: service, is: multimodal}]")
    )
    viewer = staff("vi", "viewer")
    shown = viewer.get("/admin/eligibility/", {"q": "FM10"})
    assert [answer.code for answer in shown.context["full"]] == ["five", "ten"]
    assert [answer.code for answer in shown.context["others"]] == ["six"]
    chosen = viewer.get("/admin/eligibility/", {"q": "FM10", "offer": "six"})
    assert [answer.code for answer in chosen.context["full"]] == ["six"]
    assert [answer.label for answer in chosen.context["full"]] == ["not applicable"]


def test_the_sentences_for_the_merchant_are_those_of_its_dashboard(viewer: Client) -> None:
    shop = client(member("w@example.com", of="M3"))
    told = viewer.get("/admin/eligibility/", {"q": "FM30"}).context["told"]
    assert [tag for tag, _heading, _lines in told] == ["zh-Hans", "en"]
    _tag, heading, lines = told[1]
    assert heading == "ten · FM30: Not granted: 1 requirement is not met"
    order = text(shop, "/orders/freight/FM30/")
    assert lines[0] == "✗ country is China · found: United States"
    assert "Not met: Country is China You have: United States" in order


def test_a_coupon_by_its_code_in_any_case(staff: Staff) -> None:
    viewer = staff("vi", "viewer")
    clock("20")
    merchant()
    freight("F0", placed_at="01", paid_at="01", shipped_at="02")
    freight("G", placed_at="03", use_coupon=True)
    publish(EXPRESS_COUPONS)
    tick("05")
    code = Coupon.objects.get(status="locked").code
    page = text(viewer, f"/admin/eligibility/?q={code.lower()}")
    assert f"Coupon {code} Locked eight 25.00 CNY" in page
    assert "eight eight Granted" in page


def test_a_merchant_sees_each_offer_and_its_recent_claims(viewer: Client) -> None:
    page = text(viewer, "/admin/eligibility/?q=m1")
    assert "Offers ten 3 settled, 300.30 CNY Has it" in page
    assert "Recent claims FM13" in page
    page = text(viewer, "/admin/eligibility/?q=M3")
    assert "Offers ten Country is China Closed or used up" in page
    page = text(viewer, "/admin/eligibility/?q=M3&offer=ten")
    assert "0 of 1 requirement is met. Not met: Country is China Actual: United States" in page
    assert "Decided later: Paid from" in page


@pytest.mark.parametrize(("address", "count"), [("?q=FM10", 20), ("?q=FM10&as_of=now", 20), ("?q=M1", 19)])
def test_a_check_costs_the_same_for_any_number_of_claims(address: str, count: int, viewer: Client) -> None:
    viewer.get(f"/admin/eligibility/{address}")
    with CaptureQueriesContext(connection) as found:
        viewer.get(f"/admin/eligibility/{address}")
    assert len(found) == count


@pytest.mark.parametrize("sought", ["nothing", "FM1", "' OR 1=1 --", "x" * 64, "<script>alert(1)</script>"])
def test_an_unknown_key_has_no_results(sought: str, viewer: Client) -> None:
    answer = viewer.get("/admin/eligibility/", {"q": sought})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()
    assert "No results for" in answer.content.decode()


@pytest.mark.parametrize("path", ["why/?q=%00", "merchant/%00/", "statements/%00/"])
def test_text_that_no_database_stores_is_a_bad_request(path: str, viewer: Client) -> None:
    assert viewer.get(f"/admin/{path}").status_code == 400


def test_a_key_with_a_slash_still_has_its_page(viewer: Client) -> None:
    freight("A/1", of="M1", paid_at="12")
    tick("20")
    assert "ten" in text(viewer, "/admin/eligibility/?q=A%2F1")


QUERIES = {
    "decision": 11,
    "grant": 11,
    "coupon": 11,
    "journalentry": 11,
    "auditevent": 11,
    "tickrun": 9,
    "offer": 10,
    "draft": 10,
}


@pytest.mark.parametrize("several", [1, 3])
@pytest.mark.parametrize("name", QUERIES)
def test_lists_cost_the_same_for_one_row_and_three(
    name: str, several: int, staff: Staff, market: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = staff("vi", "viewer")
    publish(offer("five", benefit="{fee: freight, percent: 5}") + EXPRESS_COUPONS)
    for order in FreightOrder.objects.filter(merchant="M1")[:3]:
        correct(FreightOrder, order.pk, shipped_at="12")
    for day in ("21", "22"):
        tick(day)
    for n in range(3):
        drafts.begin("", title=f"{n}", at=t("20"), by="ana")
    model = apps.get_model("campaigns", name)
    keys = list(model._default_manager.order_by("pk").values_list("pk", flat=True)[:several])
    page_of_list = admin.site._registry[model]
    every_row = page_of_list.get_queryset
    monkeypatch.setattr(page_of_list, "get_queryset", lambda request: every_row(request).filter(pk__in=keys))
    address = f"/admin/campaigns/{name}/"
    viewer.get(address)
    with CaptureQueriesContext(connection) as found:
        page = words(viewer.get(address).content.decode())
    assert f"{several} {model._meta.verbose_name if several == 1 else model._meta.verbose_name_plural}" in page.lower()
    assert len(found) == QUERIES[name]


def test_a_long_list_is_not_counted_to_its_end(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.pagination.MOST_COUNTED", 5)
    with CaptureQueriesContext(connection) as found:
        viewer.get("/admin/campaigns/decision/")
    counts = [query["sql"] for query in found if "COUNT(" in query["sql"] and "campaigns_decision" in query["sql"]]
    assert counts
    assert all("LIMIT 6" in sql for sql in counts)


@pytest.mark.parametrize(
    ("most", "shown"),
    [(11, "11+ decisions. Search or filter to reach the others."), (12, "12 decisions"), (13, "12 decisions")],
)
def test_a_list_that_is_not_counted_to_its_end_says_so(
    most: int, shown: str, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.pagination.MOST_COUNTED", most)
    page = text(viewer, "/admin/campaigns/decision/")
    assert shown in page
    assert ("Search or filter" in page) is (most == 11)


def test_active_filters_can_be_removed_one_by_one(viewer: Client) -> None:
    page = viewer.get("/admin/campaigns/decision/?outcome__exact=2&q=M3").content.decode()
    assert page.count('class="filter"') == 2
    assert 'href="?q=M3" aria-label="Remove filter outcome' in page
    assert 'href="?outcome__exact=2" aria-label="Remove filter' in page
    assert '<a href="?">Clear all filters</a>' in page
    page = text(viewer, "/admin/campaigns/decision/?q=NOBODY")
    assert "No results. Remove a filter." in page
    assert 'class="filter"' not in viewer.get("/admin/campaigns/decision/").content.decode()
