"""Webhooks and their deliveries."""

from rest_framework import serializers

from api.addresses import address
from api.serializers.fields import Base, HrefField, KeyField, NameField, instant
from campaigns.notifications import webhook_events

DELIVERY_STATES = ["pending", "delivered", "given_up"]
WEBHOOK_STATES = ["enabled", "disabled", "gone"]
EVENT_NAMES = sorted(set(webhook_events.NAMES.values()))


class WebhookRequestSerializer(Base):
    """New webhook. Without `merchant` it is for the merchant of the key that registers it, or for all."""

    name = NameField(max_length=100)
    url = serializers.URLField(max_length=500)
    merchant = KeyField(required=False, allow_null=True, max_length=64)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=EVENT_NAMES),
        default=list,
        max_length=len(EVENT_NAMES),
        help_text="Names of events; none: all but `claim.refused`.",
    )


class WebhookChangeSerializer(Base):
    """Changes of a webhook."""

    name = NameField(max_length=100, required=False)
    url = serializers.URLField(max_length=500, required=False)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=EVENT_NAMES), required=False, max_length=len(EVENT_NAMES)
    )
    enabled = serializers.BooleanField(required=False)


class WebhookSerializer(Base):
    """Webhook, without its secret."""

    id = serializers.IntegerField()
    href = HrefField(lambda endpoint: address("webhooks", endpoint["id"]))
    name = serializers.CharField()
    url = serializers.CharField()
    merchant = serializers.CharField(source="merchant_id", allow_null=True)
    events = serializers.ListField(child=serializers.ChoiceField(choices=EVENT_NAMES))
    status = serializers.ChoiceField(choices=WEBHOOK_STATES, help_text="gone: the receiver answered 410.")
    created_at = instant()
    created_by = serializers.CharField()
    held_until = instant(allow_null=True, help_text="The receiver asked to send nothing before.")
    old_secret_until = instant(allow_null=True, source="old_until")


class NewWebhookSerializer(WebhookSerializer):
    """Webhook with its secret, which is shown once: the response to a repetition of the request has null."""

    secret = serializers.CharField(allow_null=True)


class DeliverySerializer(Base):
    """One event for one webhook. `id` is the header `webhook-id`, the same at every try."""

    id = serializers.CharField(source="key")
    href = HrefField(lambda delivery: address("deliveries", delivery["key"]))
    webhook = serializers.IntegerField(source="endpoint_id")
    status = serializers.ChoiceField(choices=DELIVERY_STATES)
    tries = serializers.IntegerField()
    response_status = serializers.IntegerField(source="status_code", allow_null=True)
    error = serializers.CharField()
    created_at = instant()
    delivered_at = instant(allow_null=True)
    next_try_at = instant(source="due_at", allow_null=True)
    event = serializers.JSONField()
