"""Parts of a tick that are set aside when they keep ending their worker, so that the others go on (faults.md, F3).

A try is counted before it is made and the count is taken back when it ends: what kills its process leaves it behind.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import TypeVar

from django.db import DatabaseError, OperationalError, connection
from django.db.models import Case, F, Q, QuerySet, When
from django.db.models.functions import Now

from campaigns.models import TickStep

TRIES = 3
T = TypeVar("T")
logger = logging.getLogger(__name__)


def run_guarded(name: str, progress: object, work: Callable[[], T], *, shared: bool = False) -> T | None:
    """Do `work`, which is to get further than `progress`. None where that was tried TRIES times and it is set aside.

    Others wait with their try meanwhile, unless the work is `shared` by several. Raises what the work raises; a
    database that is not there is no fault of the work, and is not counted.
    """
    told = hashlib.sha256(str(progress).encode()).hexdigest()
    step, _ = TickStep.objects.get_or_create(name=name)
    with nullcontext() if shared else alone(name):
        return _counted(TickStep.objects.filter(pk=step.pk), told, work)


def _counted(mine: QuerySet[TickStep], progress: str, work: Callable[[], T]) -> T | None:
    again = Q(progress=progress)
    tries = Case(When(again, then=F("tries") + 1), default=1)
    if not mine.filter(~again | Q(tries__lt=TRIES)).update(tries=tries, progress=progress, tried_at=Now()):
        logger.error("set aside after %d tries: %s", TRIES, mine.get().name)
        return None
    try:
        done = work()
    except OperationalError:
        with suppress(DatabaseError):
            mine.update(tries=F("tries") - 1)
        raise
    mine.update(tries=0)
    return done


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Whoever tries a step has it to itself, from the counting to the end: longer than one transaction.

    PostgreSQL lets go by itself when a process dies; SQLite has one writer anyhow. The table stands for where the step
    is: that of a trial's sandbox is another one.
    """
    if connection.vendor != "postgresql":
        yield
        return
    key = f"hashtextextended(%s, '{TickStep._meta.db_table}'::regclass::oid::bigint)"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_lock({key})", [name])
    try:
        yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_unlock({key})", [name])


def set_aside() -> QuerySet[TickStep]:
    """Steps that no tick tries any more."""
    return TickStep.objects.filter(tries__gte=TRIES).order_by("pk")


def try_again(steps: QuerySet[TickStep]) -> int:
    """Have the next tick try steps that were set aside. Returns how many were."""
    return steps.filter(tries__gte=TRIES).update(tries=0)
