"""Campaigns, published offers and their quotas."""

from datetime import UTC
from typing import Any

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import serializers
from api.views.base import ReadView
from campaigns.models import Campaign, Grant, Offer
from campaigns.offers import published_offers, schedule
from campaigns.offers.published_offers import PublishedOffer
from campaigns.reporting import quota_history
from core import clock
from core.db.compiled_queries import compiled_query, number
from definitions import offer_sentences

# A NUL is refused for every address, before the view runs.
CAMPAIGN_FILTER = {"type": "string", "pattern": "^[^\\u0000]*$"}


class CampaignListView(ReadView):
    @extend_schema(responses=serializers.CampaignSerializer(many=True), operation_id="list_campaigns")
    def get(self, _request: Request) -> Response:
        """List all campaigns."""
        campaigns = Campaign.objects.defer("source").order_by("code")
        return Response(serializers.CampaignSerializer(campaigns, many=True).data)


class OfferListView(ReadView):
    @extend_schema(
        responses=serializers.OfferSerializer(many=True),
        parameters=[OpenApiParameter("campaign", CAMPAIGN_FILTER, description="only offers of this campaign")],
        operation_id="list_offers",
    )
    def get(self, request: Request) -> Response:
        """List published offers."""
        campaign = request.query_params.get("campaign")
        offers = [offer for offer in published_offers.published() if campaign in (None, offer.row.campaign.code)]
        return Response(serializers.OfferSerializer([_offer_data(offer) for offer in offers], many=True).data)


class OfferView(ReadView):
    @extend_schema(responses=serializers.OfferDetailSerializer, operation_id="get_offer")
    def get(self, _request: Request, code: str) -> Response:
        """Return an offer with its terms, as data and as sentences in the language of `Accept-Language`."""
        offer = _find(code)
        detail = {
            **_offer_data(offer),
            "terms": published_offers.as_data(offer.terms),
            "sentences": offer_sentences.describe_terms(offer.terms),
        }
        return Response(serializers.OfferDetailSerializer(detail).data)


class QuotaView(ReadView):
    @extend_schema(responses=serializers.QuotaSerializer, operation_id="get_quota")
    def get(self, _request: Request, code: str) -> Response:
        """Return how many places an offer has, how many are taken and how many are left."""
        offer = _find(code)
        row = offer.row
        [(reserved,)] = _reserved_places()(offer=offer.id)
        quota = {
            "limit": row.limit,
            "used": row.places_taken,
            "reserved": reserved,
            "left": None if row.limit is None else max(row.limit - row.places_taken, 0),
            "per_merchant": row.limit_per_merchant,
            "as_of": max(
                (at for at in (row.grants_followed_until, row.instant_claims_decided_until) if at), default=None
            ),
            "forecast": quota_history.latest_forecast(offer, at=clock.now()),
        }
        return Response(serializers.serialize(serializers.QuotaSerializer, quota))


class QuotaHistoryView(ReadView):
    @extend_schema(responses=serializers.HistoryPointSerializer(many=True), operation_id="get_quota_history")
    def get(self, _request: Request, code: str) -> Response:
        """Return the places taken over time: by the hour for a history shorter than four days, else by the day."""
        offer = _find(code)
        points = quota_history.histories([offer.id], zone=UTC).get(offer.id, [])
        return Response(serializers.HistoryPointSerializer(points, many=True).data)


@compiled_query
def _reserved_places() -> Any:
    """Count an offer's grants that are reserved or locked, not settled yet."""
    reserved = Grant.objects.filter(offer=OuterRef("pk"), status__in=[Grant.Status.RESERVED, Grant.Status.LOCKED])
    count = reserved.order_by().values("offer").annotate(n=Count("pk")).values("n")
    return Offer.objects.filter(pk=number("offer")).values_list(Coalesce(Subquery(count), 0))


def _find(code: str) -> PublishedOffer:
    try:
        return published_offers.find(code)
    except Offer.DoesNotExist as error:
        raise Http404 from error


def _offer_data(offer: PublishedOffer) -> dict[str, Any]:
    opens, closes = schedule.opens(offer.terms), schedule.closes(offer.terms)
    return {
        "code": offer.code,
        "campaign": offer.row.campaign.code,
        "name": offer.row.name,
        "version": offer.row.version.number if offer.row.version else 0,
        "subject": offer.terms.subject,
        "opens": opens.instant if opens else None,
        "closes": closes.after if closes else None,
        "paused_at": offer.row.paused_at,
        "stopped_at": offer.row.stopped_at,
    }
