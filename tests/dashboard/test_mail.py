"""Mail with messages: one letter to each member, in its language, tried again after failures."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from pytest_django import Settings

from campaigns import tasks
from campaigns.models import Message
from campaigns.notifications import distribution, mailing
from campaigns.notifications.backends import DeliveryError, Notice
from merchants.models import Member
from tests.support.members import clock, signed_in
from tests.support.scenarios import BUNDLE, coupon_offer
from tests.support.world import freight, offer, publish, t, tick

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="the text of mail")]

EIGHT = BUNDLE.replace("count: 1", "count: 8")


@pytest.fixture
def letter(owner: Member) -> Member:
    """An owner with messages to be mailed."""
    publish(coupon_offer(benefit=EIGHT))
    freight("A", shipped_at="02")
    tick("03")
    distribution.fan_out()
    return signed_in(owner)


def test_mail_uses_the_language_and_zone_of_the_member(letter: Member) -> None:
    Member.objects.update(language="zh-hans", zone="America/Los_Angeles")
    assert mailing.send_mail(at=t("03")) == 1
    [sent] = mail.outbox
    assert sent.subject == "您的权益有1项变化"
    assert "- c：您已获得8张 25.00 CNY 优惠券。\n  美西时间2022年9月1日 17:00\n" in sent.body
    assert "http://127.0.0.1:8000/messages/" in sent.body


def test_mail_is_sent_once(letter: Member) -> None:
    assert mailing.send_mail(at=t("03")) == 1
    assert mailing.send_mail(at=t("04")) == 0
    assert len(mail.outbox) == 1
    assert Message.objects.get(mail=True).mailed_at == t("03")


def test_a_mail_lists_at_most_20_messages(letter: Member) -> None:
    publish(coupon_offer(benefit=EIGHT) + offer("o", quota="{limit: 1}"))
    for n in range(31):
        freight(f"F{n:02}", paid_at=f"02 10:00:{n:02}")
    tick("04")
    distribution.fan_out()
    assert mailing.send_mail(at=t("04")) == 1
    [sent] = mail.outbox
    assert sent.subject == "31 changes to your benefits"
    assert sent.body.count("\n- ") == 20
    assert "and 11 more changes." in sent.body


@pytest.mark.parametrize("reason", ["disabled", "inactive", "never signed in"])
def test_no_mail_to_disabled_members_or_before_the_first_sign_in(letter: Member, mate: Member, reason: str) -> None:
    if reason == "disabled":
        Member.objects.filter(pk=letter.pk).update(disabled_at=t("03"))
    elif reason == "inactive":
        letter.user.is_active = False
        letter.user.save()
    else:
        letter.user.last_login = None
        letter.user.save()
    assert mailing.send_mail(at=t("03")) == 0
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
        mailing.send_mail(at=at + timedelta(minutes=minute))
        tries += [minute] * len(caplog.records)
    assert tries == [0, 1, 3, 7, 15]
    settings.EMAIL_BACKEND = working
    assert mailing.send_mail(at=at + timedelta(minutes=30)) == 0
    assert mailing.send_mail(at=at + timedelta(minutes=31)) == 1
    letter.refresh_from_db()
    assert (letter.mail_failures, letter.mail_after) == (0, None)


def test_a_mail_not_marked_as_sent_is_repeated_with_the_same_message_id(
    letter: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(Exception):
        """The process ends just after the mail went out."""

    def killed(*_arguments: object, **_options: object) -> int:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr("django.db.models.query.QuerySet.update", killed)
        with pytest.raises(KilledError):
            mailing.send_mail(at=t("03"))
    assert mailing.send_mail(at=t("03")) == 1
    first, second = mail.outbox
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]


def test_a_tick_of_the_worker_fans_out_and_sends_mail(owner: Member) -> None:
    signed_in(owner)
    publish(coupon_offer(benefit=EIGHT))
    freight("A", shipped_at="02")
    clock("03")
    tasks.tick()
    assert len(mail.outbox) == 1
    assert Message.objects.filter(member=owner, shown=True).count() == 2


TOLD: list[Notice] = []


class Recorder:
    """Back end of another channel."""

    def deliver(self, notice: Notice) -> None:
        TOLD.append(notice)


class Unreachable:
    """Back end that fails."""

    def deliver(self, notice: Notice) -> None:
        raise DeliveryError(notice.key)


def test_other_back_ends_are_told_what_is_mailed(letter: Member, settings: Settings) -> None:
    TOLD.clear()
    settings.NOTIFICATION_BACKENDS = [*settings.NOTIFICATION_BACKENDS, f"{__name__}.Recorder"]
    assert mailing.send_mail(at=t("03")) == 1
    [sent], [notice] = mail.outbox, TOLD
    assert (notice.member, notice.subject, notice.body) == (letter, sent.subject, sent.body)
    assert notice.link == "http://127.0.0.1:8000/messages/"


def test_a_back_end_that_fails_is_tried_again_with_the_same_key(letter: Member, settings: Settings) -> None:
    TOLD.clear()
    settings.NOTIFICATION_BACKENDS = [f"{__name__}.Recorder", f"{__name__}.Unreachable"]
    assert mailing.send_mail(at=t("03")) == 0
    assert Message.objects.get(mail=True).mailed_at is None
    settings.NOTIFICATION_BACKENDS = [f"{__name__}.Recorder"]
    assert mailing.send_mail(at=t("03 00:01")) == 1
    first, second = TOLD
    assert first.key == second.key
