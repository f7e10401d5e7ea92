"""Staff with single permissions see no part of a page that another permission opens, above all no merchant's name."""

from collections.abc import Callable
from io import BytesIO

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from openpyxl import load_workbook

from campaigns.grants import revocations
from campaigns.models import AuditEvent, Campaign, Coupon, Grant, Notification, Offer
from campaigns.notifications import operators
from campaigns.offers import drafts
from campaigns.simulation import jobs
from core import clock as host
from core.models import SavedView
from merchants import blocks
from merchants.models import Block, Merchant
from tests.support.drafts import AT, SOURCE, begin
from tests.support.members import clock, text
from tests.support.operators import EXPRESS_COUPONS, Staff
from tests.support.world import freight, merchant, offer, publish, t, tick

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once(reason="what a page shows; the tests of the browser open pages on PostgreSQL"),
]
Holder = Callable[..., Client]
GRANTS = "/admin/campaigns/grant/"
NAME, CODE = "Merchant M1", "M1"


@pytest.fixture
def holder(staff: Staff) -> Holder:
    """Return a function: `holder("view_grant")` is a browser of a person with these permissions alone."""

    def made(*names: str) -> Client:
        browser = staff("sol")
        allowed = Permission.objects.filter(codename__in=names)
        assert allowed.count() == len(names)
        User.objects.get(username="sol").user_permissions.set(allowed)
        return browser

    return made


def csv(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]  # a file


@pytest.mark.usefixtures("market")
def test_the_eligibility_check_needs_the_right_to_view_merchants(holder: Holder) -> None:
    alone = holder("view_decision", "view_offer")
    for query in ("", "?q=M1", "?q=FM10", "?q=Merchant"):
        assert alone.get(f"/admin/eligibility/{query}").status_code == 403
    assert "Check eligibility" not in text(alone, "/admin/")
    assert text(alone, "/admin/search/?q=FM1").count("FM10") == 0
    both = holder("view_decision", "view_merchant")
    page = text(both, "/admin/eligibility/?q=FM10")
    assert NAME in page
    assert "Source data" not in page
    assert "Source data" in text(
        holder("view_decision", "view_merchant", "view_freightorder"), "/admin/eligibility/?q=FM10"
    )


def test_a_coupon_is_checked_only_by_those_who_may_view_coupons(holder: Holder) -> None:
    clock("20")
    merchant()
    freight("F0", placed_at="01", paid_at="01", shipped_at="02")
    publish(EXPRESS_COUPONS)
    tick("05")
    code = Coupon.objects.order_by("pk")[0].code
    address = f"/admin/eligibility/?q={code}"
    assert f"No results for “{code}”" in text(holder("view_decision", "view_merchant"), address)
    assert f"Coupon {code}" in text(holder("view_decision", "view_merchant", "view_coupon"), address)


@pytest.mark.usefixtures("market")
def test_lists_and_exports_name_merchants_to_those_who_may_view_them(holder: Holder) -> None:
    alone = holder("view_grant")
    page = alone.get(GRANTS).content.decode()
    assert page.count("M1") > 0
    assert NAME not in page
    assert "/admin/merchant/" not in page
    assert "/admin/offers/ten/" not in page
    rows = csv(alone, f"{GRANTS}export.csv?columns=subject,merchant,offer").splitlines()
    assert rows[0] == "subject,merchant,offer"
    assert NAME not in "".join(rows)
    named = holder("view_grant", "view_merchant")
    page = named.get(GRANTS).content.decode()
    assert NAME in page
    assert "/admin/offers/ten/" not in page
    rows = csv(named, f"{GRANTS}export.csv?columns=subject,merchant").splitlines()
    assert rows[0] == "subject,merchant,merchant (name)"
    assert NAME in "".join(rows)


@pytest.mark.usefixtures("market")
def test_the_page_of_a_row_names_its_merchant_to_those_who_may_view_it(holder: Holder) -> None:
    address = "/admin/logistics/freightorder/FM10/change/"
    alone = text(holder("view_freightorder"), address)
    assert CODE in alone
    assert NAME not in alone
    assert NAME in text(holder("view_freightorder", "view_merchant"), address)


@pytest.mark.usefixtures("market")
def test_a_list_is_searched_by_names_that_the_user_may_view(holder: Holder) -> None:
    assert holder("view_grant").get(f"{GRANTS}?q=Merchant M1").context["cl"].result_count == 0
    assert holder("view_grant").get(f"{GRANTS}?q=FM10").context["cl"].result_count == 1
    named = holder("view_grant", "view_merchant")
    assert named.get(f"{GRANTS}?q=Merchant M1").context["cl"].result_count == 3
    # A list that is searched by merchants alone has no search without the right.
    assert holder("view_quarantineentry").get("/admin/campaigns/quarantineentry/?q=x").status_code == 200


@pytest.mark.usefixtures("market")
def test_statements_name_merchants_to_those_who_may_view_them(holder: Holder) -> None:
    month = "/admin/statements/2022-09/"
    alone = holder("view_journalentry")
    assert NAME not in text(alone, f"{month}?merchant=M1")
    assert "M1" in text(alone, month)
    assert NAME not in _cells(alone, month)
    named = holder("view_journalentry", "view_merchant")
    assert NAME in text(named, month)
    assert NAME in _cells(named, month)


def _cells(browser: Client, month: str) -> list[object]:
    answer = browser.get(f"{month}statement.xlsx")
    book = load_workbook(BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]  # a file
    found = [cell.value for sheet in book for row in sheet for cell in row]
    assert CODE in found
    return found


@pytest.mark.usefixtures("market")
def test_orders_are_found_by_those_who_may_view_them(holder: Holder) -> None:
    assert "FM10" not in text(holder("view_decision", "view_merchant"), "/admin/search/?q=FM1")
    assert "FM10" in text(holder("view_decision", "view_merchant", "view_freightorder"), "/admin/search/?q=FM1")


@pytest.mark.usefixtures("market")
def test_top_merchants_are_shown_to_those_who_may_view_merchants(holder: Holder) -> None:
    draft = begin(Campaign.objects.get().source.replace("limit: 6", "limit: 7"), of=Campaign.objects.get())
    simulation = jobs.request(draft, until=AT, base=Campaign.objects.get().source, at=AT, by="ana")
    jobs.run(simulation, clock=lambda: AT)
    pages = ("/admin/offers/ten/", f"/admin/simulations/{simulation.pk}/")
    for page in pages:
        alone = holder("view_offer", "view_simulation")
        assert "op merchants" not in text(alone, page)
        assert NAME not in text(alone, page)
        named = holder("view_offer", "view_simulation", "view_merchant")
        assert NAME in text(named, page)
        assert "/admin/merchant/M1/" not in named.get(page).content.decode()


@pytest.mark.usefixtures("market")
def test_blocks_are_pages_of_those_who_may_view_merchants(holder: Holder) -> None:
    of = Merchant.objects.get(pk="M1")
    block = blocks.propose(of, kind="fraud", until=None, reason="ring", at=t("20"), by="ana")
    alone = holder("view_block", "approve_block", "block_merchant", "view_offer", "view_draft")
    assert alone.get(f"/admin/blocks/{block.pk}/").status_code == 403
    assert alone.post(f"/admin/blocks/{block.pk}/", {"verb": "approve"}).status_code == 403
    assert alone.get("/admin/merchant/M2/block/").status_code == 403
    assert alone.post("/admin/merchant/M2/block/", {"kind": "fraud", "reason": "x"}).status_code == 403
    for page in ("/admin/", "/admin/approvals/"):
        assert NAME not in text(alone, page)
    assert operators.tell_all([], at=t("20"), now=host.real()) == 1
    assert Notification.objects.count() == 0
    assert list(Block.objects.values_list("status", flat=True)) == ["proposed"]
    named = holder("view_block", "approve_block", "view_offer", "view_merchant")
    assert f"Block: M1 {NAME}" in text(named, "/admin/")


@pytest.mark.usefixtures("market")
@pytest.mark.parametrize(
    ("tab", "permission"),
    [
        ("claims", "view_decision"),
        ("coupons", "view_coupon"),
        ("facts", "view_freightorder"),
        ("facts", "view_membership"),
        ("history", "view_journalentry"),
        ("history", "view_block"),
    ],
)
def test_tabs_of_a_merchant_need_their_own_permission(tab: str, permission: str, holder: Holder) -> None:
    address = f"/admin/merchant/M1/?tab={tab}"
    alone = holder("view_grant", "view_merchant")
    assert alone.get(address).status_code == 403
    assert f"?tab={tab}" not in alone.get("/admin/merchant/M1/").content.decode()
    allowed = holder("view_grant", "view_merchant", permission)
    assert allowed.get(address).status_code == 200
    assert f"?tab={tab}" in allowed.get("/admin/merchant/M1/").content.decode()


@pytest.mark.usefixtures("market")
def test_facts_and_history_show_what_the_user_may_view(holder: Holder) -> None:
    blocks.propose(Merchant.objects.get(pk="M1"), kind="fraud", until=None, reason="ring", at=t("20"), by="ana")
    base = ("view_grant", "view_merchant")
    facts = text(holder(*base, "view_membership"), "/admin/merchant/M1/?tab=facts")
    assert "Memberships" in facts
    assert "FM10" not in facts
    assert "FM10" in text(holder(*base, "view_freightorder"), "/admin/merchant/M1/?tab=facts")
    journal = text(holder(*base, "view_journalentry"), "/admin/merchant/M1/?tab=history")
    assert "ten: settled" in journal.lower()
    assert "ring" not in journal
    assert "A block is proposed" not in journal
    block = text(holder(*base, "view_block"), "/admin/merchant/M1/?tab=history")
    assert "ring" in block
    assert "ten: settled" not in block.lower()


@pytest.mark.usefixtures("market")
def test_titles_of_drafts_are_shown_to_those_who_may_view_drafts(holder: Holder) -> None:
    campaign = Campaign.objects.get()
    draft = drafts.begin(
        campaign.source.replace("limit: 6", "limit: 7"), title="Secret plan", at=AT, by="ana", of=campaign
    )
    drafts.submit(draft, at=AT, by="ana")
    drafts.approve(draft, shown=draft.digest, at=AT, by="bo")
    drafts.launch(draft, at=AT, by="ana")
    tabs = [f"/admin/offers/ten/{query}" for query in ("", "?tab=history", "?tab=versions")]
    for page in tabs:
        shown = holder("view_offer").get(page).content.decode()
        assert "Secret plan" not in shown
        assert f"/admin/drafts/{draft.pk}/" not in shown
        assert "Secret plan" in text(holder("view_offer", "view_draft"), page)


@pytest.mark.usefixtures("market")
def test_a_draft_shows_its_simulation_to_those_who_may_view_simulations(holder: Holder) -> None:
    campaign = Campaign.objects.get()
    draft = begin(campaign.source.replace("limit: 6", "limit: 7"), of=campaign)
    simulation = jobs.request(draft, until=AT, base=campaign.source, at=AT, by="ana")
    jobs.run(simulation, clock=lambda: AT)
    page = f"/admin/drafts/{draft.pk}/"
    alone = text(holder("view_draft"), page)
    assert "imulat" not in alone
    allowed = text(holder("view_draft", "view_simulation"), page)
    assert "Simulated as it is" in allowed
    assert "700.90 CNY" in allowed


@pytest.mark.usefixtures("market")
def test_the_overview_names_tasks_whose_pages_the_user_may_view(holder: Holder) -> None:
    draft = drafts.begin(SOURCE, title="Secret plan", at=AT, by="ana")
    drafts.submit(draft, at=AT, by="ana")
    revocations.propose(Grant.objects.all(), title="all of ten", at=t("20"), by="ana", reason="fraud")
    alone = text(holder("view_offer", "approve_draft", "approve_revocation"), "/admin/")
    assert "Secret plan" not in alone
    assert "all of ten" not in alone
    assert "Secret plan" in text(holder("view_offer", "view_draft"), "/admin/")
    assert "Revocation: all of ten" in text(holder("view_offer", "view_revocation"), "/admin/")


@pytest.mark.usefixtures("market")
def test_who_only_views_shares_no_view(staff: Staff, holder: Holder) -> None:
    sent = {"name": "Mine", "query": "", "is_shared": "on"}
    for browser in (staff("vi", "viewer"), holder("view_grant", "change_user")):
        assert browser.post(f"{GRANTS}views/save/", sent).status_code == 403
        assert "Share with everyone" not in browser.get(GRANTS).content.decode()
    assert not SavedView.objects.exists()
    assert not LogEntry.objects.exists()
    for role in ("operator", "approver"):
        browser = staff(role, role)
        assert "Share with everyone" in browser.get(GRANTS).content.decode()
        browser.post(f"{GRANTS}views/save/", sent)
    assert SavedView.objects.filter(is_shared=True).count() == 2
    log = LogEntry.objects.order_by("pk").values_list("user__username", "object_repr", "change_message")
    text = "shared a view: campaigns.grant ?"
    assert list(log) == [("operator", "Mine", text), ("approver", "Mine", text)]


@pytest.mark.usefixtures("market")
def test_who_manages_users_deletes_shared_views_of_others(staff: Staff, holder: Holder) -> None:
    ana = staff("ana", "operator")
    ana.post(f"{GRANTS}views/save/", {"name": "Own", "query": ""})
    ana.post(f"{GRANTS}views/save/", {"name": "Shared", "query": "", "is_shared": "on"})
    own, shared = SavedView.objects.order_by("pk").values_list("pk", flat=True)
    other = holder("view_grant", "change_grant")
    assert other.post(f"{GRANTS}views/{shared}/delete/").status_code == 404
    manager = holder("view_grant", "change_user")
    assert f"views/{shared}/delete/" in manager.get(GRANTS).content.decode()
    assert manager.post(f"{GRANTS}views/{own}/delete/").status_code == 404
    assert manager.post(f"{GRANTS}views/{shared}/delete/").status_code == 302
    assert list(SavedView.objects.values_list("pk", flat=True)) == [own]
    entry = LogEntry.objects.latest("pk")
    assert (entry.user.get_username(), entry.change_message) == ("sol", "deleted a shared view: campaigns.grant ?")


@pytest.mark.parametrize("verb", ["pause", "stop"])
def test_an_ended_offer_is_neither_paused_nor_stopped(verb: str, staff: Staff) -> None:
    ana = staff("ana", "operator")
    clock("20")
    window = "{fact: paid_at, within: {from: 2022-09-01 00:00:00, to: 2022-09-10 23:59:59}}"
    publish(offer("over", conditions=f"[{window}]"))
    answer = ana.post(f"/admin/offers/over/{verb}/", {"reason": "late"}, follow=True)
    assert "Nothing has changed: the offer has ended." in answer.content.decode()
    row = Offer.objects.get()
    assert (row.paused_at, row.stopped_at) == (None, None)
    assert not AuditEvent.objects.filter(verb__in=["paused", "stopped"]).exists()
