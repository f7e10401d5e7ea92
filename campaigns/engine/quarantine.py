"""Quarantine: skip a step of the tick that keeps killing its worker, so that the other steps go on.

An attempt is counted before it starts, and the count is reset when it ends: only an attempt that kills its process, or
raises, leaves a count behind.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Case, F, Q, QuerySet, When
from django.db.models.functions import Now

from campaigns.models import TickStep
from core.db.errors import is_canceled, is_transient
from core.db.statement_limit import limited_statements

TRIES = 3
T = TypeVar("T")
logger = logging.getLogger(__name__)


def run_guarded(name: str, progress: object, work: Callable[[], T], *, shared: bool = False) -> T | None:
    """Run `work`, which starts from `progress`. Returns None if that failed TRIES times: the step is in quarantine.

    One process runs a step at a time, unless the work is `shared`. Raises the errors of the work. An unreachable
    database is not counted as a failure of the work.
    """
    digest = hashlib.sha256(str(progress).encode()).hexdigest()
    step, _ = TickStep.objects.get_or_create(name=name)
    with nullcontext() if shared else alone(name):
        return _counted(TickStep.objects.filter(pk=step.pk), digest, work)


def _counted(mine: QuerySet[TickStep], progress: str, work: Callable[[], T]) -> T | None:
    again = Q(progress=progress)
    tries = Case(When(again, then=F("tries") + 1), default=1)
    if not mine.filter(~again | Q(tries__lt=TRIES)).update(tries=tries, progress=progress, tried_at=Now()):
        logger.error("quarantined after %d failed attempts: %s", TRIES, mine.get().name)
        return None
    try:
        with limited_statements(settings.TICK_STATEMENT_SECONDS):
            done = work()
    except (DatabaseError, InterfaceError) as error:
        if is_canceled(error):  # the statement is too slow: that is a failure of the work
            logger.error("PostgreSQL ended a statement, the next tick tries again: %s: %s", mine.get().name, error)
        elif is_transient(error):
            with suppress(DatabaseError, InterfaceError):
                mine.update(tries=F("tries") - 1)
        raise
    mine.update(tries=0)
    return done


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Lock a step for this session, from the count to the end: longer than one transaction.

    PostgreSQL releases an advisory lock when its session dies. SQLite has one writer, so there is nothing to lock.
    """
    if connection.vendor != "postgresql":
        yield
        return
    # The table is part of the key: a step of a simulation, in temporary tables, is another step.
    key = f"hashtextextended(%s, '{TickStep._meta.db_table}'::regclass::oid::bigint)"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_lock({key})", [name])
    try:
        yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_unlock({key})", [name])


def set_aside() -> QuerySet[TickStep]:
    """Return the steps in quarantine."""
    return TickStep.objects.filter(tries__gte=TRIES).order_by("pk")


def try_again(steps: QuerySet[TickStep]) -> int:
    """Take steps out of quarantine: the next tick runs them. Returns how many were in it."""
    return steps.filter(tries__gte=TRIES).update(tries=0)
