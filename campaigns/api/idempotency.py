"""A write is done once, however often it is asked for: its key and its answer are stored with its effect."""

from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.api.authentication import key_of
from campaigns.api.problems import ProblemError
from campaigns.models import Call
from merchants.models import ApiKey

HEADER = "Idempotency-Key"
LONGEST = 255
Write = Callable[..., Response]


def once(write: Write) -> Write:
    """Do the write in a transaction with its Idempotency-Key, or give the answer that the key has got before.

    400 without a key, 422 where the key was used for another call, 409 while the first is still at work. What ends in
    an exception leaves nothing behind, so the key is free again.
    """

    @wraps(write)
    def done_once(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key, digest, program = _key(request), _digest(request), key_of(request)
        with transaction.atomic():
            _hold(program, key)
            now = timezone.now()
            Call.objects.filter(api_key=program, key=key, at__lte=now - Call.KEPT).delete()
            before = Call.objects.filter(api_key=program, key=key).first()
            if before is not None:
                return _again(before, digest)
            response = write(view, request, *args, **kwargs)
            Call.objects.create(
                api_key=program, key=key, digest=digest, status=response.status_code, body=response.data, at=now
            )
        return response

    return done_once


def _key(request: Request) -> str:
    key = request.headers.get(HEADER, "").strip()
    if not key or len(key) > LONGEST or not key.isprintable():
        text = _("The header %(header)s is needed: 1 to %(n)d printable characters that name this one call.")
        raise ProblemError(400, "idempotency_key_missing", text % {"header": HEADER, "n": LONGEST})
    return key


def _digest(request: Request) -> str:
    whole = repr((request.method, request.get_full_path(), _plain(request.data)))
    return sha256(whole.encode(errors="surrogatepass")).hexdigest()


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return sorted((name, _plain(value)) for name, value in data.items())
    return [_plain(value) for value in data] if isinstance(data, list) else data


def _hold(program: ApiKey, key: str) -> None:
    """Nobody else works under the key until the transaction ends. SQLite has one writer anyhow."""
    if connection.vendor != "postgresql":
        return
    number = int.from_bytes(sha256(f"{program.pk} {key}".encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        (got,) = cursor.fetchone()
    if not got:
        text = _("The first call with this key is still at work.")
        raise ProblemError(409, "in_progress", text, headers={"Retry-After": "1"})


def _again(before: Call, digest: str) -> Response:
    if before.digest != digest:
        raise ProblemError(422, "idempotency_key_reused", _("This key was used for another call."))
    return Response(before.body, status=before.status, headers={"Idempotent-Replayed": "true"})
