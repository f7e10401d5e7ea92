"""Messages to members: each change once, on the page, as each member has chosen."""

from html import unescape
from re import findall

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns import tasks
from campaigns.allowances import notices
from campaigns.coupons import issuing
from campaigns.engine import instant_claims
from campaigns.grants import transitions
from campaigns.models import Grant, Message, OutboxEvent
from campaigns.notifications import distribution, mailing, retention
from merchants import members
from merchants.models import Member, Merchant
from tests.support.allowances import allowance
from tests.support.allowances import publish as publish_allowances
from tests.support.members import client, clock, signed_in, text
from tests.support.scenarios import BUNDLE, coupon_offer
from tests.support.world import correct, freight, merchant, offer, publish, t, tick

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="who is told; single rows")]
EIGHT = BUNDLE.replace("count: 1", "count: 8")


def shown(member: Member) -> list[str]:
    """Return the sentences of the messages page, oldest first."""
    page = client(member).get("/messages/")
    return [entry.text for _day, entries in page.context["days"] for entry in entries][::-1]


def test_messages_describe_grants_refusals_and_revocations(owner: Member) -> None:
    publish(offer("o", quota="{limit: 2, per_merchant: 1}", where="[{fact: service, is: express}]"))
    merchant("M2")
    freight("A", paid_at="02 10:00")
    freight("B", paid_at="02 11:00")
    freight("C", of="M2", paid_at="02 12:00")
    freight("ABROAD", service="sea_fcl", paid_at="02 12:00")
    tick("03")
    distribution.fan_out()
    assert shown(owner) == [
        "o: benefit of 100.00 CNY granted for A.",
        "o: no benefit for B. Reason: you have reached your limit",
    ]
    transitions.revoke(Grant.objects.get(subject="A"), at=t("03"), by="ana", reason="embargo")
    distribution.fan_out()
    assert shown(owner)[-1] == "o: the benefit of 100.00 CNY for A was revoked. Reason: embargo"


def test_a_refusal_by_a_full_quota_makes_a_message(owner: Member) -> None:
    publish(offer("o", quota="{limit: 1}"))
    merchant("M2")
    freight("C", of="M2", paid_at="02 10:00")
    freight("A", paid_at="02 11:00")
    tick("03")
    distribution.fan_out()
    assert shown(owner) == ["o: no benefit for A. Reason: the quota was used up"]


def test_a_refusal_by_a_condition_makes_no_message(owner: Member) -> None:
    publish(offer("o", conditions="[{fact: base_freight, at_least: 5000.00}]"))
    freight("A", paid_at="02")
    tick("03")
    distribution.fan_out()
    assert OutboxEvent.objects.filter(kind="refused", fanned_out=True).count() == 1
    assert shown(owner) == []


def test_the_coupons_of_a_bundle_make_one_message(owner: Member, mate: Member) -> None:
    publish(coupon_offer(benefit=EIGHT))
    freight("A", shipped_at="02")
    tick("03")
    assert OutboxEvent.objects.filter(kind="coupon_issued").count() == 8
    distribution.fan_out()
    expected = ["c: benefit of 200.00 CNY granted for your company.", "c: you received 8 coupons of 25.00 CNY each."]
    assert shown(owner) == shown(mate) == expected
    assert distribution.fan_out() == 0
    assert shown(owner) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("24 23:59:59.999999", []),
        ("25", ["c: 7 coupons, worth 175.00 CNY in all, expire in 5 days."]),
        ("29 23:59:59.999999", ["c: 7 coupons, worth 175.00 CNY in all, expire in 5 days."]),
        ("30", ["c: coupons that you had not redeemed have expired."]),
    ],
)
def test_coupons_are_announced_five_days_before_they_expire(owner: Member, at: str, expected: list[str]) -> None:
    publish(coupon_offer(benefit=EIGHT))
    freight("A", shipped_at="02")
    freight("B", placed_at="02 10:00", paid_at="02 11:00", use_coupon=True)
    tick("03")
    distribution.fan_out()
    before = len(shown(owner))
    tick(at)
    distribution.fan_out()
    assert shown(owner)[before:] == expected


def test_many_ticks_publish_one_expiry_notice(owner: Member) -> None:
    publish(coupon_offer(benefit=EIGHT))
    freight("A", shipped_at="02")
    for at in ("03", "25", "26", "27", "28"):
        tick(at)
        tick(at)
    assert list(OutboxEvent.objects.filter(kind="coupon_expiring").values_list("at", "reason")) == [(t("25"), "8")]


def test_members_receive_the_topics_they_chose(owner: Member, mate: Member) -> None:
    browser = client(mate)
    page = browser.post("/account/", {"language": "en", "zone": "UTC", "shown": ["granted"], "mailed": []}, follow=True)
    assert b"Preferences saved." in page.content
    publish(coupon_offer(benefit=EIGHT))
    freight("A", shipped_at="02")
    tick("03")
    signed_in(owner), signed_in(mate)
    distribution.fan_out()
    assert shown(mate) == ["c: benefit of 200.00 CNY granted for your company."]
    assert mailing.send_mail(at=t("03")) == 1
    assert [letter.to for letter in mail.outbox] == [["owner@example.com"]]


def test_unread_messages_are_counted_until_marked_as_read(owner: Member, mate: Member) -> None:
    publish(offer("o"))
    freight("A", paid_at="02")
    tick("03")
    distribution.fan_out()
    browser = client(owner)
    assert 'aria-label="Messages, 1 unread"' in browser.get("/").content.decode()
    assert browser.post("/messages/read/").headers["Location"] == "/messages/"
    page = text(browser, "/messages/")
    assert "Unread" in page
    assert "1 unread" not in browser.get("/messages/").content.decode()
    assert "100.00 CNY granted for A" in page
    assert 'aria-label="Messages, 1 unread"' in client(mate).get("/").content.decode()


def test_a_message_is_read_once_it_is_opened_or_marked(owner: Member, stranger: Member) -> None:
    publish(offer("o"))
    freight("A", paid_at="02")
    freight("B", paid_at="02 10:00")
    tick("03")
    distribution.fan_out()
    browser = client(owner)
    first, second = Message.objects.filter(member=owner).order_by("event__subject")
    page = browser.get("/messages/?show=unread").content.decode()
    assert f'<a href="/messages/{first.pk}/">o: benefit of 100.00 CNY granted for A.</a>' in page
    assert client(stranger).get(f"/messages/{first.pk}/").status_code == 404
    assert browser.get(f"/messages/{first.pk}/").headers["Location"] == "/orders/freight/A/"
    assert unread(owner) == [second.pk]
    page = browser.get("/messages/").content.decode()
    assert 'aria-label="Messages, 1 unread"' in page
    assert '<a href="/orders/freight/A/">' in page
    marked = browser.post(f"/messages/{second.pk}/", {"next": "/messages/?show=unread"})
    assert marked.headers["Location"] == "/messages/?show=unread"
    assert unread(owner) == []


def test_an_act_of_a_member_rings_for_the_others_alone_and_has_its_own_time(owner: Member, mate: Member) -> None:
    publish(coupon_offer())
    freight("S", shipped_at="02")
    freight("A", placed_at="02 10:00")
    tick("03")
    distribution.fan_out()
    Message.objects.all().delete()
    browser = client(owner)
    clock("03 12:02")
    browser.post("/orders/freight/A/attach/")
    clock("03 12:05")
    browser.post("/orders/freight/A/detach/")
    distribution.fan_out()
    told = ["c: a coupon of 25.00 CNY is attached to order A.", "c: the coupon on order A is back in your wallet."]
    assert shown(owner) == shown(mate) == told
    assert (len(unread(owner)), len(unread(mate))) == (0, 2)
    times = Message.objects.filter(member=mate).order_by("pk").values_list("event__at", flat=True)
    assert list(times) == [t("03 12:02"), t("03 12:05")]


def unread(member: Member) -> list[int]:
    return list(Message.objects.filter(member=member, read_at=None).order_by("pk").values_list("pk", flat=True))


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_queries_does_not_grow_with_messages(owner: Member, count: int) -> None:
    publish(offer("o"))
    for n in range(count):
        freight(f"F{n}", paid_at="02")
    tick("03")
    distribution.fan_out()
    browser = client(owner)
    with CaptureQueriesContext(connection) as queries:
        browser.get("/messages/")
    assert len(queries) == 6  # session, user with its member, messages, clock, unread messages, documents for the menu


def test_the_sweep_fans_out_events_of_a_request(owner: Member) -> None:
    publish(offer("o"))
    freight("A", paid_at="02")
    instant_claims.claim("A", of="freight_order", at=t("03"))
    assert shown(owner) == []
    tasks.sweep()
    assert shown(owner) == ["o: benefit of 100.00 CNY granted for A."]


def test_no_event_is_written_for_merchants_without_enabled_members(owner: Member) -> None:
    Member.objects.update(disabled_at=t("03"))
    publish(offer("o"))
    freight("A", paid_at="02")
    tick("03")
    assert not OutboxEvent.objects.exists()


def test_voided_coupons_make_one_message(owner: Member) -> None:
    publish(coupon_offer(benefit=EIGHT))
    freight("A", shipped_at="02")
    tick("03")
    issuing.void([Grant.objects.get()], at=t("03 10:00"), by="ana", reason="embargo")
    distribution.fan_out()
    assert shown(owner)[-1:] == ["c: your unused coupons were withdrawn. Reason: embargo"]
    assert sum("withdrawn" in line for line in shown(owner)) == 1


def test_members_receive_nothing_about_other_merchants(owner: Member, stranger: Member) -> None:
    publish(offer("o"))
    freight("A", of="M2", paid_at="02")
    tick("03")
    distribution.fan_out()
    assert shown(owner) == []
    assert shown(stranger) == ["o: benefit of 100.00 CNY granted for A."]
    assert tuple(Message.Topic.values) == (*members.TOPICS, "note")


def test_messages_are_ordered_by_what_happened_and_grouped_by_day(owner: Member) -> None:
    publish(offer("o"))
    freight("LATER", paid_at="02 20:00")
    tick("03")
    distribution.fan_out()
    freight("EARLIER", paid_at="02 10:00")  # recorded later
    tick("04")
    distribution.fan_out()
    page = client(owner).get("/messages/")
    days = [(day, [entry.text.split()[-1] for entry in entries]) for day, entries in page.context["days"]]
    assert days == [("3 September 2022", ["LATER."]), ("2 September 2022", ["EARLIER."])]  # in Beijing


def test_a_message_links_to_what_it_is_about(owner: Member) -> None:
    publish(offer("o") + coupon_offer(benefit=EIGHT))
    freight("A/1", paid_at="02", shipped_at="02")
    tick("03")
    freight("B", placed_at="03 10:00", use_coupon=True)
    tick("04")
    clock("04")
    distribution.fan_out()
    page = client(owner).get("/messages/")
    links = {entry.text: entry.link for _day, entries in page.context["days"] for entry in entries}
    assert links["o: benefit of 100.00 CNY granted for A/1."] == "/orders/freight/A/1/"
    assert links["c: a coupon of 25.00 CNY is attached to order B."] == "/orders/freight/B/"
    assert links["c: you received 8 coupons of 25.00 CNY each."] == "/wallet/"
    assert links["c: benefit of 200.00 CNY granted for your company."] == "/offers/c/"
    for link in links.values():
        assert client(owner).get(link).status_code == 200


def test_messages_are_filtered(owner: Member) -> None:
    publish(offer("o", quota="{limit: 1}"))
    freight("A", paid_at="02 10:00")
    tick("03")
    distribution.fan_out()
    browser = client(owner)
    browser.post("/messages/read/")
    freight("B", paid_at="02 11:00")
    tick("04")
    distribution.fan_out()

    def lines(query: str) -> list[str]:
        found = browser.get(f"/messages/{query}").context["days"]
        return [entry.text for _day, entries in found for entry in entries]

    refused, granted = lines("")
    assert lines("?show=unread") == [refused]
    assert lines("?show=granted") == [granted]
    assert lines("?show=refused") == [refused]
    assert lines("?show=issued") == []
    assert "No such messages" in text(browser, "/messages/?show=issued")
    assert browser.get("/messages/?show=nonsense").status_code == 404


def test_a_filter_stays_on_the_following_pages(owner: Member) -> None:
    publish(offer("o"))
    for n in range(25):
        freight(f"F{n:02}", paid_at=f"02 {n % 24:02}:00")
    tick("03")
    distribution.fan_out()
    browser = client(owner)
    first = browser.get("/messages/?show=unread").content.decode()
    [older] = findall(r'href="(\?[^"]*after=[^"]*)"', first)
    assert "show=unread" in older
    page = browser.get(f"/messages/{unescape(older)}")
    assert [len(entries) for _day, entries in page.context["days"]] == [5]


def test_members_are_told_once_a_period_of_an_allowance_without_collecting(owner: Member, stranger: Member) -> None:
    """The merchant that meets the condition is told on the 5th; one that must collect, and a daily one, send none."""
    monthly = "{calendar: month, from_day: 5}"
    publish_allowances(
        allowance("mails", "mail", in_=monthly, conditions="[{fact: merchant.country, is: CN}]")
        + allowance("quotes", "quote", in_=monthly, collected="yes")
        + allowance("daily", "call")
    )
    correct(Merchant, "M2", country="US")
    for at, sent in (("05", 1), ("05 00:01", 0), ("10-04 23:00", 0), ("10-05", 1)):
        assert notices.send(at=t(at)) == sent
    clock("10-06")
    assert shown(owner) == [
        "mails: yours for this period, without collecting. Use it by 1 Oct, 07:59.",
        "mails: yours for this period, without collecting. Use it by 1 Nov, 07:59.",
    ]
    assert shown(stranger) == []
    message = Message.objects.latest("pk")
    assert client(owner).get(f"/messages/{message.pk}/").headers["location"] == "/allowances/"
    assert retention.purge(before=t("10-20")).messages == 1  # that of the period that has ended
