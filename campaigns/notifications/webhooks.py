"""Programs are told what happens, signed as Standard Webhooks has it, again and again until they have heard it.

Each delivery keeps its webhook-id, so that a receiver which hears it twice knows. A receiver that fails is tried again
with growing gaps; others do not wait for it.
"""

import base64
import json
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from standardwebhooks.webhooks import Webhook
from urllib3.exceptions import HTTPError

from campaigns.models import Coupon, Delivery, Endpoint, OutboxEvent
from core import safe_http
from core.db.compiled_queries import AnyOfParameter
from core.safe_http import AddressError
from merchants.models import Merchant

GAPS = tuple(timedelta(seconds=n) for n in (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""After the n-th try that failed; after the last it is given up, until somebody replays it."""
OVERLAP = timedelta(hours=24)
"""For so long both secrets sign after a rotation."""
LEASE = timedelta(minutes=5)
AT_ONCE = 20
Clock = Callable[[], datetime]


def register(
    name: str, url: str, *, merchant: Merchant | None, kinds: Iterable[str], at: datetime, by: str
) -> Endpoint:
    """A new endpoint with a secret of its own. Raises outgoing.AddressError where nothing may be sent there."""
    _scheme, host, port = safe_http.check(url)
    safe_http.resolve(host, port)
    return Endpoint.objects.create(
        name=name, url=url, merchant=merchant, kinds=sorted(kinds), secret=_secret(), created_by=by, created_at=at
    )


def rotate(endpoint: Endpoint, *, at: datetime) -> None:
    """Give it a new secret; for a day what is sent is signed with both."""
    endpoint.old_secret, endpoint.old_until, endpoint.secret = endpoint.secret, at + OVERLAP, _secret()
    endpoint.save(update_fields=["old_secret", "old_until", "secret"])


def disable(endpoint: Endpoint, *, at: datetime) -> None:
    """Send nothing more there; what waits is kept and sent if it is enabled again."""
    Endpoint.objects.filter(pk=endpoint.pk, disabled_at=None).update(disabled_at=at)


def enable(endpoint: Endpoint) -> None:
    """Send there again."""
    Endpoint.objects.filter(pk=endpoint.pk).update(disabled_at=None)


def _secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def listening(some: bool) -> QuerySet[Endpoint, Any]:
    """Whom endpoints listen for: of some merchants, or of all; NULL for one that listens for everything."""
    endpoints = Endpoint.objects.filter(disabled_at=None)
    if some:
        endpoints = endpoints.filter(Q(merchant=None) | Q(AnyOfParameter("merchant_id", "merchants")))
    return endpoints.order_by().values_list("merchant_id")


def standing(*, at: datetime) -> dict[str, Any]:
    """What is due by `at`: `n` deliveries, the `oldest` since when; those `failing` and tried on, and `given_up`."""
    tried = Q(tries__gt=0, delivered_at=None)
    found: dict[str, Any] = Delivery.objects.filter(delivered_at=None, endpoint__disabled_at=None).aggregate(
        n=Count("pk", filter=Q(due_at__lte=at)),
        oldest=Min("due_at", filter=Q(due_at__lte=at)),
        failing=Count("pk", filter=tried & Q(due_at__isnull=False)),
        given_up=Count("pk", filter=tried & Q(due_at=None)),
    )
    return found


def spread(events: Iterable[OutboxEvent], *, at: datetime) -> int:
    """A delivery for each endpoint that wants to hear of an event. Belongs into the transaction that spreads them."""
    endpoints = list(Endpoint.objects.filter(disabled_at=None))
    made = [_delivery(endpoint, event, at) for event in events for endpoint in endpoints if _wants(endpoint, event)]
    Delivery.objects.bulk_create(made, ignore_conflicts=True, batch_size=1_000)
    return len(made)


def _wants(endpoint: Endpoint, event: OutboxEvent) -> bool:
    of_theirs = endpoint.merchant_id in (None, event.merchant_id)
    return of_theirs and (not endpoint.kinds or event.kind in endpoint.kinds)


def _delivery(endpoint: Endpoint, event: OutboxEvent | None, at: datetime) -> Delivery:
    return Delivery(endpoint=endpoint, event=event, key=f"msg_{secrets.token_hex(16)}", due_at=at, created_at=at)


def test(endpoint: Endpoint, *, at: datetime) -> Delivery:
    """A delivery that says no more than that it is one."""
    made = _delivery(endpoint, None, at)
    made.save()
    return made


def replay(delivery: Delivery, *, at: datetime) -> None:
    """Send it again, under the same webhook-id, whatever became of it before."""
    again = Delivery.objects.filter(pk=delivery.pk)
    again.update(due_at=at, delivered_at=None, tries=0, status=None, error="")


def waiting(*, at: datetime) -> list[int]:
    """Endpoints for which something is due."""
    due = Delivery.objects.filter(endpoint=OuterRef("pk"), due_at__lte=at)
    return list(Endpoint.objects.filter(Exists(due), disabled_at=None).values_list("pk", flat=True))


def deliver(endpoint: Endpoint, *, clock: Clock) -> int:
    """Send what is due to one endpoint, oldest first, until a try fails. Returns how many were delivered.

    What is in hand is leased: another worker takes it up where this one is killed.
    """
    held = _lease(endpoint, clock())
    for n, delivery in enumerate(held):
        if not _try(endpoint, delivery, clock):
            rest = Delivery.objects.filter(pk__in=[one.pk for one in held[n + 1 :]])
            rest.update(due_at=delivery.due_at or clock() + GAPS[0])
            return n
    return len(held)


@transaction.atomic
def _lease(endpoint: Endpoint, at: datetime) -> list[Delivery]:
    due = Delivery.objects.filter(endpoint=endpoint, due_at__lte=at).order_by("pk")
    held = list(due.select_for_update(skip_locked=True, of=("self",)).select_related("event__offer")[:AT_ONCE])
    Delivery.objects.filter(pk__in=[delivery.pk for delivery in held]).update(due_at=at + LEASE)
    return held


def _try(endpoint: Endpoint, delivery: Delivery, clock: Clock) -> bool:
    """One try; what came of it stands in the delivery."""
    at = clock()
    delivery.tries += 1
    delivery.status, delivery.error = None, ""
    try:
        delivery.status = safe_http.post(endpoint.url, *signed(endpoint, delivery, at))
        heard = 200 <= delivery.status < 300
        delivery.error = "" if heard else f"answered {delivery.status}"
    except (AddressError, HTTPError, OSError) as error:
        heard = False
        delivery.error = f"{type(error).__name__}: {error}"[:200]
    gap = GAPS[delivery.tries - 1] if delivery.tries <= len(GAPS) else None
    delivery.delivered_at = clock() if heard else None
    delivery.due_at = None if heard or gap is None else clock() + gap
    delivery.save(update_fields=["tries", "status", "error", "delivered_at", "due_at"])
    return heard


def signed(endpoint: Endpoint, delivery: Delivery, at: datetime) -> tuple[bytes, dict[str, str]]:
    """The body of a delivery and its headers, signed as of `at`, with both secrets during a rotation."""
    body = json.dumps(_body(delivery), ensure_ascii=False, separators=(",", ":"))
    keys = [endpoint.secret]
    if endpoint.old_secret and endpoint.old_until and at < endpoint.old_until:
        keys.append(endpoint.old_secret)
    return body.encode(), {
        "Content-Type": "application/json",
        "User-Agent": "Fairground-Webhooks/1",
        "webhook-id": delivery.key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(delivery.key, at, body) for key in keys),
    }


def _body(delivery: Delivery) -> dict[str, Any]:
    event = delivery.event
    if event is None:
        return {"type": "test", "timestamp": _text(delivery.created_at), "data": {}}
    coupon = Coupon.objects.filter(pk=event.coupon_id or 0).values_list("code", flat=True).first()
    data = {
        "offer": event.offer.code, "coupon": coupon, "merchant": event.merchant_id, "subject": event.subject,
        "order_no": event.order_no or None, "amount": None if event.amount is None else f"{event.amount:.2f}",
        "currency": event.currency or None, "reason": event.reason or None,
    }  # fmt: skip
    return {"type": event.kind, "timestamp": _text(event.at), "data": data}


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
