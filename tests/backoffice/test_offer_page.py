"""Page of one offer: figures that agree with the overview, dates, versions, history, and actions with their reasons."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import Draft, Offer
from campaigns.offers import drafts, pausing, published_offers
from campaigns.reporting import offer_metrics
from campaigns.reporting.offer_metrics import ClaimCount, Cost, DayCost, MerchantCount
from tests.support.members import text, words
from tests.support.operators import EXPRESS_COUPONS, WINDOW, Staff
from tests.support.world import HEADING, freight, merchant, offer, publish, t, tick

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once(reason="what a page shows; the tests of the browser open pages on PostgreSQL"),
]
PAGE = "/admin/offers/ten/"


@pytest.fixture
def viewer(staff: Staff, market: None) -> Client:
    return staff("vi", "viewer")


@pytest.fixture
def operator(staff: Staff, market: None) -> Client:
    return staff("ana", "operator")


def change(before: str, after: str) -> Draft:
    campaign = Offer.objects.get().campaign
    return drafts.begin(campaign.source.replace(before, after), title="More", at=t("20"), by="ana", of=campaign)


def test_its_figures_are_those_of_the_overview(viewer: Client) -> None:
    page = text(viewer, PAGE)
    assert "Left 0 of 6 6 settled, 0 reserved" in page
    assert "Given 600.60 CNY" in page
    assert "600.60 CNY settled or redeemed" in text(viewer, "/admin/")
    assert "Merchants 2 no limit per merchant" in page
    assert "Granted 50% 6 of 12 claims" in page
    assert "Claims 12" in page
    assert "12 decisions" in text(viewer, f"/admin/campaigns/decision/?offer__id__exact={Offer.objects.get().pk}")
    assert "6 claims refused" in page
    assert "country is China 4" in page
    assert "quota used up 2" in page
    assert "Merchant M1 M1 3 300.30 CNY Merchant M2 M2 3 300.30 CNY" in page
    assert "10% off the freight" in page
    assert "运费减免10%" in page


def test_the_days_of_the_table_add_up_to_the_total(viewer: Client) -> None:
    page = text(viewer, PAGE)
    assert "Total 600.60 CNY 0.00 CNY" in page
    assert "Costs by day, CNY" in page


def test_merchants_with_their_share_of_their_limit(staff: Staff) -> None:
    for code in ("M1", "M2"):
        merchant(code, name=f"公司{code}", name_en=f"Company {code}")
    for n, of in enumerate(("M1", "M1", "M2")):
        freight(f"F{n}", of=of, paid_at="05", base_freight=1000)
    publish(offer("ten", quota="{limit: 9, per_merchant: 2}"))
    tick("06")
    page = text(staff("vi", "viewer"), PAGE)
    assert "Merchants 2 1 reached the limit of 2" in page
    assert "Company M1 M1 2 of 2 200.00 CNY Company M2 M2 1 of 2 100.00 CNY" in page
    assert "公司M1 M1 2 / 2" in text(staff("vi", "viewer", language="zh-hans"), PAGE)
    assert offer_metrics.merchant_count(published_offers.find("ten")) == MerchantCount(total=2, at_limit=1)


def test_costs_of_each_day_by_the_present_state_of_their_claims() -> None:
    merchant()
    for n, (paid, left) in enumerate((("01", "03"), ("01", None), ("02 23:59", "03"), ("04", None))):
        freight(f"F{n}", paid_at=paid, departed_at=left, cancelled_at="05" if paid == "04" else None)
    settlement = "{at: departed_at, released_by: cancelled_at}"
    publish(offer("ten", settlement=settlement))
    tick("10")
    found = published_offers.find("ten")
    days = offer_metrics.costs_by_day(found, zone=timezone.get_fixed_timezone(0))
    hundred, none = Decimal("100.00"), Decimal("0.00")
    assert days == {"CNY": [DayCost(t("01"), hundred, hundred), DayCost(t("02"), hundred, none)]}
    assert offer_metrics.costs([found.id]) == {found.id: [Cost("CNY", Decimal("200.00"), hundred)]}
    assert offer_metrics.claim_count(found) == ClaimCount(total=4, granted=4)


def test_coupons_cost_on_the_day_of_their_claim() -> None:
    merchant()
    freight("F1", shipped_at="05")
    publish(EXPRESS_COUPONS)
    tick("06")
    found = published_offers.find("eight")
    days = offer_metrics.costs_by_day(found, zone=timezone.get_fixed_timezone(0))
    assert days == {"CNY": [DayCost(t("05"), Decimal("0.00"), Decimal("50.00"))]}


@pytest.mark.parametrize(
    ("granted", "total", "share"), [(0, 0, ""), (0, 3, "0"), (1, 3, "33.3"), (2, 3, "66.6"), (999, 1000, "99.9")]
)
def test_the_granted_share_is_rounded_down(granted: int, total: int, share: str) -> None:
    assert ClaimCount(total=total, granted=granted).share == share


def test_dates_in_order_with_today_among_them(viewer: Client) -> None:
    page = text(viewer, PAGE)
    assert "Opens 1 Sep, 08:00" in page
    assert "Today day 20 of 30" in page
    assert page.index("Opens 1 Sep") < page.index("Today day 20") < page.index("Closes 1 Oct, 07:59")
    assert "in 11 days" in page


def test_used_a_day_is_an_address_of_its_own(viewer: Client) -> None:
    page = viewer.get(f"{PAGE}?chart=used").content.decode()
    assert 'aria-label="Quota used over time"' in page
    assert 'aria-label="Quota left: ten"' not in page
    assert 'aria-label="Quota left: ten"' in viewer.get(PAGE).content.decode()


def test_the_terms_with_the_definition(viewer: Client) -> None:
    page = text(viewer, f"{PAGE}?tab=terms")
    assert "运费减免10%" in page
    assert "percent: '10'" in page


def test_versions_say_what_changed_and_who_approved(viewer: Client) -> None:
    draft = change("limit: 6", "limit: 60")
    drafts.submit(draft, at=t("20"), by="ana")
    drafts.approve(draft, shown=draft.digest, at=t("20"), by="bo")
    drafts.launch(draft, at=t("20"), by="ana")
    page = text(viewer, f"{PAGE}?tab=versions")
    assert "Version 2 In force Published by ana" in page
    assert "approved by bo" in page
    assert "the first 6 freight orders the first 60 freight orders" in page
    assert page.index("Version 2 In force") < page.index("Version 1 Published by test")
    history = text(viewer, f"{PAGE}?tab=history")
    assert [history.index(word) for word in ("Published · version 2", "Approved bo", "Submitted ana")] == sorted(
        history.index(word) for word in ("Published · version 2", "Approved bo", "Submitted ana")
    )


CHANGES = {
    "a limit": ("limit: 6", "limit: 8", "limit 6 → 8"),
    "a limit that is new": ("limit: 6", "limit: 6, per_merchant: 2", "limit per merchant none → 2"),
    "a date": ("2022-09-30 23:59:59", "2022-10-02 23:59:59", "closes 1 Oct → 3 Oct"),
    "a name": ("en: ten", "en: eleven", "name “ten” → “eleven”"),
    "a benefit": ("percent: 10", "percent: 12", "benefit 10% off the freight → 12% off the freight"),
    "another term": ("is: CN", "is: US", "1 change of the terms"),
}


@pytest.mark.parametrize(("before", "after", "said"), CHANGES.values(), ids=CHANGES.keys())
def test_a_change_that_waits_is_announced(before: str, after: str, said: str, viewer: Client) -> None:
    draft = change(before, after)
    assert f"A change is being drafted: {said}, by ana" in text(viewer, PAGE)
    drafts.submit(draft, at=t("20"), by="eve")
    assert f"A change waits for approval: {said}, by eve" in text(viewer, PAGE)
    drafts.approve(draft, shown=draft.digest, at=t("20"), by="bo")
    assert f"A change is approved and waits for its launch: {said}, by eve" in text(viewer, PAGE)
    drafts.withdraw(draft, at=t("20"), by="ana", reason="x")
    assert "A change" not in text(viewer, PAGE)


def test_a_change_of_another_offer_is_not_announced(staff: Staff, market: None) -> None:
    five = offer("five", benefit="{fee: freight, percent: 5}")
    publish(offer("ten", conditions=f"[{{fact: merchant.country, is: CN}}, {WINDOW}]", quota="{limit: 6}") + five)
    campaign = Offer.objects.get(code="five").campaign
    drafts.begin(campaign.source.replace("percent: 5", "percent: 6"), title="x", at=t("20"), by="ana", of=campaign)
    drafts.begin("offers: [", title="not right", at=t("20"), by="ana", of=campaign)
    drafts.begin(f"{HEADING}offers: []", title="new", at=t("20"), by="ana")
    browser = staff("vi", "viewer")
    assert "A change" not in text(browser, PAGE)
    assert "A change is being drafted: benefit" in text(browser, "/admin/offers/five/")


def test_a_viewer_only_looks(viewer: Client) -> None:
    page = text(viewer, PAGE)
    for word in ("Pause", "Stop for good", "Revoke all grants", "Clone campaign"):
        assert word not in page


def test_a_disabled_action_keeps_the_focus_and_says_why(operator: Client) -> None:
    page = text(operator, PAGE)
    assert "Resume" not in page
    pausing.stop(Offer.objects.get(), at=t("20"), by="ana", reason="x")
    html = operator.get(PAGE).content.decode()
    assert 'aria-disabled="true" aria-describedby="why-pause"' in html
    assert 'aria-disabled="true" aria-describedby="why-stop"' in html
    assert "Pause The offer is stopped" in words(html)
    assert f"{PAGE}pause/" not in html


def test_a_paused_offer_can_be_resumed(operator: Client) -> None:
    pausing.pause(Offer.objects.get(), at=t("20"), by="ana", reason="x")
    page = text(operator, PAGE)
    assert "Paused since" in page
    assert "Resume" in page


@pytest.mark.parametrize("address", [f"{PAGE}?tab=nothing", "/admin/offers/none/", "/admin/offers/none/?tab=terms"])
def test_what_is_not_there_is_not_found(address: str, viewer: Client) -> None:
    assert viewer.get(address).status_code == 404


QUERIES = {"performance": 32, "terms": 20, "versions": 22, "history": 21}


@pytest.mark.parametrize("tab", QUERIES)
def test_the_number_of_queries(tab: str, viewer: Client) -> None:
    viewer.get(f"{PAGE}?tab={tab}")
    with CaptureQueriesContext(connection) as found:
        assert viewer.get(f"{PAGE}?tab={tab}").status_code == 200
    assert len(found) == QUERIES[tab]
