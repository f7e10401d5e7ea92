"""Middleware that refuses forms with too much content before anything of them is read.

A view with an attribute `max_body` accepts that many bytes from users who have signed in, and others what
`settings.DATA_UPLOAD_MAX_MEMORY_SIZE` says. Visitors only sign in and choose languages and passwords. The bodies of the
REST API are limited by its parser.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from config import error_views

VISITORS_LIMIT = 64_000
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class FormLimit:
    """Middleware: answer 413 to a form with more bytes than its view accepts from this user.

    Stands before all middleware that reads forms; a view's middleware hooks run in this order.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, *_arguments: object) -> HttpResponse | None:
        if request.content_type not in FORMS or _length(request) <= VISITORS_LIMIT:
            return None
        limit = getattr(view, "max_body", settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        if not request.user.is_authenticated:
            limit = VISITORS_LIMIT
        if _length(request) <= limit:
            return None
        return error_views.too_large(request, most=limit)


def _length(request: HttpRequest) -> int:
    """Return the length that the client announced. Django reads no further."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
