"""Messages: events addressed to members, for the dashboard and for mail as each member has chosen."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from campaigns.models import Message, OutboxEvent
from campaigns.notifications.message_texts import NO_PLACE
from core.db.compiled_queries import AnyOfParameter
from merchants.members import enabled
from merchants.models import Member

Kind, Topic = OutboxEvent.Kind, Message.Topic

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
"""The topic of each kind of event. Kinds without a topic concern operators and make no messages."""


def listening(limited: bool) -> QuerySet[Member, Any]:
    """Return the merchants that have enabled members; `limited` to the query parameter `merchants`."""
    members = Member.objects.filter(disabled_at=None)
    if limited:
        members = members.filter(AnyOfParameter("merchant_id", "merchants"))
    return members.order_by().values_list("merchant_id")


def create(events: Sequence[OutboxEvent]) -> None:
    """Create the messages of the events. The unique `matter` of a member drops those that exist already."""
    merchants = {event.merchant_id for event in events if event.merchant_id is not None}
    members: dict[str | None, list[Member]] = defaultdict(list)
    for member in enabled().filter(merchant__in=merchants):
        members[member.merchant_id].append(member)
    rows = (message for event in events for message in _messages(event, members[event.merchant_id]))
    Message.objects.bulk_create(rows, batch_size=1_000, ignore_conflicts=True)


def create_read(kind: OutboxEvent.Kind, order_no: str, *, member: Member, at: datetime) -> None:
    """Create the member's message of its own act on an order as read at `at`: its author knows of it.

    Call it in the transaction of the act; `kind` is that of the act's event. The others are told as usual.
    """
    event = (
        OutboxEvent.objects.filter(kind=kind, merchant=member.merchant_id, order_no=order_no).order_by("-pk").first()
    )
    if event is not None:
        own = [message for message in _messages(event, [member]) if message.shown]
        for message in own:
            message.read_at = at
        Message.objects.bulk_create(own, ignore_conflicts=True)


def _messages(event: OutboxEvent, members: Iterable[Member]) -> Iterator[Message]:
    topic = TOPICS.get(Kind(event.kind))
    if topic is None or (topic == Topic.REFUSED and event.reason not in NO_PLACE):
        return
    if event.kind == Kind.GRANTED and not event.amount:
        return  # coupons that set a price are worth nothing yet; a message says that they were issued
    # The coupons of one bundle share offer, subject and instant: eight events make one message.
    matter = f"{event.kind} {event.offer_id} {event.subject} {event.order_no} {event.at.isoformat()}"
    for member in members:
        shown, mail = topic in member.shown, topic in member.mailed
        if shown or mail:
            yield Message(event=event, member=member, topic=topic, matter=matter, shown=shown, mail=mail)
