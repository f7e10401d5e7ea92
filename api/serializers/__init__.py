"""Bodies of requests and responses. Field names are chosen here. Instants are in UTC, money is text."""

from api.serializers.benefits import CouponSerializer, GrantSerializer, MerchantSerializer
from api.serializers.claims import ClaimRequestSerializer, ClaimResultSerializer, StepSerializer
from api.serializers.explanations import BenefitSerializer, DecisionSerializer, ExplanationSerializer
from api.serializers.facts import FactSerializer, FactsSerializer, ImportResultSerializer
from api.serializers.fields import Base, KeyField, serialize
from api.serializers.keys import ApiKeySerializer, KeyRequestSerializer, NewApiKeySerializer, RotationSerializer
from api.serializers.offers import (
    CampaignSerializer,
    HistoryPointSerializer,
    OfferDetailSerializer,
    OfferSerializer,
    QuotaSerializer,
    StatementLineSerializer,
)
from api.serializers.pages import (
    BenefitPageSerializer,
    CampaignPageSerializer,
    CouponPageSerializer,
    DecisionPageSerializer,
    DeliveryPageSerializer,
    ExplanationPageSerializer,
    FactPageSerializer,
    GrantPageSerializer,
    HistoryPageSerializer,
    KeyPageSerializer,
    MerchantPageSerializer,
    OfferPageSerializer,
    StatementPageSerializer,
    WebhookPageSerializer,
)
from api.serializers.problems import ProblemSerializer, RefusalSerializer
from api.serializers.webhooks import (
    DeliverySerializer,
    NewWebhookSerializer,
    WebhookChangeSerializer,
    WebhookRequestSerializer,
    WebhookSerializer,
)

__all__ = [
    "ApiKeySerializer",
    "Base",
    "BenefitPageSerializer",
    "BenefitSerializer",
    "CampaignPageSerializer",
    "CampaignSerializer",
    "ClaimRequestSerializer",
    "ClaimResultSerializer",
    "CouponPageSerializer",
    "CouponSerializer",
    "DecisionPageSerializer",
    "DecisionSerializer",
    "DeliveryPageSerializer",
    "DeliverySerializer",
    "ExplanationPageSerializer",
    "ExplanationSerializer",
    "FactPageSerializer",
    "FactSerializer",
    "FactsSerializer",
    "GrantPageSerializer",
    "GrantSerializer",
    "HistoryPageSerializer",
    "HistoryPointSerializer",
    "ImportResultSerializer",
    "KeyField",
    "KeyPageSerializer",
    "KeyRequestSerializer",
    "MerchantPageSerializer",
    "MerchantSerializer",
    "NewApiKeySerializer",
    "NewWebhookSerializer",
    "OfferDetailSerializer",
    "OfferPageSerializer",
    "OfferSerializer",
    "ProblemSerializer",
    "QuotaSerializer",
    "RefusalSerializer",
    "RotationSerializer",
    "StatementLineSerializer",
    "StatementPageSerializer",
    "StepSerializer",
    "WebhookChangeSerializer",
    "WebhookPageSerializer",
    "WebhookRequestSerializer",
    "WebhookSerializer",
    "serialize",
]
