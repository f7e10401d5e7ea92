"""Idempotent writes: the Idempotency-Key of a request and its response are stored in the transaction of its effect.

A repeated request gets the stored response, for `IdempotencyRecord.RETENTION`. A request that failed leaves no record.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from hashlib import sha256
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from api import problem_types
from api.authentication import key_of
from api.models import IdempotencyRecord
from api.problems import ProblemError
from core.db import bulk_insert
from core.db.compiled_queries import AnyOfParameter, compiled_query, number
from core.db.pipeline import execute_deferred

HEADER = "Idempotency-Key"
MAX_LENGTH = 255
KEY_SCHEMA = {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH, "pattern": "^[!-~]+$"}
KEY_PARAMETER = [
    OpenApiParameter(HEADER, KEY_SCHEMA, OpenApiParameter.HEADER, required=True, description="identifies this request")
]
COLUMNS = ("api_key_id", "key", "digest", "status", "body", "at")
LOCK = "SELECT pg_try_advisory_xact_lock(n) FROM unnest(%s::bigint[]) n"
View = Callable[..., Response]


@dataclass(frozen=True)
class IdempotentRequest:
    """Identity of a write: the API key, the Idempotency-Key and a SHA-256 digest of method, path and body."""

    api_key_id: int
    key: str
    digest: str

    @property
    def lock_id(self) -> int:
        """Number of the PostgreSQL advisory lock for this API key and Idempotency-Key."""
        name = f"{self.api_key_id} {self.key}".encode(errors="surrogatepass")
        return int.from_bytes(sha256(name).digest()[:8], signed=True)


def idempotent(view: View) -> View:
    """Decorate a view method: run it in a transaction with its Idempotency-Key, or return the stored response.

    400 without a key, 422 if the key was used for a different request, 409 while the first request is being processed.
    """

    @wraps(view)
    def run_once(self: object, request: Request, *args: object, **kwargs: object) -> Response:
        identity = identify(request)
        with transaction.atomic():
            locked, stored = lock([identity])
            if not locked:
                raise ProblemError(problem_types.IN_PROGRESS)
            if identity in stored:
                return replay(stored[identity])
            response = view(self, request, *args, **kwargs)
            store([(identity, response)])
        return response

    return run_once


def identify(request: Request) -> IdempotentRequest:
    """Return the identity of a write. Raises ProblemError (400) without a valid Idempotency-Key."""
    key = request.headers.get(HEADER, "").strip()
    if not key or len(key) > MAX_LENGTH or not key.isprintable():
        raise ProblemError(problem_types.IDEMPOTENCY_KEY_MISSING, header=HEADER, n=MAX_LENGTH)
    content = repr((request.method, request.get_full_path(), _canonical(request.data)))
    digest = sha256(content.encode(errors="surrogatepass")).hexdigest()
    return IdempotentRequest(key_of(request).pk, key, digest)


def _canonical(data: object) -> Any:
    """Return JSON data in a form that does not depend on the order of names."""
    if isinstance(data, dict):
        return sorted((name, _canonical(value)) for name, value in data.items())
    return [_canonical(value) for value in data] if isinstance(data, list) else data


def lock(
    requests: Sequence[IdempotentRequest],
) -> tuple[list[IdempotentRequest], dict[IdempotentRequest, Response | ProblemError]]:
    """Lock the keys of some writes until the transaction ends.

    Returns the requests that could be locked, and among them for each whose key has been used the stored response, or
    the error if that was a different request. Keys that others have locked are not waited for.
    """
    fetch_locked = _send_locks(requests)
    # A statement sees what was committed before it began, so these read with the locks in hand.
    keys_of: dict[int, list[str]] = {}
    for request in requests:
        keys_of.setdefault(request.api_key_id, []).append(request.key)
    fetch_records = [_records().execute_deferred(api_key=api_key, keys=keys) for api_key, keys in keys_of.items()]
    locked = fetch_locked()
    by_key = {(request.api_key_id, request.key): request for request in locked}
    stored: dict[IdempotentRequest, Response | ProblemError] = {}
    for fetch in fetch_records:
        for api_key, key, digest, status, body, at in fetch():
            if used := by_key.get((api_key, key)):
                response = _stored_response(used, digest, status, body, at)
                if response is not None:
                    stored[used] = response
    return locked, stored


def _send_locks(requests: Sequence[IdempotentRequest]) -> Callable[[], list[IdempotentRequest]]:
    """Start locking the keys and return a function that waits for the requests whose keys are locked."""
    if connection.vendor != "postgresql":
        return lambda: list(requests)  # SQLite has a single writer at a time and needs no lock
    fetch = execute_deferred(LOCK, [[request.lock_id for request in requests]])
    return lambda: [request for request, (is_free,) in zip(requests, fetch(), strict=True) if is_free]


@compiled_query
def _records() -> "QuerySet[IdempotencyRecord, Any]":
    records = IdempotencyRecord.objects.filter(AnyOfParameter("key", "keys"), api_key=number("api_key"))
    return records.values_list(*COLUMNS)


def _stored_response(
    request: IdempotentRequest, digest: str, status: int, body: object, at: datetime
) -> Response | ProblemError | None:
    if at <= timezone.now() - IdempotencyRecord.RETENTION:
        IdempotencyRecord.objects.filter(api_key=request.api_key_id, key=request.key).delete()
        return None
    if digest != request.digest:
        return ProblemError(problem_types.IDEMPOTENCY_KEY_REUSED)
    return Response(body, status=status, headers={"Idempotent-Replayed": "true"})


def _storable(data: Any) -> dict[str, Any]:
    """Return a body without its secret: it is shown once and not stored."""
    return {**data, "secret": None} if "secret" in data else dict(data)  # nosec B105


def replay(stored: Response | ProblemError) -> Response:
    """Return the stored response, or raise the stored error."""
    if isinstance(stored, ProblemError):
        raise stored
    return stored


def store(responses: Sequence[tuple[IdempotentRequest, Response]]) -> None:
    """Store the responses of writes, in the transaction of their effects."""
    now = timezone.now()
    bulk_insert.write(
        IdempotencyRecord._meta.db_table,
        COLUMNS,
        [
            (request.api_key_id, request.key, request.digest, response.status_code, _storable(response.data), now)
            for request, response in responses
        ],
    )
