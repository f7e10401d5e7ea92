"""Webhook delivery: send events to endpoints, signed by the Standard Webhooks specification, at least once.

A delivery keeps its webhook-id over all tries, so that a receiver can drop duplicates. A failed try is repeated after
growing gaps. Each endpoint has its own queue: one that fails delays no other.
"""

import json
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, Min, OuterRef, Q
from standardwebhooks.webhooks import Webhook
from urllib3.exceptions import HTTPError

from campaigns.models import Coupon, Delivery, Endpoint, OutboxEvent
from core import safe_http
from core.safe_http import AddressError

GAPS = tuple(timedelta(seconds=n) for n in (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""The wait after the n-th failed try. After the last the delivery is given up until somebody replays it."""
LEASE = timedelta(minutes=5)
"""Time for which a worker reserves deliveries. If it dies, they are due again when the lease ends."""
DELIVERIES_AT_ONCE = 20
Clock = Callable[[], datetime]


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
    return Delivery(endpoint=endpoint, event=event, key=f"msg_{secrets.token_hex(16)}", due_at=at, created_at=at)


def _subscribes(endpoint: Endpoint, event: OutboxEvent) -> bool:
    return endpoint.merchant_id in (None, event.merchant_id) and (not endpoint.kinds or event.kind in endpoint.kinds)


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


def endpoints_due(*, at: datetime) -> list[int]:
    """Return the keys of enabled endpoints that have a delivery due at `at`."""
    due = Delivery.objects.filter(endpoint=OuterRef("pk"), due_at__lte=at)
    return list(Endpoint.objects.filter(Exists(due), disabled_at=None).values_list("pk", flat=True))


def deliver(endpoint: Endpoint, *, clock: Clock) -> int:
    """Send due deliveries to one endpoint, oldest first, until a try fails. Returns the number delivered."""
    leased = _lease(endpoint, clock())
    for n, delivery in enumerate(leased):
        if not _try(endpoint, delivery, clock):
            # The endpoint is down: the others wait for the next try of this one, and keep their order.
            rest = Delivery.objects.filter(pk__in=[other.pk for other in leased[n + 1 :]])
            rest.update(due_at=delivery.due_at or clock() + GAPS[0])
            return n
    return len(leased)


@transaction.atomic
def _lease(endpoint: Endpoint, at: datetime) -> list[Delivery]:
    due = Delivery.objects.filter(endpoint=endpoint, due_at__lte=at).order_by("pk")
    free = due.select_for_update(skip_locked=True, of=("self",)).select_related("event__offer")
    leased = list(free[:DELIVERIES_AT_ONCE])
    Delivery.objects.filter(pk__in=[delivery.pk for delivery in leased]).update(due_at=at + LEASE)
    return leased


def _try(endpoint: Endpoint, delivery: Delivery, clock: Clock) -> bool:
    """Try once, record the result in the delivery, and return True if the receiver accepted it."""
    delivery.tries += 1
    delivery.status, delivery.error = None, ""
    try:
        delivery.status = safe_http.post(endpoint.url, *signed(endpoint, delivery, clock()))
        accepted = 200 <= delivery.status < 300
        delivery.error = "" if accepted else f"answered {delivery.status}"
    except (AddressError, HTTPError, HTTPException, OSError) as error:
        accepted = False
        delivery.error = f"{type(error).__name__}: {error}"[:200]
    gap = GAPS[delivery.tries - 1] if delivery.tries <= len(GAPS) else None
    delivery.delivered_at = clock() if accepted else None
    delivery.due_at = None if accepted or gap is None else clock() + gap
    delivery.save(update_fields=["tries", "status", "error", "delivered_at", "due_at"])
    return accepted


def signed(endpoint: Endpoint, delivery: Delivery, at: datetime) -> tuple[bytes, dict[str, str]]:
    """Return the body and headers of a delivery, signed as of `at`; with both secrets during a rotation."""
    body = json.dumps(_body(delivery), ensure_ascii=False, separators=(",", ":"))
    secrets_in_use = [endpoint.secret]
    if endpoint.old_secret and endpoint.old_until and at < endpoint.old_until:
        secrets_in_use.append(endpoint.old_secret)
    return body.encode(), {
        "Content-Type": "application/json",
        "User-Agent": "Fairground-Webhooks/1",
        "webhook-id": delivery.key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(delivery.key, at, body) for secret in secrets_in_use),
    }


def _body(delivery: Delivery) -> dict[str, Any]:
    event = delivery.event
    if event is None:
        return {"type": "test", "timestamp": _timestamp(delivery.created_at), "data": {}}
    data = {
        "offer": event.offer.code,
        "coupon": Coupon.objects.filter(pk=event.coupon_id or 0).values_list("code", flat=True).first(),
        "merchant": event.merchant_id,
        "subject": event.subject,
        "order_no": event.order_no or None,
        "amount": None if event.amount is None else f"{event.amount:.2f}",
        "currency": event.currency or None,
        "reason": event.reason or None,
    }
    return {"type": event.kind, "timestamp": _timestamp(event.at), "data": data}


def _timestamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
