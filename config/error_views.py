"""Error pages for people."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

from core.db.errors import RETRY_HEADERS, is_unavailable


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 if the database is unavailable or busy, else 500. Either way the transaction was rolled back."""
    if not is_unavailable(sys.exc_info()[1]):
        return defaults.server_error(request)
    # Rendered without the request: its user would be read from the database.
    return HttpResponse(render_to_string("503.html"), status=503, headers=RETRY_HEADERS)
