"""Explanation of one subject's claims."""

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import queries, serializers
from api.pagination import list_response
from api.subjects import explain_by_key, is_visible
from api.views.base import ReadView
from api.views.claims import SUBJECT
from campaigns.offers import published_offers


class ExplanationView(ReadView):
    query_serializer = queries.PageQuery

    @extend_schema(
        parameters=[SUBJECT, queries.PageQuery],
        responses=serializers.ExplanationPageSerializer,
        operation_id="explain",
    )
    def get(self, request: Request, subject: str, key: str) -> Response:
        """Explain the decision of every offer for a subject of this type, condition by condition."""
        if not is_visible(request, subject, key):
            raise Http404
        explanations = explain_by_key(published_offers.about(subject), [key])
        return list_response(serializers.ExplanationSerializer, explanations.get(key, []), request, self.query)
