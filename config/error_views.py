"""Error pages for people. Each has a reference that the log has too, so that support can find the request.

They are written from the request alone, never from the database: neither its user nor its session is read.
"""

import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.middleware.csrf import get_token
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from api import problems
from core import themes
from core.db.errors import RETRY_HEADERS, is_unavailable

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Page:
    """Error as people read it: what is wrong, then the way out."""

    title: Promise
    text: Promise
    icon: str = "alert-triangle"
    may_sign_out: bool = False
    may_retry: bool = False


PAGES = {
    400: Page(
        _("This request cannot be read"),
        _(
            "The address or the form contains something that no page understands, such as a date that does not exist. "
            "Nothing was changed. Go back and correct it."
        ),
    ),
    403: Page(
        _("Access denied"),
        _(
            "Your account does not have permission for this, or was disabled. Contact your main account or the "
            "platform."
        ),
        "ban",
        may_sign_out=True,
    ),
    404: Page(_("Page not found"), _("This page does not exist, or you do not have access to it."), "search"),
    405: Page(
        _("Not a page"),
        _("This address only takes a form or a button of another page. Nothing was changed."),
        "info-circle",
    ),
    413: Page(
        _("Too large"),
        _(
            "The form or file is larger than %(most)s, so nothing of it was read. Choose a smaller file, or split it "
            "into several."
        ),
        "file-import",
    ),
    429: Page(
        _("Too many requests"),
        _("You have sent more than is allowed within a short time. Wait a few minutes, then try again."),
        "clock",
    ),
    500: Page(
        _("Something went wrong"),
        _("The error was recorded, and nothing was changed. Try again, or tell support the reference."),
        may_retry=True,
    ),
    503: Page(
        _("Temporarily unavailable"),
        _("The database is busy or not responding. Nothing was changed. Try again in a moment."),
        "clock",
        may_retry=True,
    ),
}
EXPIRED = Page(
    _("The form has expired"),
    _("The form has expired, so nothing was changed. Go back, reload the page and send it again."),
    "clock",
)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001  # signature of Django
    """Answer 400, also to a host name that is not this server's."""
    return problems.bad_request(request) if _is_of_program(request) else page(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001  # signature of Django
    """Answer 403."""
    return page(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 to a form without its token: the page was open for long, or the form came from another site."""
    return page(request, 403, shown=EXPIRED, reason=reason)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001  # signature of Django
    """Answer 404."""
    return problems.not_found(request) if _is_of_program(request) else page(request, 404)


def too_large(request: HttpRequest, *, most: int) -> HttpResponse:
    """Answer 413 to a form of more than `most` bytes."""
    return page(request, 413, most=most)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 if the database is unavailable or busy, else 500. Either way the transaction was rolled back."""
    if _is_of_program(request):
        return problems.server_error(is_unavailable=is_unavailable(sys.exc_info()[1]))
    if is_unavailable(sys.exc_info()[1]):
        return page(request, 503, headers=RETRY_HEADERS)
    return page(request, 500)


def method_not_allowed(request: HttpRequest, allowed: Sequence[str]) -> HttpResponse:
    """Answer 405 to a method that no address has."""
    if _is_of_program(request):
        return problems.method_not_allowed(allowed)
    return HttpResponseNotAllowed(allowed)


def _is_of_program(request: HttpRequest) -> bool:
    """Return whether a request is one to the REST API, which has an error format of its own."""
    return request.path_info.startswith("/api/")


def page(
    request: HttpRequest,
    status: int,
    *,
    shown: Page | None = None,
    reason: str = "",
    headers: Mapping[str, str] | None = None,
    most: int = 0,
) -> HttpResponse:
    """Answer with the page of a status, in the language and the colours of the request."""
    shown = shown or PAGES[status]
    is_operators = request.path_info.startswith("/admin/")
    with translation.override(translation.get_language_from_request(request)):
        context = {
            "status": status,
            "page": shown,
            "text": str(shown.text) % {"most": filesizeformat(most)} if most else shown.text,
            "reference": _reference(request, status, reason),
            "theme": themes.chosen(request).value,
            "home": reverse("admin:index" if is_operators else "home"),
            "is_operators": is_operators,
            "again": request.get_full_path() if shown.may_retry and request.method == "GET" else "",
            "csrf_token": get_token(request) if shown.may_sign_out else "",
        }
        return HttpResponse(render_to_string("error.html", context), status=status, headers=headers)


def _reference(request: HttpRequest, status: int, reason: str) -> str:
    """Return the request's id, or a new one, and log it with the route: an address may contain a secret."""
    reference = str(structlog.contextvars.get_contextvars().get("request_id") or uuid4())[:8]
    match = request.resolver_match
    logger.warning(
        "%s, reference %s: %s %s %s", status, reference, request.method, match.route if match else "", reason
    )
    return reference
