"""Messages: what changed is told once, on the page and by mail, by each one's choice."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from campaigns import tasks
from campaigns.coupons import issuing
from campaigns.engine import instant_claims
from campaigns.grants import transitions
from campaigns.models import Grant, Message, OutboxEvent
from campaigns.notifications import messages
from merchants import members
from merchants.models import Member
from tests.engine.test_late import BUNDLE, coupon_offer
from tests.support.members import client, clock, text
from tests.support.world import freight, merchant, offer, publish, t, tick

pytestmark = pytest.mark.django_db

EIGHT = BUNDLE.replace("count: 1", "count: 8")


def signed_in(who: Member) -> Member:
    """One who has signed in once: to others nothing is mailed."""
    who.user.last_login = t("01")
    who.user.save()
    return who


def told(who: Member) -> list[str]:
    """What the page says, oldest first."""
    page = client(who).get("/messages/")
    return [line for _, line in page.context["messages_with_text"]][::-1]


def test_what_happened_is_told_in_words(owner: Member) -> None:
    publish(offer("o", quota="{limit: 2, per_merchant: 1}", where="[{fact: service, is: express}]"))
    merchant("M2")
    freight("A", paid_at="02 10:00")
    freight("B", paid_at="02 11:00")
    freight("C", of="M2", paid_at="02 12:00")
    freight("ABROAD", service="sea_fcl", paid_at="02 12:00")
    tick("03")
    messages.fan_out()
    assert told(owner) == ["o: granted for A, worth 100.00 CNY.", "o: no place for B, you have had your share."]
    transitions.revoke(Grant.objects.get(subject="A"), at=t("03"), by="ana", reason="embargo")
    messages.fan_out()
    assert told(owner)[-1] == "o: A, 100.00 CNY, was taken away: embargo"


def test_the_quota_was_full(owner: Member) -> None:
    publish(offer("o", quota="{limit: 1}"))
    merchant("M2")
    freight("C", of="M2", paid_at="02 10:00")
    freight("A", paid_at="02 11:00")
    tick("03")
    messages.fan_out()
    assert told(owner) == ["o: no place for A, all places were taken."]


def test_a_refusal_for_a_condition_is_not_told(owner: Member) -> None:
    publish(offer("o", conditions="[{fact: base_freight, at_least: 5000.00}]"))
    freight("A", paid_at="02")
    tick("03")
    messages.fan_out()
    assert OutboxEvent.objects.filter(kind="refused", spread=True).count() == 1
    assert told(owner) == []


def test_a_bundle_is_told_of_once(owner: Member, mate: Member) -> None:
    publish(coupon_offer(benefit=EIGHT))
    freight("A", shipped_at="02")
    tick("03")
    assert OutboxEvent.objects.filter(kind="coupon_issued").count() == 8
    messages.fan_out()
    expected = ["c: granted for you, worth 200.00 CNY.", "c: 8 coupons of 25.00 CNY each were issued to you."]
    assert told(owner) == told(mate) == expected
    assert messages.fan_out() == 0
    assert told(owner) == expected


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("24 23:59:59.999999", []),
        ("25", ["c: 7 coupons expire in 5 days."]),
        ("29 23:59:59.999999", ["c: 7 coupons expire in 5 days."]),
        ("30", ["c: coupons expired."]),
    ],
)
def test_coupons_that_expire_in_five_days(owner: Member, at: str, said: list[str]) -> None:
    publish(coupon_offer(benefit=EIGHT))
    freight("A", shipped_at="02")
    freight("B", placed_at="02 10:00", paid_at="02 11:00", use_coupon=True)
    tick("03")
    messages.fan_out()
    before = len(told(owner))
    tick(at)
    messages.fan_out()
    assert told(owner)[before:] == said


def test_expiry_is_told_once_however_often_it_ticks(owner: Member) -> None:
    publish(coupon_offer(benefit=EIGHT))
    freight("A", shipped_at="02")
    for at in ("03", "25", "26", "27", "28"):
        tick(at)
        tick(at)
    assert list(OutboxEvent.objects.filter(kind="coupon_expiring").values_list("at", "reason")) == [(t("25"), "8")]


def test_each_is_told_of_what_it_chose(owner: Member, mate: Member) -> None:
    browser = client(mate)
    page = browser.post("/account/", {"language": "en", "zone": "UTC", "shown": ["granted"], "mailed": []}, follow=True)
    assert b"Preferences saved." in page.content
    publish(coupon_offer(benefit=EIGHT))
    freight("A", shipped_at="02")
    tick("03")
    signed_in(owner), signed_in(mate)
    messages.fan_out()
    assert told(mate) == ["c: granted for you, worth 200.00 CNY."]
    assert messages.send_mail(at=t("03")) == 1
    assert [letter.to for letter in mail.outbox] == [["owner@example.com"]]


def test_unread_ones_are_counted_until_they_are_read(owner: Member, mate: Member) -> None:
    publish(offer("o"))
    freight("A", paid_at="02")
    tick("03")
    messages.fan_out()
    browser = client(owner)
    assert "Messages 1 unread" in text(browser, "/")
    assert browser.post("/messages/read/").headers["Location"] == "/messages/"
    page = text(browser, "/messages/")
    assert "unread" not in page
    assert "granted for A" in page
    assert "Messages 1 unread" in text(client(mate), "/")


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_queries_does_not_depend_on_messages(owner: Member, count: int) -> None:
    publish(offer("o"))
    for n in range(count):
        freight(f"F{n}", paid_at="02")
    tick("03")
    messages.fan_out()
    browser = client(owner)
    with CaptureQueriesContext(connection) as queries:
        browser.get("/messages/")
    assert len(queries) == 6  # session, user, member, messages, clock, unread messages


# Mail


@pytest.fixture
def letter(owner: Member) -> Member:
    """An owner with news to be mailed."""
    publish(coupon_offer(benefit=EIGHT))
    freight("A", shipped_at="02")
    tick("03")
    messages.fan_out()
    return signed_in(owner)


def test_mail_in_the_members_language_and_zone(letter: Member) -> None:
    Member.objects.update(language="zh-hans", zone="America/Los_Angeles")
    assert messages.send_mail(at=t("03")) == 1
    [sent] = mail.outbox
    assert sent.subject == "您的权益有1项变化"
    assert "- c：已向您发放8张 25.00 CNY 优惠券。\n  美西时间2022年9月1日 17:00:00\n" in sent.body
    assert "http://127.0.0.1:8000/messages/" in sent.body


def test_mail_is_sent_once(letter: Member) -> None:
    assert messages.send_mail(at=t("03")) == 1
    assert messages.send_mail(at=t("04")) == 0
    assert len(mail.outbox) == 1
    assert Message.objects.get(mail=True).mailed_at == t("03")


def test_one_mail_tells_of_much(letter: Member) -> None:
    publish(coupon_offer(benefit=EIGHT) + offer("o", quota="{limit: 1}"))
    for n in range(31):
        freight(f"F{n:02}", paid_at=f"02 10:00:{n:02}")
    tick("04")
    messages.fan_out()
    assert messages.send_mail(at=t("04")) == 1
    [sent] = mail.outbox
    assert sent.subject == "31 changes to your benefits"
    assert sent.body.count("\n- ") == 20
    assert "and 11 more changes." in sent.body


@pytest.mark.parametrize("out", ["disabled", "never signed in"])
def test_no_mail_to_those_who_are_not_in(letter: Member, mate: Member, out: str) -> None:
    if out == "disabled":
        Member.objects.filter(pk=letter.pk).update(disabled_at=t("03"))
    else:
        letter.user.last_login = None
        letter.user.save()
    assert messages.send_mail(at=t("03")) == 0
    assert mail.outbox == []


class Broken(EmailBackend):
    """A mail server that does not answer."""

    def send_messages(self, messages: object) -> int:
        raise OSError("no answer")


def test_a_failed_mail_is_tried_again_after_growing_gaps(
    letter: Member, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = f"{__name__}.Broken"
    tries = []
    at = t("03")
    for minute in range(20):
        caplog.clear()
        messages.send_mail(at=at + timedelta(minutes=minute))
        tries += [minute] * len(caplog.records)
    assert tries == [0, 1, 3, 7, 15]
    settings.EMAIL_BACKEND = working
    assert messages.send_mail(at=at + timedelta(minutes=30)) == 0
    assert messages.send_mail(at=at + timedelta(minutes=31)) == 1
    letter.refresh_from_db()
    assert (letter.mail_failures, letter.mail_after) == (0, None)


def test_a_mail_sent_and_not_marked_is_sent_again_under_the_same_id(
    letter: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(Exception):
        """The process ends just after the mail went out."""

    def killed(*_arguments: object, **_options: object) -> int:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr("django.db.models.query.QuerySet.update", killed)
        with pytest.raises(KilledError):
            messages.send_mail(at=t("03"))
    assert messages.send_mail(at=t("03")) == 1
    first, second = mail.outbox
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]


def test_the_worker_spreads_and_posts(owner: Member) -> None:
    signed_in(owner)
    publish(coupon_offer(benefit=EIGHT))
    freight("A", shipped_at="02")
    clock("03")
    tasks.tick()
    assert len(mail.outbox) == 1
    assert told(owner) == [
        "c: granted for you, worth 200.00 CNY.",
        "c: 8 coupons of 25.00 CNY each were issued to you.",
    ]


def test_what_a_request_decided_is_told_by_the_sweep(owner: Member) -> None:
    publish(offer("o"))
    freight("A", paid_at="02")
    instant_claims.claim("A", of="freight_order", at=t("03"))
    assert told(owner) == []
    tasks.sweep()
    assert told(owner) == ["o: granted for A, worth 100.00 CNY."]


def test_nobody_listens_where_no_member_is_enabled(owner: Member) -> None:
    Member.objects.update(disabled_at=t("03"))
    publish(offer("o"))
    freight("A", paid_at="02")
    tick("03")
    assert not OutboxEvent.objects.exists()


def test_coupons_that_were_taken_away_are_told_of_once(owner: Member) -> None:
    publish(coupon_offer(benefit=EIGHT))
    freight("A", shipped_at="02")
    tick("03")
    issuing.void([Grant.objects.get()], at=t("03 10:00"), by="ana", reason="embargo")
    messages.fan_out()
    assert told(owner)[-1:] == ["c: coupons were taken away: embargo"]
    assert sum("taken away" in line for line in told(owner)) == 1


def test_members_of_one_merchant_do_not_hear_of_another(owner: Member, stranger: Member) -> None:
    publish(offer("o"))
    freight("A", of="M2", paid_at="02")
    tick("03")
    messages.fan_out()
    assert told(owner) == []
    assert told(stranger) == ["o: granted for A, worth 100.00 CNY."]
    assert tuple(Message.Topic.values) == members.TOPICS
