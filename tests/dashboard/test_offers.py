"""Page of one offer, and calendar feeds."""

from datetime import UTC, datetime

import icalendar
import pytest
from django.test import Client

from merchants.models import Member
from tests.support import season
from tests.support.members import client, clock, text
from tests.support.world import freight, merchant, offer, publish, tick

pytestmark = pytest.mark.django_db

WEST = "{at: 2022-09-30 23:59:59, zone: America/Los_Angeles, twin: {at: 2022-10-01 14:59:59, zone: Asia/Shanghai}}"
CONDITIONS = (
    "[{fact: merchant.country, is: CN}, {in_force: membership, of: [export_pass]}, "
    f"{{fact: paid_at, by: {WEST}}}, {{fact: base_freight, at_least: 500.00}}]"
)


def test_terms_are_marked_met_or_not_met(owner: Member) -> None:
    publish(offer("o", conditions=CONDITIONS, quota="{limit: 1000, per_merchant: 2}", carriers="[{en: Swift, zh: 迅}]"))
    page = text(client(owner), "/offers/o/")
    assert "Not available to you" in page
    assert "10% off the freight" in page
    assert "✓ met: country is CN found: CN" in page
    assert "✗ not met: membership (Export Pass) in force found: nothing" in page
    assert "• base freight is at least 500.00 checked for each order" in page
    assert "the first 1,000 freight orders and at most 2 for each merchant" in page
    assert "Closes 30 September 2022 23:59:59 Los Angeles 1 October 2022 14:59:59 Beijing" in page
    assert "Carriers Swift" in page


def test_in_chinese(owner: Member) -> None:
    publish(offer("o", conditions=CONDITIONS, carriers="[{en: Swift, zh: 迅}]"))
    browser = client(owner)
    browser.cookies["django_language"] = "zh-hans"
    page = text(browser, "/offers/o/")
    assert "✓ 已满足： 国家为CN 实际：CN" in page
    assert "承运商 迅" in page
    assert "✗ 未满足： 会员（出口通）生效中" in page
    assert "met:" not in page


def test_the_page_agrees_with_the_decision(owner: Member) -> None:
    merchant("M2", member=False)
    publish(offer("o", conditions="[{in_force: membership, of: [global_pass]}]"))
    freight("A", paid_at="02")
    freight("B", of="M2", paid_at="02")
    tick("03")
    assert "Earned" in text(client(owner), "/offers/o/")


def dates(content: bytes) -> dict[str, tuple[datetime, str]]:
    events = icalendar.Calendar.from_ical(content).walk("VEVENT")
    return {str(event["uid"]): (event.decoded("dtstart"), str(event["summary"])) for event in events}


def test_calendar_of_one_offer(owner: Member) -> None:
    publish(offer("o", conditions=CONDITIONS))
    path = f"/calendar/{owner.calendar_key}/o.ics"
    assert path in client(owner).get("/offers/o/").content.decode()
    response = Client().get(path)  # a calendar program signs in nowhere
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert dates(response.content) == {
        "o.closes@fairground": (datetime(2022, 10, 1, 6, 59, 59, tzinfo=UTC), "o: Closes"),
    }


def test_calendar_of_all_offers(owner: Member) -> None:
    season.publish()
    clock("03")
    found = dates(Client().get(f"/calendar/{owner.calendar_key}.ics").content)
    assert found["express-coupons.coupons_to@fairground"][0] == datetime(2022, 12, 1, 7, 59, 59, tzinfo=UTC)
    assert found["express-coupons.decided@fairground"][0] == datetime(2022, 10, 15, 7, 0, tzinfo=UTC)
    assert found["us-west-port-to-door.deadline@fairground"][0] == datetime(2022, 11, 1, 6, 59, 59, tzinfo=UTC)
    Member.objects.update(language="zh-hans")
    summary = dates(Client().get(f"/calendar/{owner.calendar_key}.ics").content)[
        "us-west-port-to-door.opens@fairground"
    ][1]
    assert summary == "美西港到门 立减100美元: 开始"


def test_renewed_and_disabled_calendar_addresses_are_not_found(owner: Member) -> None:
    publish(offer("o"))
    old = owner.calendar_key
    assert client(owner).post("/account/calendar/").status_code == 302
    owner.refresh_from_db()
    assert Client().get(f"/calendar/{old}.ics").status_code == 404
    assert Client().get(f"/calendar/{owner.calendar_key}.ics").status_code == 200
    assert Client().get(f"/calendar/{owner.calendar_key}/nothing.ics").status_code == 404
    Member.objects.update(disabled_at="2022-09-03T00:00Z")
    assert Client().get(f"/calendar/{owner.calendar_key}.ics").status_code == 404
