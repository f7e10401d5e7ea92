"""Pages of lists."""

from rest_framework import serializers

from api.serializers.benefits import CouponSerializer, GrantSerializer, MerchantSerializer
from api.serializers.explanations import BenefitSerializer, DecisionSerializer, ExplanationSerializer
from api.serializers.facts import FactSerializer
from api.serializers.fields import Base
from api.serializers.keys import ApiKeySerializer
from api.serializers.offers import (
    CampaignSerializer,
    HistoryPointSerializer,
    OfferSerializer,
    StatementLineSerializer,
)
from api.serializers.webhooks import DeliverySerializer, WebhookSerializer


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


class MerchantPageSerializer(PageSerializer):
    results = MerchantSerializer(many=True)


class GrantPageSerializer(PageSerializer):
    results = GrantSerializer(many=True)


class CouponPageSerializer(PageSerializer):
    results = CouponSerializer(many=True)


class DecisionPageSerializer(PageSerializer):
    results = DecisionSerializer(many=True)


class ExplanationPageSerializer(PageSerializer):
    results = ExplanationSerializer(many=True)


class KeyPageSerializer(PageSerializer):
    results = ApiKeySerializer(many=True)


class WebhookPageSerializer(PageSerializer):
    results = WebhookSerializer(many=True)


class DeliveryPageSerializer(PageSerializer):
    results = DeliverySerializer(many=True)


class FactPageSerializer(PageSerializer):
    results = FactSerializer(many=True)
