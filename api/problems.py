"""Error catalogue of the REST API: each error is `application/problem+json` (RFC 9457) with a stable code."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from api.renderers import PROBLEM
from core.db.errors import RETRY_HEADERS, is_unavailable
from core.requests import described
from core.unusable_input import is_unusable_input
from imports.schema import RowError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProblemType:
    """One kind of error. `detail` is for people, in the language of the response; it may have `%(name)s` parameters."""

    status: int
    code: str
    detail: str | Promise
    headers: Mapping[str, str] = field(default_factory=dict)


INVALID = ProblemType(400, "invalid", _("The request is invalid. See errors."))
INVALID_FACTS = ProblemType(400, "invalid", _("Nothing was recorded, because some facts are invalid. See errors."))
IDEMPOTENCY_KEY_MISSING = ProblemType(
    400,
    "idempotency_key_missing",
    _("The header %(header)s is required: 1 to %(n)d printable characters that identify this request."),
)
SCOPE_MISSING = ProblemType(403, "scope_missing", _("This API key does not have the required scope."))
FACTS_SCOPE_MISSING = ProblemType(
    403,
    "scope_missing",
    _("Recording facts requires the scope “facts”. Without it, name a recorded subject by its key."),
)
NOT_FOUND = ProblemType(404, "not_found", _("Not found, or not accessible with this API key."))
CLAIM_REFUSED = _("No offer granted this subject a benefit. See answers.")
# The most final first: the response has the code of the first that any offer gave.
CLAIM_REFUSALS = {
    code: ProblemType(409, code, CLAIM_REFUSED)
    for code in ("quota_exhausted", "merchant_cap", "stopped", "refused", "before_opening")
}
ENDED = ProblemType(409, "ended", _("The benefit of this subject has ended. See state and answers."))
STEP_DONE = ProblemType(
    409, "step_done", _("%(fact)s is already recorded as %(at)s. To correct it, record the fact again.")
)
NO_COUPON = ProblemType(409, "no_coupon", "%(reason)s")
IN_PROGRESS = ProblemType(
    409,
    "in_progress",
    _("The first request with this idempotency key is still being processed."),
    {"Retry-After": "1"},
)
IDEMPOTENCY_KEY_REUSED = ProblemType(
    422, "idempotency_key_reused", _("This idempotency key was already used for a different request.")
)
INTERNAL = ProblemType(500, "internal", _("Internal error. Nothing was changed."))
UNAVAILABLE = ProblemType(
    503, "unavailable", _("The database is not available. Nothing was changed. Try again."), RETRY_HEADERS
)


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
            "type": "about:blank",
            "title": HTTPStatus(self.kind.status).phrase,
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
        return ProblemError(INVALID).response()
    logger.error("%s failed", described(context["request"]), exc_info=error)
    return ProblemError(UNAVAILABLE if is_unavailable(error) else INTERNAL).response()


@csrf_exempt
def not_found(_request: HttpRequest) -> JsonResponse:
    """View of all paths of version 1 that do not exist."""
    return _without_view(NOT_FOUND)


def bad_request(_request: HttpRequest) -> JsonResponse:
    """Answer a request that no view should see."""
    return _without_view(INVALID)


def _without_view(kind: ProblemType) -> JsonResponse:
    return JsonResponse(ProblemError(kind).body(), status=kind.status, content_type=PROBLEM)


def row_error(error: RowError, row: str) -> dict[str, str]:
    """Return an import error as an entry of `errors`. `row` is the JSON pointer of the row."""
    pointer = f"{row}/{error.column}" if error.column else row
    return {"pointer": pointer or "/", "code": "invalid", "detail": error.reason}


def _from_drf(error: Exception, status: int) -> ProblemError:
    if isinstance(error, Http404):
        return ProblemError(NOT_FOUND)
    if isinstance(error, PermissionDenied | exceptions.PermissionDenied):
        return ProblemError(SCOPE_MISSING)
    assert isinstance(error, exceptions.APIException)
    if isinstance(error, exceptions.ValidationError):
        return ProblemError(INVALID, errors=list(_field_errors(error.get_full_details(), "")))
    code = error.get_codes()
    return ProblemError(ProblemType(status, code if isinstance(code, str) else "error", str(error.detail)))


def _field_errors(details: Any, pointer: str) -> Iterator[dict[str, str]]:
    """Flatten DRF's nested error details; a leaf is a dict of message and code."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield {"pointer": pointer or "/", "code": str(details["code"]), "detail": str(details["message"])}
    elif isinstance(details, dict):
        for name, inner in details.items():
            yield from _field_errors(inner, pointer if name == "non_field_errors" else f"{pointer}/{name}")
    else:
        for n, inner in enumerate(details):
            is_leaf = isinstance(inner, dict) and set(inner) == {"message", "code"}
            yield from _field_errors(inner, pointer if is_leaf else f"{pointer}/{n}")
