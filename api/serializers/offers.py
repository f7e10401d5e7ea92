"""Campaigns, offers, quotas and statements."""

from rest_framework import serializers

from api.serializers.explanations import BandSerializer
from api.serializers.fields import Base, amount, instant
from core.facts import SUBJECTS


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
    funding = serializers.CharField(help_text="Who pays for the benefit; empty: the platform.")


class OfferSerializer(Base):
    code = serializers.CharField()
    campaign = serializers.CharField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    subject = serializers.ChoiceField(choices=sorted(SUBJECTS))
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


class QuotaSerializer(Base):
    limit = serializers.IntegerField(allow_null=True)
    used = serializers.IntegerField(help_text="Places taken, reserved ones included.")
    reserved = serializers.IntegerField(
        help_text="Places taken by grants that are reserved or locked, not settled yet."
    )
    left = serializers.IntegerField(allow_null=True)
    per_merchant = serializers.IntegerField(allow_null=True)
    bands = BandSerializer(many=True, help_text="Other limits: by period, in money, or of another holder.")
    as_of = instant(allow_null=True, help_text="The instant up to which claims are decided and grants followed.")
    forecast = ForecastSerializer(allow_null=True)


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
