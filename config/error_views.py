"""Error pages for people. Each has a reference that the log has too, so that support can find the request."""

import logging
import sys
from uuid import uuid4

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from core.db.errors import RETRY_HEADERS, is_unavailable

logger = logging.getLogger(__name__)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001  # signature of Django
    """Answer 403."""
    return _page(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 to a form without its token: the page was open for long, or the form came from another site."""
    return _page(request, 403, reason=reason, is_expired=True)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001  # signature of Django
    """Answer 404."""
    return _page(request, 404)


def method_not_allowed(request: HttpRequest) -> HttpResponse:
    """Answer 405: an address that only takes forms was opened as a page, for example."""
    return _page(request, 405)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 if the database is unavailable or busy, else 500. Either way the transaction was rolled back."""
    # Rendered without the request: its user would be read from the database.
    if is_unavailable(sys.exc_info()[1]):
        return HttpResponse(render_to_string("503.html"), status=503, headers=RETRY_HEADERS)
    return HttpResponse(render_to_string("500.html", {"reference": _reference(request, 500)}), status=500)


def _page(request: HttpRequest, status: int, *, reason: str = "", is_expired: bool = False) -> HttpResponse:
    context = {"reference": _reference(request, status, reason), "is_expired": is_expired}
    return render(request, f"{status}.html", context, status=status)


def _reference(request: HttpRequest, status: int, reason: str = "") -> str:
    """Return the request's id, or a new one, and log it with the route: an address may contain a secret."""
    reference = str(structlog.contextvars.get_contextvars().get("request_id") or uuid4())[:8]
    match = request.resolver_match
    logger.warning(
        "%s, reference %s: %s %s %s", status, reference, request.method, match.route if match else "", reason
    )
    return reference
