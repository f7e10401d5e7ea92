"""Bodies of requests and responses. Field names are chosen here. Instants are in UTC, money is text."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.serializers import Serializer

from campaigns.models import Coupon, Grant
from core.facts import SUBJECTS
from core.instants import is_accepted
from core.keys import normalize_key

Base = Serializer[Any]


def amount(**options: Any) -> serializers.DecimalField:
    """Money as text with two decimals; the currency is a field of its own."""
    return serializers.DecimalField(max_digits=14, decimal_places=2, **options)


class KeyField(serializers.CharField):
    """Key of a fact, in the form in which it is stored."""

    def to_internal_value(self, data: Any) -> str:
        return normalize_key(super().to_internal_value(data))


def instant(**options: Any) -> serializers.DateTimeField:
    """Return a field of an instant in UTC."""
    return serializers.DateTimeField(default_timezone=UTC, **options)


@lru_cache
def _instance(serializer: type[Base]) -> Base:
    return serializer()


def serialize(serializer: type[Base], value: object) -> dict[str, Any]:
    """Return a value as JSON data. Reuses one instance of each serializer: building its fields costs more than this."""
    data: dict[str, Any] = _instance(serializer).to_representation(value)
    return data


class CampaignSerializer(Base):
    code = serializers.CharField()
    name_en = serializers.CharField()
    name_zh = serializers.CharField()


class TermsSerializer(Base):
    """Terms of an offer as sentences, in the language of the response."""

    benefit = serializers.CharField()
    claim = serializers.CharField()
    conditions = serializers.ListField(child=serializers.CharField())
    quota = serializers.CharField()
    settlement = serializers.ListField(child=serializers.CharField())


class OfferSerializer(Base):
    code = serializers.CharField()
    campaign = serializers.CharField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    subject = serializers.CharField()
    opens = instant(allow_null=True)
    order_by = instant(
        allow_null=True,
        help_text="The first instant at which a new order comes too late. It can be before `closes`: what claims the "
        "benefit, such as the shipment, may happen later.",
    )
    closes = instant(allow_null=True, help_text="The first instant at which the offer is closed.")
    paused_at = instant(allow_null=True)
    stopped_at = instant(allow_null=True)


class OfferDetailSerializer(OfferSerializer):
    terms = serializers.JSONField(help_text="The definition; see the JSON Schema of campaigns.")
    sentences = TermsSerializer()


class ForecastSerializer(Base):
    """Instants at which the last place may be taken, at the pace of `taken` places since `since`; null: never."""

    soonest = instant()
    likely = instant()
    latest = instant(allow_null=True)
    taken = serializers.IntegerField()
    since = instant()


class HistoryPointSerializer(Base):
    """Net places taken in the hour or day that starts at `at`, and all places taken at its end."""

    at = instant()
    taken = serializers.IntegerField()
    total = serializers.IntegerField()


class StatementLineSerializer(Base):
    """Amounts of one merchant and offer in a month. `total` is settled + redeemed - reversed - returned."""

    offer = serializers.CharField()
    merchant = serializers.CharField()
    currency = serializers.CharField()
    settled = amount()
    reversed = amount()
    redeemed = amount()
    returned = amount()
    total = amount()


class QuotaSerializer(Base):
    limit = serializers.IntegerField(allow_null=True)
    used = serializers.IntegerField(help_text="Places taken, reserved ones included.")
    reserved = serializers.IntegerField(
        help_text="Places taken by grants that are reserved or locked, not settled yet."
    )
    left = serializers.IntegerField(allow_null=True)
    per_merchant = serializers.IntegerField(allow_null=True)
    as_of = instant(allow_null=True, help_text="The instant up to which claims are decided and grants followed.")
    forecast = ForecastSerializer(allow_null=True)


class ConditionResultSerializer(Base):
    """Result of one condition: the value required, the value found, whether it held, and the `margin` if not."""

    name = serializers.CharField()
    required = serializers.CharField()  # type: ignore[assignment]  # a field of that name, not the option
    found = serializers.CharField(source="shown")
    held = serializers.BooleanField(source="passed")
    margin = serializers.CharField()


class BenefitSerializer(Base):
    """Status of a merchant with an offer."""

    offer = serializers.CharField()
    state = serializers.CharField()
    reasons = ConditionResultSerializer(many=True)
    asks = serializers.ListField(child=serializers.CharField())
    progress = ConditionResultSerializer(allow_null=True)
    left = serializers.IntegerField(allow_null=True)
    own_left = serializers.IntegerField(allow_null=True)


class GrantSerializer(Base):
    offer = serializers.CharField(source="offer.code")
    subject = serializers.CharField()
    merchant = serializers.CharField(source="merchant_id")
    status = serializers.ChoiceField(choices=Grant.Status.choices)
    amount = amount()
    currency = serializers.CharField()
    claimed_at = instant()
    ended_at = instant(allow_null=True)


class CouponSerializer(Base):
    code = serializers.CharField()
    offer = serializers.CharField(source="offer.code")
    merchant = serializers.CharField(source="merchant_id")
    status = serializers.ChoiceField(choices=Coupon.Status.choices)
    value = amount()
    face_value = amount()
    currency = serializers.CharField()
    valid_from = instant()
    valid_until = instant(help_text="The first instant at which the coupon is not valid any more.")
    order_no = serializers.CharField(allow_null=True)


class ExplanationSerializer(Base):
    """Decision of an offer about one subject, condition by condition. `outcome` is a stable code."""

    offer = serializers.CharField()
    version = serializers.IntegerField()
    outcome = serializers.CharField(help_text="The decision, or pending, no_claim or not_a_subject without one.")
    status = serializers.CharField(help_text="The present state of the grant; empty without one.")
    claimed_at = instant(allow_null=True)
    decides_at = instant(allow_null=True, help_text="When a pending claim is decided; null if the offer is paused.")
    place = serializers.IntegerField(allow_null=True)
    amount = amount(allow_null=True)
    currency = serializers.CharField()
    conditions = ConditionResultSerializer(many=True)
    quarantined_since = instant(
        allow_null=True, help_text="Set while the subject could not be processed and waits: it is tried again."
    )


class ClaimRequestSerializer(Base):
    """Subject of a claim: a recorded one by its `key`, or a new one by its `fact`, which is recorded first."""

    subject = serializers.ChoiceField(choices=sorted(SUBJECTS))
    key = KeyField(min_length=1, max_length=64, required=False)
    fact = serializers.DictField(required=False, help_text="The row of the subject, with the column names of its file.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("key" in attrs) == ("fact" in attrs):
            raise serializers.ValidationError("Give either key or fact.", code="key_or_fact")
        return attrs


class DecisionSerializer(ExplanationSerializer):
    """Explanation of a stored decision, by the version of the terms that decided."""

    subject = serializers.CharField()


class InstantField(serializers.DateTimeField):
    """Instant with an offset or `Z`, from 1970 to 2200."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str) and (parsed := _parse_instant(data)) is not None:
            if parsed.tzinfo is None:
                self.fail("no_offset")
            if not is_accepted(parsed):
                self.fail("out_of_range")
        return super().to_internal_value(data)

    default_error_messages: ClassVar = {
        "no_offset": gettext_lazy("has no offset: write Z for UTC, or an offset such as +08:00"),
        "out_of_range": gettext_lazy("is not between the years 1970 and 2200"),
    }


def _parse_instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


class StepSerializer(Base):
    """Instant of a step, now by default."""

    at = InstantField(required=False, allow_null=True)


class ClaimResultSerializer(Base):
    """Result of a claim or quote.

    `state` is the present state: that of the grant, if there is one, else the same as `outcome`.
    """

    subject = serializers.CharField()
    key = serializers.CharField()
    state = serializers.CharField(
        help_text="reserved, locked, settled, released, forfeited or revoked; without a grant the `outcome`"
    )
    outcome = serializers.CharField(
        help_text="The decision: granted, the code of the refusal, waiting, paused, not_claimed or not_applicable."
    )
    decides_at = instant(allow_null=True, help_text="When the claim is decided, if the outcome is waiting.")
    answers = ExplanationSerializer(many=True)


class FactsSerializer(Base):
    facts = serializers.ListField(child=serializers.DictField(), min_length=1, max_length=1000)
    allow_moves = serializers.BooleanField(
        default=False, help_text="Allow facts that give a recorded row to another merchant or order."
    )


class ImportResultSerializer(Base):
    rows = serializers.IntegerField()
    added = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    future = serializers.IntegerField()


class FieldErrorSerializer(Base):
    """One fault of a request: the `pointer` to the value in its body, or the `parameter` of its address."""

    pointer = serializers.CharField(required=False)
    parameter = serializers.CharField(required=False)
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(Base):
    """Error response (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable code of the error, for programs.")
    detail = serializers.CharField()
    errors = FieldErrorSerializer(many=True)  # type: ignore[assignment]  # RFC 9457 calls it so


class RefusalSerializer(ProblemSerializer, ClaimResultSerializer):
    """Problem of a claim that got no benefit, with the result of the claim."""


class PageSerializer(Base):
    """A page of a list."""

    next = serializers.URLField(allow_null=True, help_text="Address of the next page; null on the last one.")
    previous = serializers.URLField(allow_null=True, help_text="Address of the previous page; null on the first one.")


class CampaignPageSerializer(PageSerializer):
    results = CampaignSerializer(many=True)


class OfferPageSerializer(PageSerializer):
    results = OfferSerializer(many=True)


class HistoryPageSerializer(PageSerializer):
    results = HistoryPointSerializer(many=True)


class StatementPageSerializer(PageSerializer):
    results = StatementLineSerializer(many=True)


class BenefitPageSerializer(PageSerializer):
    results = BenefitSerializer(many=True)


class GrantPageSerializer(PageSerializer):
    results = GrantSerializer(many=True)


class CouponPageSerializer(PageSerializer):
    results = CouponSerializer(many=True)


class DecisionPageSerializer(PageSerializer):
    results = DecisionSerializer(many=True)


class ExplanationPageSerializer(PageSerializer):
    results = ExplanationSerializer(many=True)
