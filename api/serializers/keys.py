"""API keys."""

from rest_framework import serializers

from api.addresses import address
from api.serializers.fields import Base, HrefField, InstantField, KeyField, NameField, instant
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
