"""What the API sends and takes: the one place where names of fields are chosen. Instants are UTC, money is text."""

from datetime import UTC
from functools import lru_cache
from typing import Any

from rest_framework import serializers
from rest_framework.serializers import Serializer

from campaigns.models import Coupon, Grant
from core.facts import SUBJECTS

Base = Serializer[Any]


def amount(**options: Any) -> serializers.DecimalField:
    """Money as text with two decimals; its currency stands beside it."""
    return serializers.DecimalField(max_digits=14, decimal_places=2, **options)


def instant(**options: Any) -> serializers.DateTimeField:
    """An instant in UTC."""
    return serializers.DateTimeField(default_timezone=UTC, **options)


@lru_cache
def _made(shape: type[Base]) -> Base:
    return shape()


def told(shape: type[Base], value: object) -> dict[str, Any]:
    """A value in its shape. The shape's fields are made once: making them costs more than filling them."""
    filled: dict[str, Any] = _made(shape).to_representation(value)
    return filled


class CampaignShape(Base):
    code = serializers.CharField()
    name_en = serializers.CharField()
    name_zh = serializers.CharField()


class TermsShape(Base):
    """An offer's terms as sentences, in the language that was asked for."""

    benefit = serializers.CharField()
    claim = serializers.CharField()
    conditions = serializers.ListField(child=serializers.CharField())
    quota = serializers.CharField()
    settlement = serializers.ListField(child=serializers.CharField())


class OfferShape(Base):
    code = serializers.CharField()
    campaign = serializers.CharField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    subject = serializers.CharField()
    opens = instant(allow_null=True)
    closes = instant(allow_null=True, help_text="The first instant at which it is closed.")
    paused_at = instant(allow_null=True)
    stopped_at = instant(allow_null=True)


class OfferWholeShape(OfferShape):
    terms = serializers.JSONField(help_text="The definition; see the campaign schema.")
    sentences = TermsShape()


class ForecastShape(Base):
    """When the last place goes at the pace since `since`, in which `taken` places were; `latest` null: maybe never."""

    soonest = instant()
    likely = instant()
    latest = instant(allow_null=True)
    taken = serializers.IntegerField()
    since = instant()


class PointShape(Base):
    """Places taken, less those given back, in the hour or day from `at`, and how many stood taken at its end."""

    at = instant()
    taken = serializers.IntegerField()
    total = serializers.IntegerField()


class StatementShape(Base):
    """What a merchant had of an offer in a month; `reversed` and `returned` are taken off the total."""

    offer = serializers.CharField()
    merchant = serializers.CharField()
    currency = serializers.CharField()
    settled = amount()
    reversed = amount()
    redeemed = amount()
    returned = amount()
    total = amount()


class QuotaShape(Base):
    limit = serializers.IntegerField(allow_null=True)
    used = serializers.IntegerField(help_text="Places taken, reserved ones included.")
    reserved = serializers.IntegerField(help_text="Of those: reserved or locked, not settled yet.")
    left = serializers.IntegerField(allow_null=True)
    per_merchant = serializers.IntegerField(allow_null=True)
    as_of = instant(allow_null=True, help_text="Up to when claims and grants were followed.")
    forecast = ForecastShape(allow_null=True)


class ReasonShape(Base):
    """One condition: what it asks, what was found, whether it held, how much is missing."""

    name = serializers.CharField()
    required = serializers.CharField()  # type: ignore[assignment]  # a field of that name, not the option
    found = serializers.CharField(source="shown")
    held = serializers.BooleanField()
    margin = serializers.CharField()


class BenefitShape(Base):
    """Where a merchant stands with an offer."""

    offer = serializers.CharField()
    state = serializers.CharField()
    reasons = ReasonShape(many=True)
    asks = serializers.ListField(child=serializers.CharField())
    progress = ReasonShape(allow_null=True)
    left = serializers.IntegerField(allow_null=True)
    own_left = serializers.IntegerField(allow_null=True)


class GrantShape(Base):
    offer = serializers.CharField(source="offer.code")
    subject = serializers.CharField()
    merchant = serializers.CharField(source="merchant_id")
    status = serializers.ChoiceField(choices=Grant.Status.choices)
    amount = amount()
    currency = serializers.CharField()
    claimed_at = instant()
    ended_at = instant(allow_null=True)


class CouponShape(Base):
    code = serializers.CharField()
    offer = serializers.CharField(source="offer.code")
    merchant = serializers.CharField(source="merchant_id")
    status = serializers.ChoiceField(choices=Coupon.Status.choices)
    value = amount()
    face_value = amount()
    currency = serializers.CharField()
    valid_from = instant()
    valid_until = instant(help_text="The first instant at which it is not valid.")
    order_no = serializers.CharField(allow_null=True)


class ExplanationShape(Base):
    """An offer's answer to one subject, condition by condition. `outcome` is a stable code."""

    offer = serializers.CharField()
    version = serializers.IntegerField()
    outcome = serializers.CharField()
    status = serializers.CharField(help_text="The state of the grant; empty without one.")
    claimed_at = instant(allow_null=True)
    place = serializers.IntegerField(allow_null=True)
    amount = amount(allow_null=True)
    currency = serializers.CharField()
    conditions = ReasonShape(many=True)


class SubjectShape(Base):
    """What is claimed for: a subject that is recorded, by its key, or one to be recorded first, by its facts."""

    subject = serializers.ChoiceField(choices=sorted(SUBJECTS))
    key = serializers.CharField(min_length=1, max_length=64, required=False)
    fact = serializers.DictField(required=False, help_text="The row of the subject, named as in its file of facts.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("key" in attrs) == ("fact" in attrs):
            raise serializers.ValidationError("Give either key or fact.", code="key_or_fact")
        return attrs


class DecisionShape(ExplanationShape):
    """A decision with its explanation, by the version that decided."""

    subject = serializers.CharField()


class StepShape(Base):
    """When it happened; now, where nothing is said."""

    at = instant(required=False, allow_null=True)


class ClaimShape(Base):
    """What became of a claim."""

    subject = serializers.CharField()
    key = serializers.CharField()
    outcome = serializers.CharField(help_text="granted, waiting, or the code of the refusal")
    answers = ExplanationShape(many=True)


class FactsShape(Base):
    facts = serializers.ListField(child=serializers.DictField(), min_length=1, max_length=1000)


class TakenShape(Base):
    rows = serializers.IntegerField()
    added = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    future = serializers.IntegerField()


class ProblemErrorShape(Base):
    pointer = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemShape(Base):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable: programs can rely on it.")
    detail = serializers.CharField()
    errors = ProblemErrorShape(many=True)  # type: ignore[assignment]  # RFC 9457 calls it so
