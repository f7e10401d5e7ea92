"""Campaigns, published offers and their quotas."""

from datetime import UTC
from typing import Any

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import queries, serializers
from api.pagination import list_response
from api.views.base import ReadView
from campaigns.models import Campaign, Grant, Offer
from campaigns.offers import band_usage, published_offers, schedule
from campaigns.offers.published_offers import PublishedOffer
from campaigns.reporting import quota_history
from core import clock
from core.db.compiled_queries import compiled_query, number
from definitions import offer_sentences


class CampaignListView(ReadView):
    query_serializer = queries.PageQuery

    @extend_schema(
        parameters=[queries.PageQuery],
        responses=serializers.CampaignPageSerializer,
        operation_id="list_campaigns",
    )
    def get(self, request: Request) -> Response:
        """List all campaigns."""
        campaigns = list(Campaign.objects.defer("source").order_by("code"))
        return list_response(serializers.CampaignSerializer, campaigns, request, self.query)


class OfferListView(ReadView):
    query_serializer = queries.OffersQuery

    @extend_schema(
        parameters=[queries.OffersQuery], responses=serializers.OfferPageSerializer, operation_id="list_offers"
    )
    def get(self, request: Request) -> Response:
        """List published offers."""
        campaign = self.query.get("campaign")
        offers = [offer for offer in published_offers.published() if campaign in (None, offer.row.campaign.code)]
        return list_response(serializers.OfferSerializer, [_offer_data(each) for each in offers], request, self.query)


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
            "bands": band_usage.usages([offer], at=clock.now()).get(offer.id, []),
            "as_of": max(
                (at for at in (row.grants_followed_until, row.instant_claims_decided_until) if at), default=None
            ),
            "forecast": quota_history.latest_forecast(offer, at=clock.now()),
        }
        return Response(serializers.serialize(serializers.QuotaSerializer, quota))


class QuotaHistoryView(ReadView):
    query_serializer = queries.PageQuery

    @extend_schema(
        parameters=[queries.PageQuery],
        responses=serializers.HistoryPageSerializer,
        operation_id="get_quota_history",
    )
    def get(self, request: Request, code: str) -> Response:
        """Return the places taken over time: by the hour for a history shorter than four days, else by the day."""
        offer = _find(code)
        points = quota_history.histories([offer.id], zone=UTC).get(offer.id, [])
        return list_response(serializers.HistoryPointSerializer, points, request, self.query)


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
    last_orders = schedule.order_by(offer.terms) or closes
    return {
        "code": offer.code,
        "campaign": offer.row.campaign.code,
        "name": offer.row.name,
        "version": offer.row.version.number if offer.row.version else 0,
        "subject": offer.terms.subject,
        "opens": opens.instant if opens else None,
        "order_by": last_orders.after if last_orders else None,
        "closes": closes.after if closes else None,
        "paused_at": offer.row.paused_at,
        "stopped_at": offer.row.stopped_at,
    }
