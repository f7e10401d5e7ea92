"""Bases of the views: declared query parameters, and reading with an ETag."""

from typing import Any

from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from rest_framework.request import Request
from rest_framework.views import APIView

from api import queries
from merchants.models import ApiKey


class ApiView(APIView):
    """View whose query parameters are declared: `self.query` has their typed values."""

    query_serializer: type[queries.Base] = queries.NoQuery

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the key, its scope and rate, then the query parameters."""
        super().initial(request, *args, **kwargs)
        self.query = queries.parse(request, self.query_serializer)


@method_decorator(conditional_page, name="dispatch")
class ReadView(ApiView):
    """View with an ETag: 304 for a client that sends the ETag of an unchanged response."""

    scope = ApiKey.Scope.READ
