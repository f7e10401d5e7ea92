"""API keys."""

from typing import Any

from rest_framework import serializers

from api.addresses import address
from api.serializers.fields import Base, HrefField, InstantField, KeyField, NameField, instant
from api.serializers.problems import ProblemSerializer
from campaigns.notifications.key_revocation import MadeWithKey
from merchants.models import ApiKey

SCOPES = ApiKey.Scope.values
MOST_OVERLAP_HOURS = 168


class KeyRequestSerializer(Base):
    """New API key. Without `merchant` it is for the merchant of the key that issues it, or for the whole platform."""

    name = NameField(max_length=100)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES), min_length=1, max_length=len(SCOPES))
    merchant = KeyField(required=False, allow_null=True, max_length=64)
    expires_at = InstantField(
        required=False, allow_null=True, help_text="Without it the key expires with the key that issues it, or never."
    )


class RotationSerializer(Base):
    overlap_hours = serializers.IntegerField(
        default=24, min_value=0, max_value=MOST_OVERLAP_HOURS, help_text="How long the old key still works."
    )


class ApiKeySerializer(Base):
    """API key, without its secret."""

    id = serializers.CharField(source="prefix")
    href = HrefField(lambda key: address("keys", key.prefix))
    name = serializers.CharField()
    merchant = serializers.CharField(source="merchant_id", allow_null=True)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES))
    created_at = instant()
    created_by = serializers.CharField()
    expires_at = instant(allow_null=True)
    revoked_at = instant(allow_null=True)
    used_at = instant(allow_null=True)


class NewApiKeySerializer(ApiKeySerializer):
    """API key with its text, which is shown once: the response to a repetition of the request has null."""

    secret = serializers.CharField(allow_null=True)


class MadeWithKeyMembers(Base):
    keys = serializers.ListField(child=serializers.CharField(), help_text="Ids of keys that were made with the key.")
    webhooks = serializers.ListField(
        child=serializers.IntegerField(), help_text="Ids of webhooks that were registered with it."
    )
    changed_webhooks = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="Ids of other webhooks that were changed with it: check their addresses and secrets.",
    )


class RevokedApiKeySerializer(ApiKeySerializer, MadeWithKeyMembers):
    """Revoked API key, and the keys and webhooks that ended with it."""


class MadeWithKeySerializer(ProblemSerializer, MadeWithKeyMembers):
    """Problem of a key whose keys and webhooks still work: say what happens to them."""


def made_with_key(made: MadeWithKey) -> dict[str, Any]:
    """Return what was made with a key as the serializers have it."""
    return {
        "keys": [key.prefix for key in made.keys],
        "webhooks": [webhook.pk for webhook in made.webhooks],
        "changed_webhooks": [webhook.pk for webhook in made.changed],
    }
