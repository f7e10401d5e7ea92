"""What a person is shown when something goes wrong here."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

from core.db.errors import RETRY_HEADERS, is_unavailable


def failed(request: HttpRequest) -> HttpResponse:
    """503 where the database is away or too busy, 500 else. In both cases nothing is half done."""
    if not is_unavailable(sys.exc_info()[1]):
        return server_error(request)
    # Without the request: whatever is known of it may have to be read from the database.
    return HttpResponse(render_to_string("503.html"), status=503, headers=RETRY_HEADERS)
