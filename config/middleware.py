"""Middleware that answers unknown HTTP methods. Each view restricts the known ones itself."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

KNOWN_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def known_methods_only(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: answer 405 to TRACE and to methods that do not exist."""

    def answer(request: HttpRequest) -> HttpResponse:
        return get_response(request) if request.method in KNOWN_METHODS else HttpResponseNotAllowed(KNOWN_METHODS)

    return answer
