"""A write is done once, however often it is asked for: its key and its answer are stored with its effect."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from hashlib import sha256
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from api.authentication import key_of
from api.models import IdempotencyRecord
from api.problems import ProblemError
from core.db import bulk_insert
from core.db.compiled_queries import AnyOfParameter, compiled_query, number
from core.db.pipeline import execute_deferred

HEADER = "Idempotency-Key"
LONGEST = 255
NAME = {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[!-~]+$"}
ONCE = [OpenApiParameter(HEADER, NAME, OpenApiParameter.HEADER, required=True, description="names this one call")]
"""For the schema of a write."""
COLUMNS = ("api_key_id", "key", "digest", "status", "body", "at")
Write = Callable[..., Response]
LOCK = "SELECT pg_try_advisory_xact_lock(n) FROM unnest(%s::bigint[]) n"
# Told to callers of several languages by whoever looks for all of them.
REUSED = gettext_lazy("This key was used for another call.")
AT_WORK = gettext_lazy("The first call with this key is still at work.")


@dataclass(frozen=True)
class Ticket:
    """One call that is to be done once: whose it is, the key it names itself by, and a digest of all it says."""

    program: int
    key: str
    digest: str

    @property
    def number(self) -> int:
        """What stands for program and key among PostgreSQL's advisory locks."""
        named = f"{self.program} {self.key}".encode(errors="surrogatepass")
        return int.from_bytes(sha256(named).digest()[:8], signed=True)


def idempotent(write: Write) -> Write:
    """Do the write in a transaction with its Idempotency-Key, or give the answer that the key has got before.

    400 without a key, 422 where the key was used for another call, 409 while the first is still at work. What ends in
    an exception leaves nothing behind, so the key is free again.
    """

    @wraps(write)
    def done_once(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        mine = ticket(request)
        with transaction.atomic():
            free, before = admit([mine])
            if not free:
                raise in_progress()
            if before:
                return answered(before[mine])
            response = write(view, request, *args, **kwargs)
            store([(mine, response)])
        return response

    return done_once


def ticket(request: Request) -> Ticket:
    """The call's ticket. Raises ProblemError, 400, where it does not name itself."""
    key = request.headers.get(HEADER, "").strip()
    if not key or len(key) > LONGEST or not key.isprintable():
        text = _("The header %(header)s is needed: 1 to %(n)d printable characters that name this one call.")
        raise ProblemError(400, "idempotency_key_missing", text % {"header": HEADER, "n": LONGEST})
    whole = repr((request.method, request.get_full_path(), _plain(request.data)))
    return Ticket(key_of(request).pk, key, sha256(whole.encode(errors="surrogatepass")).hexdigest())


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return sorted((name, _plain(value)) for name, value in data.items())
    return [_plain(value) for value in data] if isinstance(data, list) else data


def admit(tickets: Sequence[Ticket]) -> tuple[list[Ticket], dict[Ticket, Response | ProblemError]]:
    """Those of the calls that nobody has at work, and nobody else will until the transaction ends; and what those of
    them that were done before were answered, or that their key was used for another call.

    Keys older than `IdempotencyRecord.KEPT` are forgotten. SQLite has one writer anyhow.
    """
    locked = execute_deferred(LOCK, [[one.number for one in tickets]]) if connection.vendor == "postgresql" else None
    # Each statement sees what was committed when it begins: with the locks in hand.
    programs = {one.program for one in tickets}
    found = {
        program: _before().execute_deferred(program=program, keys=[one.key for one in tickets]) for program in programs
    }
    free = [one for one, (got,) in zip(tickets, locked(), strict=True) if got] if locked else list(tickets)
    told: dict[Ticket, Response | ProblemError] = {}
    for program, fetch in found.items():
        mine = {one.key: one for one in free if one.program == program}
        for _program, key, digest, status, body, at in fetch():
            if key in mine and (answer := _again(mine[key], digest, status, body, at)) is not None:
                told[mine[key]] = answer
    return free, told


def _again(mine: Ticket, digest: str, status: int, body: Any, at: datetime) -> Response | ProblemError | None:
    if at <= timezone.now() - IdempotencyRecord.KEPT:
        IdempotencyRecord.objects.filter(api_key=mine.program, key=mine.key).delete()
        return None
    if digest != mine.digest:
        return ProblemError(422, "idempotency_key_reused", REUSED)
    return Response(body, status=status, headers={"Idempotent-Replayed": "true"})


def in_progress() -> ProblemError:
    """What a call is told whose first is still at work."""
    return ProblemError(409, "in_progress", AT_WORK, headers={"Retry-After": "1"})


@compiled_query
def _before() -> "QuerySet[IdempotencyRecord, Any]":
    calls = IdempotencyRecord.objects.filter(AnyOfParameter("key", "keys"), api_key=number("program"))
    return calls.values_list(*COLUMNS)


def answered(before: Response | ProblemError) -> Response:
    """The response; raises the problem."""
    if isinstance(before, ProblemError):
        raise before
    return before


def store(done: Sequence[tuple[Ticket, Response]]) -> None:
    """Keep the answers. Belongs into the transaction of the effects."""
    now = timezone.now()
    bulk_insert.write(
        IdempotencyRecord._meta.db_table,
        COLUMNS,
        [(one.program, one.key, one.digest, answer.status_code, dict(answer.data), now) for one, answer in done],
    )
