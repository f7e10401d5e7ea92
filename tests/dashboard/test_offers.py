"""Page of one offer, and calendar feeds."""

from datetime import UTC, datetime, timedelta
from re import findall, search

import icalendar
import pytest
from django.test import Client

from merchants import members
from merchants.models import Member
from tests.support import season
from tests.support.members import client, clock, visible
from tests.support.world import freight, merchant, offer, publish, t, tick

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once(reason="what a page shows; the tests of the browser open pages on PostgreSQL"),
]
WEST = "{at: 2022-09-30 23:59:59, zone: America/Los_Angeles, twin: {at: 2022-10-01 14:59:59, zone: Asia/Shanghai}}"
CONDITIONS = (
    "[{fact: merchant.country, is: CN}, {in_force: membership, of: [export_pass]}, "
    f"{{fact: paid_at, by: {WEST}}}, {{fact: base_freight, at_least: 500.00}}]"
)


def test_terms_are_marked_met_or_not_met(owner: Member) -> None:
    publish(offer("o", conditions=CONDITIONS, quota="{limit: 1000, per_merchant: 2}", carriers="[{en: Swift, zh: 迅}]"))
    page = visible(client(owner), "/offers/o/")
    assert "Not available to you" in page
    assert "10% off the freight" in page
    assert "Requirements 1 of 2 met Met: Country is China You have: China" in page
    assert "Not met: Membership (Export Pass) in force You have: –" in page
    assert "Paid no later than 1 Oct, 14:59 Checked at each claim" in page
    assert "Base freight is at least 500.00 Checked at each claim" in page
    assert "The first 1,000 freight orders and at most 2 for each merchant 1,000 left of 1,000" in page
    assert "Dates Closes 1 Oct, 14:59" in page
    assert "Carriers Swift" in page


def test_in_chinese(owner: Member) -> None:
    publish(offer("o", conditions=CONDITIONS, carriers="[{en: Swift, zh: 迅}]"))
    browser = client(owner)
    browser.cookies["django_language"] = "zh-hans"
    page = visible(browser, "/offers/o/")
    assert "已满足： 国家为中国 您的情况： 中国" in page
    assert "承运商 迅" in page
    assert "未满足： 会员（出口通）生效中" in page
    assert "met:" not in page


def test_the_page_agrees_with_the_decision(owner: Member) -> None:
    merchant("M2", member=False)
    publish(offer("o", conditions="[{in_force: membership, of: [global_pass]}]"))
    freight("A", paid_at="02")
    freight("B", of="M2", paid_at="02")
    tick("03")
    page = visible(client(owner), "/offers/o/")
    assert "1 freight order, 100.00 CNY saved · no limit" in page
    assert "1 of 1 met" in page


def dates(content: bytes) -> dict[str, tuple[datetime, str]]:
    events = icalendar.Calendar.from_ical(content).walk("VEVENT")
    return {str(event["uid"]): (event.decoded("dtstart"), str(event["summary"])) for event in events}


def test_calendar_of_one_offer(owner: Member) -> None:
    publish(offer("o", conditions=CONDITIONS))
    browser, path = client(owner), "/offers/o/dates.ics"
    assert path in browser.get("/offers/o/").content.decode()
    response = browser.get(path)
    assert browser.get("/offers/nothing/dates.ics").status_code == 404
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert dates(response.content) == {
        "o.closes@fairground": (datetime(2022, 10, 1, 6, 59, 59, tzinfo=UTC), "o: Closes"),
    }


def test_calendar_of_all_offers(owner: Member) -> None:
    season.publish()
    clock("03")
    path = f"/calendar/{members.renew_calendar(owner)}.ics"
    found = dates(Client().get(path).content)  # a calendar program signs in nowhere
    assert found["express-coupons.coupons_to@fairground"][0] == datetime(2022, 12, 1, 7, 59, 59, tzinfo=UTC)
    assert found["express-coupons.decided@fairground"][0] == datetime(2022, 10, 15, 7, 0, tzinfo=UTC)
    assert found["us-west-port-to-door.deadline@fairground"][0] == datetime(2022, 11, 1, 6, 59, 59, tzinfo=UTC)
    assert found["easy-return-premium-half.order_by@fairground"] == (
        datetime(2022, 10, 1, 6, 59, 59, tzinfo=UTC),
        "Easy Return premium halved: Order by",
    )
    assert found["easy-return-premium-half.closes@fairground"] == (
        datetime(2022, 12, 31, 15, 59, 59, tzinfo=UTC),
        "Easy Return premium halved: Shipped by",
    )
    assert found["oa-fee-waiver.closes@fairground"][1] == "Open account service fee waived: First payment booked by"
    assert found["oa-fee-waiver.order_by@fairground"][0] == datetime(2022, 10, 1, 6, 59, 59, tzinfo=UTC)
    assert found["charter-5-off.closes@fairground"][1] == "China–US charter 5% off from 760 yuan: Closes"
    assert "charter-5-off.order_by@fairground" not in found
    assert not [uid for uid in found if uid.startswith("parcel-11-off")]  # not available to this merchant
    [event] = [
        event
        for event in icalendar.Calendar.from_ical(Client().get(path).content).walk("VEVENT")
        if event["uid"] == "charter-5-off.closes@fairground"
    ]
    assert str(event["url"]) == "http://127.0.0.1:8000/offers/charter-5-off/"
    assert [alarm.decoded("trigger") for alarm in event.walk("VALARM")] == [timedelta(days=-3)]
    Member.objects.update(language="zh-hans")
    summary = dates(Client().get(path).content)["us-west-port-to-door.opens@fairground"][1]
    assert summary == "美西港到门 立减100美元: 开始"


def new_address(browser: Client) -> str:
    """Create a calendar address on the account page, which shows it once, and return its path."""
    found = search(r"http://testserver(/calendar/[^.]+\.ics)", browser.post("/account/calendar/").content.decode())
    assert found
    return found[1]


def test_a_calendar_address_stands_first_and_can_be_copied(owner: Member) -> None:
    browser = client(owner)
    before = visible(browser, "/account/")
    assert before.index("Create a subscription address") < before.index("Change password")
    page = browser.post("/account/calendar/").content.decode()
    [field] = findall(
        r'<input class="input" id="address" value="http://testserver/calendar/[^"]+" readonly autofocus', page
    )
    assert page.index(field) < page.index("Preferences")
    assert 'data-copy="address" hidden' in page


def test_a_calendar_address_is_shown_once_and_stored_as_a_hash(owner: Member) -> None:
    publish(offer("o"))
    browser = client(owner)
    path = new_address(browser)
    assert Client().get(path).status_code == 200
    for page in ("/account/", "/offers/o/"):
        assert "/calendar/" not in browser.get(page).content.decode().replace('action="/account/calendar/"', "")
    stored = str(Member.objects.values().get())
    assert path.removeprefix("/calendar/").removesuffix(".ics") not in stored
    for digest in Member.objects.values_list("calendar_digest", flat=True):
        assert Client().get(f"/calendar/{digest}.ics").status_code == 404


@pytest.mark.parametrize("end", ["renewed", "disabled", "inactive user"])
def test_a_renewed_or_disabled_calendar_address_is_not_found(owner: Member, end: str) -> None:
    publish(offer("o"))
    path = new_address(client(owner))
    assert Client().get(path).status_code == 200
    if end == "renewed":
        assert new_address(client(owner)) != path
    elif end == "disabled":
        members.disable(owner, at=t("03"), by=None)
        members.enable(owner, by=None)
    else:
        owner.user.is_active = False
        owner.user.save()
    assert Client().get(path).status_code == 404
