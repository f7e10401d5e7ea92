"""Addresses of the REST API: of objects in answers, and without the slash at their end."""

from collections.abc import Callable
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse

BASE = "/api/v1/"


def address(*parts: object) -> str:
    """Return the address of an object: `address("coupons", "A/1")` is `/api/v1/coupons/A%2F1/`."""
    return BASE + "".join(f"{quote(str(part), safe='')}/" for part in parts)


def with_slash(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: accept addresses of the API without the slash at their end. A redirect would lose the body."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(BASE) and not request.path_info.endswith("/"):
            request.path_info += "/"
            request.path += "/"
        return get_response(request)

    return answer
