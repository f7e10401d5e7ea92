"""Webhook administration: register, rotate, disable and enable endpoints; order tests and replays.

`campaigns.notifications.webhook_delivery` sends what is due.
"""

import base64
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from campaigns.models import Delivery, Endpoint
from campaigns.notifications import webhook_delivery
from core import safe_http
from core.db.compiled_queries import AnyOfParameter
from merchants.models import Merchant

OVERLAP = timedelta(hours=24)
"""Time after a rotation during which deliveries carry signatures by both secrets."""


def register(
    name: str, url: str, *, merchant: Merchant | None, kinds: Iterable[str], at: datetime, by: str
) -> Endpoint:
    """Create an endpoint with a secret of its own: for the events of `merchant`, or of all merchants without one.

    No `kinds` means every kind. Raises `safe_http.AddressError` if the address is not public HTTPS.
    """
    _scheme, host, port = safe_http.check(url)
    safe_http.resolve(host, port)
    return Endpoint.objects.create(
        name=name, url=url, merchant=merchant, kinds=sorted(kinds), secret=_secret(), created_by=by, created_at=at
    )


def rotate(endpoint: Endpoint, *, at: datetime) -> None:
    """Replace the secret. Until OVERLAP has passed, deliveries are signed with the old secret too."""
    endpoint.old_secret, endpoint.old_until, endpoint.secret = endpoint.secret, at + OVERLAP, _secret()
    endpoint.save(update_fields=["old_secret", "old_until", "secret"])


def disable(endpoint: Endpoint, *, at: datetime) -> None:
    """Stop deliveries to the endpoint. Waiting deliveries stay and are sent if it is enabled again."""
    Endpoint.objects.filter(pk=endpoint.pk, disabled_at=None).update(disabled_at=at)


def enable(endpoint: Endpoint) -> None:
    """Resume deliveries to the endpoint."""
    Endpoint.objects.filter(pk=endpoint.pk).update(disabled_at=None)


def test(endpoint: Endpoint, *, at: datetime) -> Delivery:
    """Create a delivery of type `test` without an event."""
    delivery = webhook_delivery.new(endpoint, None, at)
    delivery.save()
    return delivery


def replay(delivery: Delivery, *, at: datetime) -> None:
    """Make a delivery due again at `at`, under its old webhook-id, delivered before or not."""
    Delivery.objects.filter(pk=delivery.pk).update(due_at=at, delivered_at=None, tries=0, status=None, error="")


def listening(limited: bool) -> QuerySet[Endpoint, Any]:
    """Return the merchants of enabled endpoints, NULL for all merchants; `limited` to the parameter `merchants`."""
    endpoints = Endpoint.objects.filter(disabled_at=None)
    if limited:
        endpoints = endpoints.filter(Q(merchant=None) | Q(AnyOfParameter("merchant_id", "merchants")))
    return endpoints.order_by().values_list("merchant_id")


def _secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
