"""Bases of the views: declared query parameters, ETags, `Location`, and headers of deprecated operations."""

from typing import Any

from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api import queries
from api.deprecation import Deprecation
from api.serializers.fields import Base
from merchants.models import ApiKey

CREATED = (201, 202)


@method_decorator(conditional_page, name="dispatch")
class ApiView(APIView):
    """View whose query parameters are declared: `self.query` has their typed values.

    `scope` is what a key needs, `scopes` what it needs for single methods. A response to GET has an ETag: 304 for a
    client that sends the ETag of an unchanged response. `deprecations` are those of single methods.
    """

    scope: str = ApiKey.Scope.READ
    scopes: dict[str, str] = {}
    deprecations: dict[str, Deprecation] = {}
    query_serializer: type[Base] = queries.NoQuery
    query_serializers: dict[str, type[Base]] = {}

    def scope_of(self, request: Request) -> str:
        """Return the scope that the request needs."""
        return self.scope_for(_method(request))

    def scope_for(self, method: str) -> str:
        """Return the scope that a method needs."""
        return self.scopes.get(method, self.scope)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the key, its scope and rate, then the query parameters."""
        super().initial(request, *args, **kwargs)
        declared = self.query_serializers.get(_method(request), self.query_serializer)
        self.query = queries.parse(request, declared)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        """Add the address of what was made, and the headers of a deprecated operation."""
        finished: Response = super().finalize_response(request, response, *args, **kwargs)
        if finished.status_code in CREATED and isinstance(finished.data, dict) and "href" in finished.data:
            finished["Location"] = finished.data["href"]
        if deprecation := self.deprecations.get(_method(request)):
            for name, value in deprecation.headers().items():
                finished[name] = value
        return finished


class ReadView(ApiView):
    """View that only reads."""


def _method(request: Request) -> str:
    return "GET" if request.method in ("HEAD", "OPTIONS") else str(request.method)
