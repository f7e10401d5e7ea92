"""Distribution: each event of the outbox becomes messages to members, deliveries to webhooks, notices to operators."""

from django.db import transaction
from django.utils import timezone

from campaigns.models import OutboxEvent
from campaigns.notifications import messages, operators, webhook_delivery

EVENTS_AT_ONCE = 1_000


def fan_out() -> int:
    """Distribute the waiting events and return their number.

    Each chunk is one transaction: a killed worker loses nothing. Workers take turns, so that the deliveries about one
    object are created in the order of its events.
    """
    total = 0
    while count := _fan_out_chunk():
        total += count
    return total


@transaction.atomic
def _fan_out_chunk() -> int:
    waiting = OutboxEvent.objects.filter(fanned_out=False).order_by("pk")
    events = list(waiting.select_for_update(no_key=True)[:EVENTS_AT_ONCE])
    messages.create(events)
    webhook_delivery.create(events, at=timezone.now())
    operators.tell_of_quotas(events)
    OutboxEvent.objects.filter(pk__in=[event.pk for event in events]).update(fanned_out=True)
    return len(events)
