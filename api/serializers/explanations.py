"""Explanations: what an offer decided about a subject, condition by condition."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers.fields import Base, amount, instant, plain_value
from campaigns.eligibility.condition_results import ConditionResult
from campaigns.eligibility.explanations import OUTCOMES
from campaigns.eligibility.merchant_status import Kind
from campaigns.eligibility.requirements import OPERATORS
from campaigns.models import Grant
from campaigns.offers.band_usage import BandUsage
from campaigns.offers.quota_bands import plain_units

EXPLAINED = (*OUTCOMES.values(), "pending", "before_opening", "no_claim", "not_a_subject")
"""Outcomes of explanations: decisions, and why there is none."""
BENEFIT_STATES = [kind.name.lower() for kind in Kind]
WINDOW = {
    "type": "object",
    "description": "From the first instant inside to the first one after it.",
    "properties": {name: {"type": "string", "format": "date-time"} for name in ("from", "to")},
    "required": ["from", "to"],
    "additionalProperties": False,
}
SCALARS = [{"type": "string"}, {"type": "integer"}, {"type": "boolean"}, {"type": "null"}]
LIST = {"type": "array", "items": {"type": "string"}}


@extend_schema_field({"anyOf": [*SCALARS, LIST, WINDOW], "description": "Value that the operator compares with."})
class RequiredField(serializers.JSONField):
    """Value that an operator compares with."""


@extend_schema_field({"anyOf": SCALARS, "description": "Value that was found."})
class ActualField(serializers.JSONField):
    """Value of a fact."""


@extend_schema_field({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]})
class ShortfallField(serializers.JSONField):
    """Missing amount or number."""


class ConditionResultSerializer(Base):
    """Result of one condition, as values for programs and as text for people.

    Money is text with two decimals, a number is an integer, an instant is text in UTC.
    """

    name = serializers.CharField(help_text="Code of the condition in its offer.")
    held = serializers.BooleanField(source="passed", help_text="Whether it held when the claim was decided.")
    holds_now = serializers.BooleanField(
        allow_null=True,
        help_text="Set where facts changed after the decision, so that the result would be another; `actual` is the "
        "present value. A decision stays as it is.",
    )
    operator = serializers.ChoiceField(choices=OPERATORS)
    required = RequiredField(allow_null=True)  # type: ignore[assignment]  # a field of that name, not the option
    actual = ActualField(allow_null=True)
    shortfall = ShortfallField(
        allow_null=True, help_text="What is missing, or too much; null if it held or is not a matter of more or less."
    )
    unit = serializers.CharField(
        allow_null=True,
        help_text="A currency, `%`, `hours`, `grants`, or the name of the rows that are counted; of a period `days`, "
        "`calendar`, `month_from`, `weekdays` or `sessions`.",
    )
    required_text = serializers.CharField()
    actual_text = serializers.CharField()
    shortfall_text = serializers.CharField(help_text="Empty if the condition held.")

    def to_representation(self, instance: ConditionResult) -> dict[str, Any]:
        """Return the result. Written by hand: claims have many, and a field takes longer than its value."""
        return {
            "name": instance.name,
            "held": instance.passed,
            "holds_now": instance.holds_now,
            "operator": instance.asked.operator,
            "required": plain_value(instance.asked.value),
            "actual": plain_value(instance.found),
            "shortfall": plain_value(instance.shortfall),
            "unit": instance.asked.unit,
            "required_text": instance.required,
            "actual_text": instance.shown,
            "shortfall_text": instance.margin,
        }


class ExplanationSerializer(Base):
    """Decision of an offer about one subject, condition by condition. `outcome` is a stable code."""

    offer = serializers.CharField()
    version = serializers.IntegerField()
    outcome = serializers.ChoiceField(
        choices=EXPLAINED, help_text="The decision, or pending, no_claim or not_a_subject without one."
    )
    status = serializers.ChoiceField(
        choices=("", *Grant.Status.values), help_text="The present state of the grant; empty without one."
    )
    claimed_at = instant(allow_null=True)
    decides_at = instant(allow_null=True, help_text="When a pending claim is decided; null if the offer is paused.")
    place = serializers.IntegerField(allow_null=True)
    benefit = amount(
        allow_null=True, help_text="What the benefit came to, if a budget had less left; null if it is the amount."
    )
    amount = amount(allow_null=True)
    currency = serializers.CharField()
    next_period = instant(
        allow_null=True, help_text="When the next period of the limit begins that refused the claim; null without one."
    )
    review = serializers.CharField(
        help_text="Why the grant is under review, because facts changed after it was given; empty if it is not."
    )
    conditions = ConditionResultSerializer(many=True)
    quarantined_since = instant(
        allow_null=True, help_text="Set while the subject could not be processed and waits: it is tried again."
    )


class DecisionSerializer(ExplanationSerializer):
    """Explanation of a stored decision, by the version of the terms that decided."""

    subject = serializers.CharField()


class BandSerializer(Base):
    """Limit of a quota other than `limit` and `per_merchant`, and its use in the present period.

    `used` and `left` are of all grants, or of the merchant that was asked about; null where each holder has its own.
    """

    of = serializers.ChoiceField(choices=("grants", "amount"))
    per = serializers.CharField(help_text="`all`, `merchant` or another holder of the subject.")
    currency = serializers.CharField(allow_null=True)
    limit = serializers.CharField(help_text="A number of grants, or an amount with two decimals.")
    used = serializers.CharField(allow_null=True)
    left = serializers.CharField(allow_null=True)
    next_period = instant(allow_null=True, help_text="When the next period begins; null without one.")
    text = serializers.CharField()

    def to_representation(self, instance: BandUsage) -> dict[str, Any]:
        """Return the band; its units are plain numbers or amounts."""
        band, counts = instance.band, instance.is_shared or instance.is_own
        return {
            "of": band.of,
            "per": band.per,
            "currency": band.currency,
            "limit": plain_units(band, instance.limit),
            "used": plain_units(band, instance.used) if counts else None,
            "left": plain_units(band, instance.left) if counts else None,
            "next_period": plain_value(instance.ends),
            "text": instance.sentence,
        }


class BenefitSerializer(Base):
    """Status of a merchant with an offer."""

    offer = serializers.CharField()
    state = serializers.ChoiceField(choices=BENEFIT_STATES)
    reasons = ConditionResultSerializer(many=True)
    asks = serializers.ListField(child=serializers.CharField())
    progress = ConditionResultSerializer(allow_null=True)
    left = serializers.IntegerField(allow_null=True)
    own_left = serializers.IntegerField(allow_null=True)
    bands = BandSerializer(many=True, help_text="Other limits, for all or for the merchant.")
