"""Middleware for every address: unknown HTTP methods, unusable input, and parts of a page after a session ended."""

import logging
import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url

from config import error_views
from config.body_limits import FORMS
from core.requests import described
from core.unusable_input import has_nul, is_unusable_input

logger = logging.getLogger(__name__)
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
PAGED = (HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.TOO_MANY_REQUESTS)
KNOWN_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def request_id(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: give each request an id, which its response and its log lines have. A proxy or client may name it."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        own = given if REQUEST_ID.fullmatch(given) else str(uuid4())
        request.META["HTTP_X_REQUEST_ID"] = own
        with structlog.contextvars.bound_contextvars(request_id=own):
            response = get_response(request)
        response["X-Request-ID"] = own
        return response

    return answer


def known_methods_only(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: answer 405 to TRACE and to methods that do not exist. Each view restricts the known ones itself."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.method in KNOWN_METHODS:
            return get_response(request)
        return error_views.method_not_allowed(request, KNOWN_METHODS)

    return answer


def unauthorized_fragments(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: answer 401 where a request of htmx would be redirected to the sign-in page.

    htmx follows a redirect and would put the sign-in page, or nothing, in place of the part that it renews.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if "HX-Request" not in request.headers or response.status_code != 302:
            return response
        if urlsplit(response.headers["Location"]).path not in map(resolve_url, (settings.LOGIN_URL, "admin:login")):
            return response
        refusal = HttpResponse(status=401, headers={"WWW-Authenticate": "Session"})
        refusal.cookies = response.cookies
        return refusal

    return answer


def note_route(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: tell the web server's access log the route of a request, which it logs instead of the address."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        request.META["fairground.route"] = described(request)
        return response

    return answer


def refusal_pages(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: give an empty 405 or 429 for people a page. Programs get the API's error format from their view."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.status_code not in PAGED or getattr(response, "content", True) or request.method == "OPTIONS":
            return response
        kept = {name: response[name] for name in ("Allow", "Retry-After") if name in response}
        return error_views.page(request, response.status_code, headers=kept)

    return answer


class UnusableInputGuard:
    """Middleware: answer 400 to input that cannot be represented, in an address, a cookie, a filter or a form.

    A NUL is found before the view runs. An impossible year or number is found by the code that meets it: the guard
    answers its exception. Addresses of the REST API get the API's error format.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        nul = (
            "\0" in request.path_info or has_nul(request.COOKIES) or any(has_nul(each) for each in _pairs(request.GET))
        )
        return error_views.bad_request(request) if nul else self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        """Check forms. Other bodies are read by the REST API alone, which checks them itself."""
        is_form = request.method == "POST" and request.content_type in FORMS
        return (
            error_views.bad_request(request)
            if is_form and any(has_nul(each) for each in _pairs(request.POST))
            else None
        )

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer the exceptions that unusable input causes."""
        # A view that answers 404 has dealt with the input that caused it.
        if isinstance(error, Http404) or not is_unusable_input(error):
            return None
        logger.warning("unusable input at %s", described(request), exc_info=error)
        return error_views.bad_request(request)


def _pairs(values: Any) -> Iterator[dict[str, str]]:
    """Yield every name with each of its values: a name may be there several times."""
    return ({name: value} for name, several in values.lists() for value in several)
