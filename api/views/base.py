"""Base of the views that only read."""

from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from rest_framework.pagination import CursorPagination
from rest_framework.views import APIView

from merchants.models import ApiKey


class NewestFirst(CursorPagination):
    """Pages of a list, newest row first; `next` leads to the following page."""

    ordering = "-pk"
    page_size = 50
    page_size_query_param = "size"
    max_page_size = 100


@method_decorator(conditional_page, name="dispatch")
class ReadView(APIView):
    """View with an ETag: 304 for a client that sends the ETag of an unchanged response."""

    scope = ApiKey.Scope.READ
