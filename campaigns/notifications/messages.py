"""Members are told what changed: on their page and by mail, each matter once, by each one's choice.

Events become messages, and deliveries for programs (`spread`); messages that want it become mail (`post`). Both take up
what was left when they were killed; two at once share the work.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from campaigns.models import Message, OutboxEvent
from campaigns.notifications import webhooks
from campaigns.offers.published_offers import terms_of
from core.db.compiled_queries import AnyOfParameter
from core.formatting import format_money
from merchants.models import Member

logger = logging.getLogger(__name__)
Kind, Topic = OutboxEvent.Kind, Message.Topic
EVENTS_AT_ONCE = 1_000
MOST_IN_A_MAIL = 20

TOPICS = {
    Kind.GRANTED: Topic.GRANTED,
    Kind.COUPON_ISSUED: Topic.ISSUED,
    Kind.COUPON_EXPIRING: Topic.EXPIRING,
    Kind.REFUSED: Topic.REFUSED,
    Kind.REVOKED: Topic.REVOKED,
    Kind.FORFEITED: Topic.REVOKED,
    Kind.COUPON_VOID: Topic.REVOKED,
    Kind.LOCKED: Topic.PROGRESS,
    Kind.SETTLED: Topic.PROGRESS,
    Kind.RELEASED: Topic.PROGRESS,
    Kind.COUPON_LOCKED: Topic.PROGRESS,
    Kind.COUPON_RETURNED: Topic.PROGRESS,
    Kind.COUPON_REDEEMED: Topic.PROGRESS,
    Kind.COUPON_EXPIRED: Topic.PROGRESS,
}
"""Which topic an event is told under; events that are not named are the operators' business."""

NO_PLACE = {
    "quota_exhausted": gettext_lazy("all places were taken"),
    "merchant_cap": gettext_lazy("you have had your share"),
    "stopped": gettext_lazy("the offer had been stopped"),
}
"""The refusals that are told. One for a condition is seen with its order: most orders fit few offers."""

WHY = {
    **NO_PLACE,
    "cancelled": gettext_lazy("cancelled"),
    "found abnormal": gettext_lazy("found abnormal"),
    "not fulfilled at settlement": gettext_lazy("not fulfilled at settlement"),
    "fulfilled after the deadline": gettext_lazy("fulfilled after the deadline"),
    "requirements not met at settlement": gettext_lazy("requirements not met at settlement"),
    "not fulfilled by the deadline": gettext_lazy("not fulfilled by the deadline"),
    "not locked in time": gettext_lazy("not locked in time"),
}
"""The engine's words for why, as `campaigns.grants.steps` writes them; what operators wrote is told as it is."""

TEXTS = {
    Kind.GRANTED: gettext_lazy("%(offer)s: granted for %(subject)s, worth %(amount)s."),
    Kind.LOCKED: gettext_lazy("%(offer)s: %(subject)s, %(amount)s, is locked and waits for its settlement."),
    Kind.SETTLED: gettext_lazy("%(offer)s: %(subject)s, %(amount)s, is settled."),
    Kind.RELEASED: gettext_lazy("%(offer)s: %(subject)s gave its place back (%(reason)s)."),
    Kind.FORFEITED: gettext_lazy("%(offer)s: %(subject)s, %(amount)s, is forfeited (%(reason)s)."),
    Kind.REVOKED: gettext_lazy("%(offer)s: %(subject)s, %(amount)s, was taken away: %(reason)s"),
    Kind.REFUSED: gettext_lazy("%(offer)s: no place for %(subject)s, %(reason)s."),
    Kind.COUPON_LOCKED: gettext_lazy("%(offer)s: a coupon of %(amount)s is attached to %(order)s."),
    Kind.COUPON_RETURNED: gettext_lazy("%(offer)s: the coupon of %(order)s came back to your wallet."),
    Kind.COUPON_REDEEMED: gettext_lazy("%(offer)s: a coupon of %(amount)s was redeemed on %(order)s."),
    Kind.COUPON_EXPIRED: gettext_lazy("%(offer)s: coupons expired."),
    Kind.COUPON_VOID: gettext_lazy("%(offer)s: coupons were taken away: %(reason)s"),
}


def listening(some: bool) -> QuerySet[Member, Any]:
    """The merchants whose members listen: of some, or of all."""
    members = Member.objects.filter(disabled_at=None)
    if some:
        members = members.filter(AnyOfParameter("merchant_id", "merchants"))
    return members.order_by().values_list("merchant_id")


def fan_out() -> int:
    """Make messages of the events that wait; returns how many events were spread."""
    spread_in_all = 0
    while some := _spread_some():
        spread_in_all += some
    return spread_in_all


@transaction.atomic
def _spread_some() -> int:
    waiting = OutboxEvent.objects.filter(spread=False).order_by("pk").select_for_update(skip_locked=True, no_key=True)
    events = list(waiting[:EVENTS_AT_ONCE])
    members: dict[str | None, list[Member]] = {}
    for member in Member.objects.filter(
        disabled_at=None, merchant__in={event.merchant_id for event in events} - {None}
    ):
        members.setdefault(member.merchant_id, []).append(member)
    made = (message for event in events for message in _messages(event, members.get(event.merchant_id, [])))
    Message.objects.bulk_create(made, batch_size=1_000, ignore_conflicts=True)
    webhooks.spread(events, at=timezone.now())
    OutboxEvent.objects.filter(pk__in=[event.pk for event in events]).update(spread=True)
    return len(events)


def _messages(event: OutboxEvent, members: Iterable[Member]) -> Iterator[Message]:
    topic = TOPICS.get(Kind(event.kind))
    if topic is None or (topic == Topic.REFUSED and event.reason not in NO_PLACE):
        return
    matter = f"{event.kind} {event.offer_id} {event.subject} {event.order_no} {event.at.isoformat()}"
    for member in members:
        shown, mail = topic in member.shown, topic in member.mailed
        if shown or mail:
            yield Message(event=event, member=member, topic=topic, matter=matter, shown=shown, mail=mail)


def says(event: OutboxEvent) -> str:
    """The event as a sentence in the language in force. It asks for the event's offer and version."""
    offer = event.offer
    words = {
        "offer": offer.name,
        "subject": _("you") if event.subject == event.merchant_id else event.subject,
        "order": event.order_no,
        "amount": format_money(event.amount, event.currency) if event.amount is not None else "",
        "reason": str(WHY.get(event.reason, event.reason)),
    }
    match event.kind:
        case Kind.COUPON_ISSUED:
            bundle = terms_of(offer.version).bundle if offer.version else None
            n = bundle.count if bundle else 1
            text = ngettext(
                "%(offer)s: %(n)d coupon of %(amount)s was issued to you.",
                "%(offer)s: %(n)d coupons of %(amount)s each were issued to you.",
                n,
            )
            return text % {**words, "n": n}
        case Kind.COUPON_EXPIRING:
            n = int(event.reason)
            text = ngettext(
                "%(offer)s: %(n)d coupon expires in 5 days.", "%(offer)s: %(n)d coupons expire in 5 days.", n
            )
            return text % {**words, "n": n}
        case kind:
            return str(TEXTS[Kind(kind)]) % words


def send_mail(*, at: datetime) -> int:
    """Send the mail that waits at `at`, at most one to each member; returns how many were sent.

    A mail is marked in the transaction that sends it. One that was killed just between is sent again, with the same
    Message-ID, by which mail programs know it. Where sending fails it is tried again, after growing gaps.
    """
    waiting = Member.objects.filter(pk__in=to_mail().values("member")).exclude(mail_after__gt=at)
    return sum(_post_to(pk, at) for pk in waiting.values_list("pk", flat=True))


def to_mail() -> QuerySet[Message]:
    """The messages that wait for mail to somebody who has ever signed in."""
    waiting = Message.objects.filter(mail=True, mailed_at=None)
    return waiting.filter(member__disabled_at=None, member__user__last_login__isnull=False).order_by()


def _post_to(pk: int, at: datetime) -> bool:
    with transaction.atomic():
        held = Member.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
        member = held.select_related("user", "merchant").filter(pk=pk).first()
        if member is None:
            return False  # another one is writing to it
        waiting = Message.objects.filter(member=member, mail=True, mailed_at=None)
        told = list(waiting.select_related("event__offer__version").order_by("pk"))
        if not told:
            return False
        try:
            _mail(member, told).send()
        except (OSError, SMTPException) as error:
            logger.warning("Mail to member %s failed: %s", pk, error)
            gap = timedelta(minutes=min(2**member.mail_failures, 24 * 60))
            Member.objects.filter(pk=pk).update(mail_failures=F("mail_failures") + 1, mail_after=at + gap)
            return False
        Message.objects.filter(pk__in=[message.pk for message in told]).update(mailed_at=at)
        Member.objects.filter(pk=pk).exclude(mail_failures=0).update(mail_failures=0, mail_after=None)
    return True


def _mail(member: Member, told: list[Message]) -> EmailMessage:
    """What happened, in the member's language and on its clock."""
    with translation.override(member.language), timezone.override(ZoneInfo(member.zone)):
        n = len(told)
        subject = ngettext("%(n)d change to your benefits", "%(n)d changes to your benefits", n) % {"n": n}
        told_here = told[:MOST_IN_A_MAIL]
        context = {
            "member": member,
            "lines": [(message.event.at, says(message.event)) for message in told_here],
            "more": n - len(told_here),
            "link": urljoin(settings.SITE_URL, reverse("messages")),
        }
        body = render_to_string("mail/messages.txt", context)
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ")
    headers = {"Message-ID": f"<{told[0].pk}.{told[-1].pk}.{member.pk}@{host}>"}
    return EmailMessage(subject, body, to=[member.user.email], headers=headers)
