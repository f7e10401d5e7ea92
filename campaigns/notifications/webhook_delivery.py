"""Webhook delivery: send events to endpoints, signed by the Standard Webhooks specification, at least once.

A delivery keeps its webhook-id over all tries, so that a receiver can drop duplicates. A failed try is repeated after
growing gaps. Deliveries about one object are sent in their order, each after the one before is delivered or given up;
all others go at the same time, so that a failing one delays itself only.
"""

import json
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from standardwebhooks.webhooks import Webhook

from campaigns.models import Delivery, Endpoint, OutboxEvent
from campaigns.notifications import webhook_events

LEASE = timedelta(minutes=5)
"""Time for which a worker reserves deliveries. If it dies, they are due again when the lease ends."""
LEASED_AT_ONCE = 250


def create(events: Iterable[OutboxEvent], *, at: datetime) -> int:
    """Create a delivery for each event and each endpoint that subscribes to it, and return their number."""
    endpoints = list(Endpoint.objects.filter(disabled_at=None))
    deliveries = [
        new(endpoint, event, at) for event in events for endpoint in endpoints if _subscribes(endpoint, event)
    ]
    Delivery.objects.bulk_create(deliveries, ignore_conflicts=True, batch_size=1_000)
    return len(deliveries)


def new(endpoint: Endpoint, event: OutboxEvent | None, at: datetime) -> Delivery:
    """Return an unsaved delivery of `event`, or of a test without one, that is due at `at`."""
    key = f"msg_{secrets.token_hex(16)}"
    about = webhook_events.about(event) if event else key
    return Delivery(endpoint=endpoint, event=event, key=key, about=about, due_at=at, created_at=at)


def _subscribes(endpoint: Endpoint, event: OutboxEvent) -> bool:
    return endpoint.merchant_id in (None, event.merchant_id) and webhook_events.wants(endpoint.kinds, event.kind)


def summary(*, at: datetime) -> dict[str, Any]:
    """Summarize undelivered deliveries to enabled endpoints at `at`.

    `n` are due, the `oldest` of them since that instant; `failing` had a failed try and will be tried again;
    `given_up` will not.
    """
    failed = Q(tries__gt=0, delivered_at=None)
    counts: dict[str, Any] = Delivery.objects.filter(delivered_at=None, endpoint__disabled_at=None).aggregate(
        n=Count("pk", filter=Q(due_at__lte=at)),
        oldest=Min("due_at", filter=Q(due_at__lte=at)),
        failing=Count("pk", filter=failed & Q(due_at__isnull=False)),
        given_up=Count("pk", filter=failed & Q(due_at=None)),
    )
    return counts


def open_endpoints(*, at: datetime) -> QuerySet[Endpoint]:
    """Return the endpoints that may be sent to at `at`: enabled, and not held by their receiver."""
    return Endpoint.objects.filter(disabled_at=None).exclude(held_until__gt=at)


def endpoints_due(*, at: datetime) -> list[int]:
    """Return the keys of open endpoints that have a delivery due at `at`."""
    due = Delivery.objects.filter(endpoint=OuterRef("pk"), due_at__lte=at)
    return list(open_endpoints(at=at).filter(Exists(due)).values_list("pk", flat=True))


@transaction.atomic
def lease(endpoint: Endpoint, at: datetime) -> list[Delivery]:
    """Reserve deliveries that are due, of each object the first one that is not delivered or given up."""
    pending = Delivery.objects.filter(endpoint=OuterRef("endpoint"), about=OuterRef("about"), due_at__isnull=False)
    due = Delivery.objects.filter(endpoint=endpoint, due_at__lte=at).filter(
        ~Exists(pending.filter(pk__lt=OuterRef("pk")))
    )
    free = due.order_by("due_at", "pk").select_for_update(skip_locked=True, of=("self",))
    leased = list(free.select_related("event__offer")[:LEASED_AT_ONCE])
    Delivery.objects.filter(pk__in=[delivery.pk for delivery in leased]).update(due_at=at + LEASE)
    return leased


def signed(endpoint: Endpoint, delivery: Delivery, body: object, at: datetime) -> tuple[bytes, dict[str, str]]:
    """Return the bytes and headers of a delivery, signed as of `at`; with both secrets during a rotation."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    secrets_in_use = [endpoint.secret]
    if endpoint.old_secret and endpoint.old_until and at < endpoint.old_until:
        secrets_in_use.append(endpoint.old_secret)
    return text.encode(), {
        "Content-Type": "application/json",
        "User-Agent": "Fairground-Webhooks/1",
        "webhook-id": delivery.key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(delivery.key, at, text) for secret in secrets_in_use),
    }
