"""Page of a merchant: tabs, figures, permissions; messages to its members."""

from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campaigns.grants import revocations
from campaigns.models import Grant, Message, Note
from campaigns.notifications import mailing
from campaigns.offers import publishing
from definitions import parser
from merchants import blocks
from merchants.models import Merchant
from tests.support.marketplace import buyer, level
from tests.support.members import client, clock, member, text
from tests.support.operators import Staff
from tests.support.scorecards import STARS
from tests.support.world import HEADING, correct, offer, publish, receipt, t, tick, trade

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("market"),
    pytest.mark.once(reason="what a page shows; the tests of the browser open pages on PostgreSQL"),
]
PAGE = "/admin/merchant/M1/"


def test_head_and_figures(staff: Staff) -> None:
    correct(Merchant, "M1", name="深圳安利", name_en="Anli")
    page = text(staff("vi", "viewer"), PAGE)
    assert "Anli Member 深圳安利 M1 China Global Pass" in page
    assert "Saved so far 300.30 CNY Reserved – 0 benefits not settled yet Unused coupons 0 Claims refused 1" in page
    page = text(staff("zh", "viewer", language="zh-hans"), PAGE)
    assert "深圳安利 会员 Anli M1" in page


def test_benefits_say_what_is_held_and_what_is_missing(staff: Staff) -> None:
    viewer = staff("vi", "viewer")
    assert "ten ten Has it 3 settled, 300.30 CNY" in text(viewer, PAGE)
    publish(offer("ten") + offer("us", conditions="[{fact: merchant.country, is: US}]"))
    assert "us us Not eligible Country is United States" in text(viewer, PAGE)


def test_claims_link_to_their_explanation(staff: Staff) -> None:
    viewer = staff("vi", "viewer")
    page = viewer.get(f"{PAGE}?tab=claims").content.decode()
    assert 'href="/admin/eligibility/?q=FM10&amp;offer=ten"' in page
    assert "FM13 ten Refused: quota used up 14 Sep, 08:00" in text(viewer, f"{PAGE}?tab=claims")
    assert "FM10 ten Settled 100.00 CNY 11 Sep, 08:00" in text(viewer, f"{PAGE}?tab=claims")


def test_source_data_lists_states_and_orders_dated_by_now(staff: Staff) -> None:
    page = text(staff("vi", "viewer"), f"{PAGE}?tab=facts")
    assert "Freight orders Show all FM13 express" in page
    assert "Memberships Global Pass from 1 Jan 2020" in page
    assert "Penalties None." in page


def test_history_merges_blocks_revocations_and_grants(staff: Staff) -> None:
    block = blocks.propose(Merchant.objects.get(pk="M1"), kind="fraud", until=None, reason="ring", at=t("20"), by="ana")
    blocks.approve(block, at=t("20 01:00"), by="bo")
    grant = Grant.objects.filter(merchant="M1")
    revocations.propose(grant, title="All of M1", at=t("20 02:00"), by="ana", reason="ring")
    page = text(staff("vi", "viewer"), f"{PAGE}?tab=history")
    order = ["Proposed: All of M1", "Block approved", "Block proposed", "Ten: settled, 100.20 CNY", "FM12"]
    places = [page.index(words) for words in order]
    assert places == sorted(places)
    assert "· ana · fraud: ring" in page


def test_actions_are_shown_to_those_who_may_take_them(staff: Staff) -> None:
    member("w@example.com")
    words = ("Message", "View as merchant", "Revoke…", "Block…")
    for role, shown in (("viewer", False), ("operator", True)):
        page = staff(role, role).get(PAGE).content.decode()
        assert [word in page for word in words] == [shown] * len(words)


@pytest.mark.parametrize("role", ["viewer", "approver"])
def test_only_operators_write_to_merchants(role: str, staff: Staff) -> None:
    member("w@example.com")
    assert staff("x", role).post(f"{PAGE}message/", {"text": "Hello"}).status_code == 403
    assert not Note.objects.exists()
    assert not Message.objects.exists()


def test_a_message_reaches_every_member_and_the_audit_log(staff: Staff) -> None:
    ana, shop = staff("ana", "operator"), client(member("w@example.com"))
    other = client(member("x@example.com", of="M2"))
    assert "1 person who signs in for this merchant reads it" in text(ana, f"{PAGE}message/")
    answer = ana.post(f"{PAGE}message/", {"text": "Please check order FM13."})
    assert answer.headers["location"] == f"{PAGE}?tab=history"
    assert "Please check order FM13." in text(shop, "/messages/")
    assert "From the marketplace" in text(shop, "/messages/")
    assert "Please check order FM13." not in text(other, "/messages/")
    assert LogEntry.objects.get().change_message == "sent a message: Please check order FM13."
    history = text(ana, f"{PAGE}?tab=history")
    assert "Message sent 20 Sep, 08:00" in history
    assert "· ana · Please check order FM13." in history


def test_a_message_goes_by_mail_too(staff: Staff, mailoutbox: list[object]) -> None:
    reader = client(member("w@example.com"))
    assert reader.get("/messages/").status_code == 200
    staff("ana", "operator").post(f"{PAGE}message/", {"text": "Hello from us"})
    assert mailing.send_mail(at=t("20")) == 1
    assert "Hello from us" in mailoutbox[0].body  # type: ignore[attr-defined]


def test_a_message_that_nobody_would_read_is_refused(staff: Staff) -> None:
    answer = staff("ana", "operator").post(f"{PAGE}message/", {"text": "Hello"})
    assert "Nobody signs in for this merchant" in answer.content.decode()
    assert not Note.objects.exists()
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("tab", "count"), [("benefits", 23), ("claims", 20), ("coupons", 19), ("facts", 27), ("history", 23)]
)
def test_a_tab_costs_the_same_for_any_number_of_rows(tab: str, count: int, staff: Staff) -> None:
    viewer = staff("vi", "viewer")
    viewer.get(f"{PAGE}?tab={tab}")
    with CaptureQueriesContext(connection) as found:
        viewer.get(f"{PAGE}?tab={tab}")
    assert len(found) == count


@pytest.mark.parametrize("address", ["/admin/merchant/M9/", f"{PAGE}?tab=else"])
def test_what_is_not_there_is_not_found(address: str, staff: Staff) -> None:
    assert staff("vi", "viewer").get(address).status_code == 404


def test_visitors_and_members_do_not_see_it() -> None:
    assert Client().get(PAGE).status_code == 302
    assert client(member("w@example.com")).get(PAGE).status_code != 200


ENTITLEMENTS = """
entitlements:
  - {code: badge, names: {en: Badge, zh: 标识}, holder: merchant, conditions: [{rating: stars, at_least: 1}]}
  - code: rate
    names: {en: Rate, zh: 利率}
    holder: merchant
    conditions: [{in_force: membership, of: [global_pass]}]
    value: {cases: [{when: [{rating: stars, is: 2}], is: 7.50}, {when: [{rating: stars, is: 1}], is: 9.00}]}
  - {code: bnpl, names: {en: Pay later, zh: 先买后付}, holder: buyer, conditions: [{fact: level, at_least: 2}]}
"""


def test_ratings_and_entitlements_say_until_when_and_why(staff: Staff) -> None:
    """Merchant M1 has level 1 until the end of 4 October by its official rating; buyer B1 has level 1."""
    source = HEADING + STARS + ENTITLEMENTS
    correct(Merchant, "M1", logistics_partner=False)
    publishing.publish(parser.read(source.replace("trial", "stars")), source=source, at=t("01"), by="test")
    trade("T1", amount_usd=Decimal(1000), disputed_at="2022-08-21")
    receipt("R1", "T1", "08-20")
    buyer("B1")
    level("B1", 1, "2022-08-01")
    level("B1", 3, "2022-12-01")
    tick("20")
    clock("20")
    viewer = staff("vi", "viewer")
    page = text(viewer, f"{PAGE}?tab=rights")
    assert "Stars All ratings Official Level one star · 40.00 2022-09 · until 5 Oct" in page
    assert "Volume: 3,000.00 USD, 2,000.00 USD more" in page
    assert "Badge Level of the rating Stars is at least 1 · found: 1 until 5 Oct, 08:00" in page
    assert "Rate: 9 Level of the rating Stars is 1 Membership (Global Pass) in force · found: Global Pass until" in page
    page = text(viewer, "/admin/buyer/B1/")
    assert "Pay later Level is at least 2 · found: 1, 1 short bnpl Does not have it Levels Level 1 from 1 Aug" in page
    assert 'href="/admin/buyer/B1/"' in viewer.get("/admin/search/", {"q": "B1"}).content.decode()
