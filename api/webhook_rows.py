"""Webhooks and deliveries as answers."""

from collections.abc import Sequence
from typing import Any

from api import serializers
from campaigns.models import Delivery, Endpoint
from campaigns.notifications import webhook_events


def webhook(endpoint: Endpoint) -> dict[str, Any]:
    """Return a webhook without its secret, as `WebhookSerializer` declares it."""
    status = "gone" if endpoint.gone_at else "disabled" if endpoint.disabled_at else "enabled"
    values = {**vars(endpoint), "events": webhook_events.names_of(endpoint.kinds), "status": status}
    return serializers.serialize(serializers.WebhookSerializer, values)


def deliveries(rows: Sequence[Delivery]) -> list[dict[str, Any]]:
    """Return deliveries as `DeliverySerializer` declares them. One query for the codes of coupons."""
    bodies = webhook_events.bodies(rows)
    return [_delivery(row, bodies[row.pk]) for row in rows]


def _delivery(row: Delivery, event: dict[str, Any]) -> dict[str, Any]:
    status = "delivered" if row.delivered_at else "pending" if row.due_at else "given_up"
    values = {**vars(row), "status": status, "status_code": row.status, "event": event}
    return serializers.serialize(serializers.DeliverySerializer, values)
