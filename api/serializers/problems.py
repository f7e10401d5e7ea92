"""Errors (RFC 9457)."""

from rest_framework import serializers

from api.serializers.claims import ClaimResultSerializer
from api.serializers.fields import Base


class FieldErrorSerializer(Base):
    """One fault of a request: the `pointer` to the value in its body, or the `parameter` of its address."""

    pointer = serializers.CharField(required=False)
    parameter = serializers.CharField(required=False)
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(Base):
    """Error response (RFC 9457)."""

    type = serializers.CharField(help_text="Address of a page about this error, relative to the server.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable code of the error, for programs.")
    detail = serializers.CharField()
    errors = FieldErrorSerializer(many=True)  # type: ignore[assignment]  # RFC 9457 calls it so


class RefusalSerializer(ProblemSerializer, ClaimResultSerializer):
    """Problem of a claim that got no benefit, with the result of the claim."""
