"""Error responses of the REST API: `application/problem+json` (RFC 9457) with a stable code."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from api import problem_types
from api.authentication import ScopeMissingError
from api.problem_types import CATALOGUE, ProblemType
from api.renderers import PROBLEM
from core.db.errors import is_unavailable
from core.requests import described
from core.unusable_input import is_unusable_input
from imports.schema import RowError

logger = logging.getLogger(__name__)


class ProblemError(Exception):
    """An error response. `errors` point at faulty fields; `extra` are further members of the body."""

    def __init__(
        self,
        kind: ProblemType,
        *,
        errors: list[dict[str, str]] | None = None,
        extra: Mapping[str, Any] | None = None,
        **parameters: object,
    ) -> None:
        super().__init__(kind.code)
        self.kind, self.errors, self.extra, self.parameters = kind, errors or [], extra or {}, parameters

    def body(self) -> dict[str, Any]:
        """Return the problem object, in the current language."""
        detail = str(self.kind.detail)
        return {
            "type": self.kind.href,
            "title": str(self.kind.title),
            "status": self.kind.status,
            "code": self.kind.code,
            "detail": detail % self.parameters if self.parameters else detail,
            "errors": self.errors,
            **self.extra,
        }

    def response(self) -> Response:
        """Return the error response, in the current language."""
        return Response(self.body(), status=self.kind.status, headers=dict(self.kind.headers))


def handle(error: Exception, context: Any) -> Response:
    """Turn any exception of a view into a problem response (DRF's exception handler). Log unexpected ones."""
    if isinstance(error, ProblemError):
        set_rollback()
        return error.response()
    if (known := exception_handler(error, context)) is not None:
        problem = _from_drf(error, known.status_code)
        return Response(problem.body(), status=known.status_code, headers=dict(known.headers))
    set_rollback()
    if is_unusable_input(error):
        logger.warning("unusable input at %s", described(context["request"]), exc_info=error)
        return ProblemError(problem_types.INVALID).response()
    request_id = context["request"].headers.get("X-Request-ID", "")
    logger.error("%s failed, request %s", described(context["request"]), request_id, exc_info=error)
    return ProblemError(problem_types.UNAVAILABLE if is_unavailable(error) else problem_types.INTERNAL).response()


@csrf_exempt
def not_found(_request: HttpRequest) -> JsonResponse:
    """View of all paths of version 1 that do not exist."""
    return _without_view(problem_types.NOT_FOUND)


def bad_request(_request: HttpRequest) -> JsonResponse:
    """Answer a request that no view should see."""
    return _without_view(problem_types.INVALID)


def method_not_allowed(allowed: Sequence[str]) -> JsonResponse:
    """Answer a method that no address has."""
    response = _without_view(problem_types.METHOD_NOT_ALLOWED)
    response["Allow"] = ", ".join(allowed)
    return response


def server_error(*, is_unavailable: bool) -> JsonResponse:
    """Answer a request that failed outside of its view."""
    return _without_view(problem_types.UNAVAILABLE if is_unavailable else problem_types.INTERNAL)


def _without_view(kind: ProblemType) -> JsonResponse:
    body = ProblemError(kind).body()
    return JsonResponse(body, status=kind.status, content_type=PROBLEM, headers=dict(kind.headers))


def row_error(error: RowError, row: str) -> dict[str, str]:
    """Return an import error as an entry of `errors`. `row` is the JSON pointer of the row, empty for the body.

    An error of no single column, such as a repeated key of several, is one of the row.
    """
    pointer = f"{row}/{error.column.replace('.', '/')}" if error.column and ", " not in error.column else row
    return {"pointer": pointer, "code": error.code, "detail": error.reason}


def field_error(name: str, detail: str, code: str = "invalid") -> dict[str, str]:
    """Return an entry of `errors` for a member of the body."""
    return {"pointer": f"/{name}", "code": code, "detail": detail}


def _from_drf(error: Exception, status: int) -> ProblemError:
    if isinstance(error, Http404):
        return ProblemError(problem_types.NOT_FOUND)
    if isinstance(error, ScopeMissingError):
        return ProblemError(problem_types.SCOPE_MISSING, scope=error.scope)
    if isinstance(error, PermissionDenied | exceptions.PermissionDenied):
        return ProblemError(problem_types.BEYOND_KEY)
    assert isinstance(error, exceptions.APIException)
    if isinstance(error, exceptions.ValidationError):
        return ProblemError(problem_types.INVALID, errors=list(_field_errors(error.get_full_details(), "")))
    code = error.get_codes()
    kind = CATALOGUE.get(code if isinstance(code, str) else "", problem_types.INVALID)
    return ProblemError(replace(kind, status=status, detail=str(error.detail)))


def _field_errors(details: Any, pointer: str) -> Iterator[dict[str, str]]:
    """Flatten DRF's nested error details; a leaf is a dict of message and code."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield {"pointer": pointer, "code": str(details["code"]), "detail": str(details["message"])}
    elif isinstance(details, dict):
        for name, inner in details.items():
            yield from _field_errors(inner, pointer if name == "non_field_errors" else f"{pointer}/{name}")
    else:
        for n, inner in enumerate(details):
            is_leaf = isinstance(inner, dict) and set(inner) == {"message", "code"}
            yield from _field_errors(inner, pointer if is_leaf else f"{pointer}/{n}")
