"""Two processes at once create one mail, one message and one use of a coupon (L6, L10)."""

from functools import partial
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db.models import QuerySet
from pytest_django import Settings

from campaigns.coupons import attachment, life_cycle, redemption
from campaigns.coupons.attachment import NotAttachableError
from campaigns.models import Coupon, Issuance, Message, OutboxEvent
from campaigns.notifications import distribution, mailing
from merchants.models import Member, Merchant
from tests.support.concurrency import at_once
from tests.support.guards import without_row_locks
from tests.support.scenarios import BUNDLE, coupon_offer
from tests.support.world import freight, offer, publish, t, tick

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


meeting = Barrier(2)


class Meeting(EmailBackend):
    """Mail backend at which two senders wait for each other, if there are two."""

    def send_messages(self, letters: Any) -> int:
        try:
            meeting.wait(timeout=2)
        except BrokenBarrierError:
            meeting.reset()
        return super().send_messages(letters)


@pytest.fixture
def letter(owner: Member, settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Meeting"
    owner.user.last_login = t("01")
    owner.user.save()
    publish(coupon_offer())
    freight("A", shipped_at="02")
    tick("03")
    distribution.fan_out()
    mail.outbox = []


def send() -> int:
    return mailing.send_mail(at=t("03"))


def test_two_senders_send_one_mail(letter: None) -> None:
    assert sorted(at_once([send, send])) == [0, 1]
    assert len(mail.outbox) == 1


def test_control_without_the_lock_two_mails_are_sent(letter: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_options: rows)
    assert at_once([send, send]) == [1, 1]
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
        return attachment.attach(number, merchant=merchant, at=t("03"), by="owner")
    except NotAttachableError as refusal:
        return refusal


@pytest.mark.parametrize("round_", range(4))
def test_one_coupon_goes_to_one_of_two_orders(owner: Member, round_: int) -> None:
    publish(coupon_offer(benefit=BUNDLE))
    freight("S", shipped_at="02")
    freight("A", placed_at="02 10:00")
    freight("B", placed_at="02 10:00")
    tick("03")
    merchant = owner.merchant
    found = at_once([partial(ask, number, merchant) for number in "AB"])
    assert sorted(type(result).__name__ for result in found) == ["Coupon", "NotAttachableError"]
    winner = next(result for result in found if isinstance(result, Coupon))
    assert list(Coupon.objects.values_list("status", "order_no")) == [("locked", winner.order_no)]


@pytest.mark.plants_violation
def test_control_without_the_locks_two_orders_get_one_coupon(owner: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(coupon_offer(benefit=BUNDLE))
    freight("S", shipped_at="02")
    freight("A", placed_at="02 10:00")
    freight("B", placed_at="02 10:00")
    tick("03")
    without_row_locks(monkeypatch)
    marks = Issuance.objects.values_list("spent_until")
    monkeypatch.setattr(redemption, "_marks", lambda: marks.all)  # which are locked by a statement that is kept
    fold, both = life_cycle.replay, Barrier(2)

    def met(*arguments: Any, **options: Any) -> life_cycle.Replay:
        both.wait(timeout=10)  # both have read before either writes
        return fold(*arguments, **options)

    monkeypatch.setattr(life_cycle, "replay", met)
    merchant = owner.merchant
    found = at_once([partial(ask, number, merchant) for number in "AB"])
    assert [type(result).__name__ for result in found] == ["Coupon", "Coupon"]
    assert Coupon.objects.count() == 1


def test_one_order_gets_one_coupon_of_two_requests(owner: Member) -> None:
    publish(coupon_offer(benefit=BUNDLE.replace("count: 1", "count: 2")))
    freight("S", shipped_at="02")
    freight("A", placed_at="02 10:00")
    tick("03")
    merchant = owner.merchant
    found = at_once([partial(ask, "A", merchant)] * 2)
    assert sorted(type(result).__name__ for result in found) == ["Coupon", "NotAttachableError"]
    assert Coupon.objects.filter(status="locked").count() == 1
