"""Two processes at once create one mail, one message and one use of a coupon (L6, L10)."""

from functools import partial

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from campaigns.coupons import attachment, life_cycle, redemption
from campaigns.coupons.attachment import NotAttachableError
from campaigns.models import Coupon, Grant, Issuance, Message, Offer, OutboxEvent
from campaigns.notifications import distribution, mailing
from merchants.models import Member, Merchant
from services.models import ClaimRequest
from tests.support.concurrency import Race, at_once
from tests.support.guards import without_row_locks
from tests.support.marketplace import account
from tests.support.members import client, clock
from tests.support.scenarios import BUNDLE, coupon_offer, request_offer
from tests.support.world import freight, offer, publish, t, tick

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def letter(owner: Member) -> None:
    owner.user.last_login = t("01")
    owner.user.save()
    publish(coupon_offer())
    freight("A", shipped_at="02")
    tick("03")
    distribution.fan_out()
    mail.outbox = []


def two_senders(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two workers, both of which have looked for the mail that is due before either sends it."""
    race = Race()
    monkeypatch.setattr(EmailBackend, "send_messages", race.stop_before(EmailBackend.send_messages))
    return race.run([lambda: mailing.send_mail(at=t("03"))] * 2)


def test_two_senders_send_one_mail(letter: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sorted(two_senders(monkeypatch)) == [0, 1]
    assert len(mail.outbox) == 1


def test_control_without_the_lock_two_mails_are_sent(letter: None, monkeypatch: pytest.MonkeyPatch) -> None:
    without_row_locks(monkeypatch)
    assert two_senders(monkeypatch) == [1, 1]
    assert len(mail.outbox) == 2


def test_two_workers_create_each_message_once(owner: Member, mate: Member) -> None:
    publish(offer("o"))
    for n in range(300):
        freight(f"F{n:03}", paid_at="02")
    tick("03")
    assert sum(at_once([distribution.fan_out, distribution.fan_out])) == OutboxEvent.objects.count() == 300
    assert Message.objects.count() == 600


def ask(number: str, merchant: Merchant) -> Coupon | NotAttachableError:
    """Attach a coupon. Return it, or the refusal."""
    try:
        return attachment.attach(number, kind="freight_order", merchant=merchant, at=t("03"), by="owner")
    except NotAttachableError as refusal:
        return refusal


def attach_to_two_orders(owner: Member, monkeypatch: pytest.MonkeyPatch) -> list[Coupon | NotAttachableError]:
    """Attach the one coupon of a merchant to two orders: both have read it before either writes."""
    publish(coupon_offer(benefit=BUNDLE))
    freight("S", shipped_at="02")
    freight("A", placed_at="02 10:00")
    freight("B", placed_at="02 10:00")
    tick("03")
    race, merchant = Race(), owner.merchant
    monkeypatch.setattr(life_cycle, "replay", race.stop_before(life_cycle.replay))
    return race.run([partial(ask, number, merchant) for number in "AB"])


def test_one_coupon_goes_to_one_of_two_orders(owner: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    results = attach_to_two_orders(owner, monkeypatch)
    assert sorted(type(result).__name__ for result in results) == ["Coupon", "NotAttachableError"]
    winner = next(result for result in results if isinstance(result, Coupon))
    assert list(Coupon.objects.values_list("status", "order_no")) == [("locked", winner.order_no)]


@pytest.mark.plants_violation
def test_control_without_the_locks_two_orders_get_one_coupon(owner: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    without_row_locks(monkeypatch)
    marks = Issuance.objects.values_list("spent_until")
    monkeypatch.setattr(redemption, "_marks", lambda: marks.all)  # which are locked by a statement that is kept
    results = attach_to_two_orders(owner, monkeypatch)
    assert [type(result).__name__ for result in results] == ["Coupon", "Coupon"]
    assert Coupon.objects.count() == 1


def test_one_order_gets_one_coupon_of_two_requests(owner: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(coupon_offer(benefit=BUNDLE.replace("count: 1", "count: 2")))
    freight("S", shipped_at="02")
    freight("A", placed_at="02 10:00")
    tick("03")
    race, merchant = Race(), owner.merchant
    monkeypatch.setattr(life_cycle, "replay", race.stop_before(life_cycle.replay))
    results = race.run([partial(ask, "A", merchant)] * 2)
    assert sorted(type(result).__name__ for result in results) == ["Coupon", "NotAttachableError"]
    assert Coupon.objects.filter(status="locked").count() == 1


def test_a_double_click_in_two_processes_claims_once(owner: Member) -> None:
    """Two posts of one page at the same time, on a quota with room for both: one request, one grant, one answer."""
    account()
    publish(request_offer(conditions="[{fact: requested_at, from: 2022-09-03 12:00:00}]", quota="{limit: 5}"))
    clock("03 12:00:00")
    browsers = [client(owner), client(owner)]
    answers = at_once([partial(each.post, "/offers/c/request/", {"token": "t1"}, follow=True) for each in browsers])
    assert all("It is yours: c. You are number 1 of 5." in answer.content.decode() for answer in answers)
    assert (ClaimRequest.objects.count(), Grant.objects.count(), Coupon.objects.count()) == (1, 1, 1)
    assert Offer.objects.get(code="c").places_taken == 1
