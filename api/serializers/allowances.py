"""Allowances, uses of them, and entitlements."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework import serializers

from api.serializers.claims import OfferRequestSerializer
from api.serializers.explanations import ConditionResultSerializer
from api.serializers.fields import Base, KeyField, NewKeyField, instant
from api.serializers.pages import PageSerializer
from api.serializers.problems import ProblemSerializer
from campaigns.allowances.holdings import State
from campaigns.allowances.published import published
from campaigns.models import UsageDecision
from definitions.allowances import MOST_UNITS

RESULTS = UsageDecision.Result.values


class CollectRequestSerializer(OfferRequestSerializer):
    """Request of an account of a merchant to collect an allowance."""

    offer = KeyField(min_length=1, max_length=64, help_text="Code of an allowance that is collected.")

    def validate_offer(self, code: str) -> str:
        """Return the code of an allowance that is collected by a request."""
        if not any(one.code == code and one.terms.collected for one in published()):
            raise serializers.ValidationError(_("There is no allowance %(code)s.") % {"code": code}, code="unknown")
        return code


class UseRequestSerializer(Base):
    """Use that is about to happen. A key of a merchant leaves out `merchant_code`."""

    usage_no = NewKeyField(
        min_length=1,
        max_length=64,
        help_text="Your number of the use; it is used once. Behind the code of the merchant of your key, and a colon, "
        "it has at most 64 characters: so it is stored.",
    )
    merchant_code = KeyField(min_length=1, max_length=64, required=False)
    account_code = KeyField(min_length=1, max_length=64, required=False, allow_null=True)
    use = NewKeyField(min_length=1, max_length=64)
    quantity = serializers.IntegerField(required=False, default=1, min_value=1, max_value=MOST_UNITS)
    buyer_code = KeyField(min_length=1, max_length=64, required=False, allow_null=True)


class UseResultSerializer(Base):
    """Result of a use, and the allowance that it used, as it is now."""

    usage_no = serializers.CharField()
    result = serializers.ChoiceField(choices=RESULTS)
    use = serializers.CharField()
    used_at = instant()
    taken = serializers.IntegerField(help_text="Units that the use took.")
    allowance = serializers.CharField(allow_null=True, help_text="Code of the allowance; null for a refused use.")
    period = serializers.CharField(allow_blank=True)
    units = serializers.IntegerField(allow_null=True)
    used = serializers.IntegerField(allow_null=True)
    left = serializers.IntegerField(allow_null=True)
    until = instant(allow_null=True, help_text="When the allowance ends.")


class UseRefusalSerializer(ProblemSerializer, UseResultSerializer):
    """Problem of a use that was refused, with the result."""


class AllowanceSerializer(Base):
    """Allowance of a merchant in the present part of its period."""

    code = serializers.CharField()
    name = serializers.CharField()
    use = serializers.CharField(source="allowance.terms.use")
    state = serializers.ChoiceField(
        choices=[state.value for state in State],
        help_text="had: can be used now. collectable: a claim request that names the code collects it.",
    )
    period = serializers.CharField(allow_blank=True, help_text="Such as 2022-10; empty outside of the period.")
    units = serializers.IntegerField(allow_null=True, help_text="Null where the request decides.")
    used = serializers.IntegerField()
    left = serializers.IntegerField(help_text="Units that can be used now.")
    starts_at = instant(allow_null=True)
    until = instant(source="ends_at", allow_null=True)
    collected_at = instant(allow_null=True)
    conditions = ConditionResultSerializer(many=True)


class NotCollectedSerializer(ProblemSerializer):
    """Problem of a request that collected nothing, with the allowance as it is now."""

    allowance = AllowanceSerializer()


class EntitlementSerializer(Base):
    """Entitlement that a holder has now."""

    code = serializers.CharField()
    name = serializers.CharField()
    value = serializers.CharField(help_text="`yes`, or a number with two decimals.")


class AllowancePageSerializer(PageSerializer):
    results = AllowanceSerializer(many=True)


class EntitlementPageSerializer(PageSerializer):
    results = EntitlementSerializer(many=True)


@dataclass(frozen=True, slots=True)
class UsedAllowance:
    """Allowance of a merchant in one part of a period, as it is after a use."""

    COLUMNS: ClassVar = ("merchant_id", "document_id", "document__code", "period", "units", "used", "ends_at")

    merchant: str
    document_id: int
    code: str
    period: str
    units: int
    used: int
    ends_at: datetime


def use_result(decision: UsageDecision, row: UsedAllowance | None, *, number: str) -> dict[str, Any]:
    """Return the result of a use as the serializer has it; `row` is its allowance, None for a refused use."""
    return {
        "usage_no": number,
        "result": decision.result,
        "use": decision.use,
        "used_at": decision.used_at,
        "taken": decision.taken - decision.returned,
        "allowance": row.code if row else None,
        "period": decision.period,
        "units": row.units if row else None,
        "used": row.used if row else None,
        "left": row.units - row.used if row else None,
        "until": row.ends_at if row else None,
    }
