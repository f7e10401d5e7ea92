"""Ratings of a merchant."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import queries
from api.authentication import merchant_of
from api.pagination import list_response
from api.serializers.ratings import MerchantRatingsSerializer, RatingPageSerializer
from api.views.base import ReadView
from campaigns.scorecards import explanations
from core import clock


class MerchantRatingsView(ReadView):
    query_serializer = queries.PageQuery

    @extend_schema(parameters=[queries.PageQuery], responses=RatingPageSerializer, operation_id="list_merchant_ratings")
    def get(self, request: Request, merchant: str) -> Response:
        """List the ratings of a merchant by scorecard: the official one in force, the latest predicted one, history.

        The first two are explained point by point, with what brings the next level.
        """
        rated = merchant_of(request, merchant)
        found = explanations.of_merchant(rated.pk, at=clock.now())
        return list_response(MerchantRatingsSerializer, found, request, self.query)
