"""Bodies of requests and responses. Field names are chosen here. Instants are in UTC, money is text."""

from api.serializers.benefits import CouponSerializer, GrantSerializer, MerchantSerializer
from api.serializers.claims import ClaimRequestSerializer, ClaimResultSerializer, StepSerializer
from api.serializers.explanations import BenefitSerializer, DecisionSerializer, ExplanationSerializer
from api.serializers.facts import FactSerializer, FactsSerializer, ImportResultSerializer
from api.serializers.fields import Base, KeyField, serialize
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
    ExplanationPageSerializer,
    FactPageSerializer,
    GrantPageSerializer,
    HistoryPageSerializer,
    MerchantPageSerializer,
    OfferPageSerializer,
    StatementPageSerializer,
)
from api.serializers.problems import ProblemSerializer, RefusalSerializer

__all__ = [
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
    "MerchantPageSerializer",
    "MerchantSerializer",
    "OfferDetailSerializer",
    "OfferPageSerializer",
    "OfferSerializer",
    "ProblemSerializer",
    "QuotaSerializer",
    "RefusalSerializer",
    "StatementLineSerializer",
    "StatementPageSerializer",
    "StepSerializer",
    "serialize",
]
