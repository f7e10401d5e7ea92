"""Monthly statements."""

from datetime import date

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import serializers
from api.authentication import key_of
from api.views.base import ReadView
from campaigns.ledger import statements


class StatementView(ReadView):
    @extend_schema(
        responses=serializers.StatementLineSerializer(many=True),
        parameters=[OpenApiParameter(name, str) for name in ("offer", "merchant")],
        operation_id="get_statement",
    )
    def get(self, request: Request, month: str) -> Response:
        """Return what was settled and redeemed in a month such as `2022-09`, for the merchants that the key may see."""
        try:
            first = date.fromisoformat(f"{month}-01")
        except ValueError as error:
            raise Http404 from error
        offer, merchant = request.query_params.get("offer"), request.query_params.get("merchant")
        lines = [
            line
            for line in statements.lines(first, only=key_of(request).merchant_id or merchant)
            if offer in (None, line.offer) and merchant in (None, line.merchant)
        ]
        return Response(serializers.StatementLineSerializer(lines, many=True).data)
