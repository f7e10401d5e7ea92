"""Every refusal in one form: `application/problem+json` (RFC 9457), with a stable code and pointers to fields."""

import logging
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from api.renderers import PROBLEM
from core.db.errors import RETRY_HEADERS, is_unavailable
from imports.schema import RowError

logger = logging.getLogger(__name__)


@dataclass
class ProblemError(Exception):
    """A refusal: an HTTP status, a code that programs can rely on, and a text for people."""

    status: int
    code: str
    detail: str | Promise
    errors: list[dict[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The problem as it is sent."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": str(self.detail),
            "errors": self.errors,
            **self.more,
        }


def handle(error: Exception, context: Any) -> Response:
    """DRF's handler: whatever goes wrong becomes problem+json. What nobody expected is logged with where it was."""
    if isinstance(error, ProblemError):
        set_rollback()
        return Response(error.body(), status=error.status, headers=error.headers)
    known = exception_handler(error, context)
    if known is None:
        set_rollback()
        logger.error("%s failed", context["request"].path, exc_info=error)
        unexpected = _unexpected(error)
        return Response(unexpected.body(), status=unexpected.status, headers=unexpected.headers)
    problem = _of(error, known.status_code)
    return Response(problem.body(), status=known.status_code, headers=dict(known.headers))


@csrf_exempt
def nothing(_request: HttpRequest) -> JsonResponse:
    """A view for addresses of version 1 that there are not."""
    problem = _of(Http404(), HTTPStatus.NOT_FOUND)
    return JsonResponse(problem.body(), status=problem.status, content_type=PROBLEM)


def _unexpected(error: Exception) -> ProblemError:
    if is_unavailable(error):
        text = _("The database does not answer. Nothing was done; try again.")
        return ProblemError(503, "unavailable", text, headers=dict(RETRY_HEADERS))
    return ProblemError(500, "internal", _("Something went wrong here. Nothing was done."))


def _of(error: Exception, status: int) -> ProblemError:
    if isinstance(error, Http404):
        return ProblemError(status, "not_found", _("There is nothing at this address, or nothing of yours."))
    if isinstance(error, PermissionDenied | exceptions.PermissionDenied):
        return ProblemError(status, "scope_missing", _("This key does not have the scope that is needed."))
    assert isinstance(error, exceptions.APIException)
    if isinstance(error, exceptions.ValidationError):
        errors = list(_fields(error.get_full_details(), ""))
        return ProblemError(status, "invalid", _("Something in the request is wrong; see errors."), errors)
    code = error.get_codes()
    return ProblemError(status, code if isinstance(code, str) else "error", str(error.detail))


def _fields(details: Any, pointer: str) -> Any:
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield {"pointer": pointer or "/", "code": str(details["code"]), "detail": str(details["message"])}
    elif isinstance(details, dict):
        for name, inner in details.items():
            yield from _fields(inner, pointer if name == "non_field_errors" else f"{pointer}/{name}")
    else:
        for n, inner in enumerate(details):
            plain = isinstance(inner, dict) and set(inner) == {"message", "code"}
            yield from _fields(inner, pointer if plain else f"{pointer}/{n}")


def pointed(complaint: RowError, at: str) -> dict[str, str]:
    """A complaint of the intake as an error with its pointer; `at` leads to the row."""
    pointer = f"{at}/{complaint.column}" if complaint.column else at
    return {"pointer": pointer or "/", "code": "invalid", "detail": complaint.reason}
