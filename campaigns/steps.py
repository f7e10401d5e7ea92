"""Parts of a tick that are set aside when they keep ending their worker, so that the others go on (faults.md, F3).

A try is counted before it is made and the count is taken back when it ends: what kills its process leaves it behind.
"""

import hashlib
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from django.db import DatabaseError, OperationalError
from django.db.models import Case, F, Q, QuerySet, When
from django.db.models.functions import Now

from campaigns.models import Step

TRIES = 3
T = TypeVar("T")
logger = logging.getLogger(__name__)


def attempt(name: str, progress: object, work: Callable[[], T]) -> T | None:
    """Do `work`, which is to get further than `progress`. None where that was tried TRIES times and it is set aside.

    Raises what the work raises; a database that is not there is no fault of the work, and is not counted.
    """
    told = hashlib.sha256(str(progress).encode()).hexdigest()
    step, _ = Step.objects.get_or_create(name=name)
    again = Q(progress=told)
    mine = Step.objects.filter(pk=step.pk)
    tries = Case(When(again, then=F("tries") + 1), default=1)
    if not mine.filter(~again | Q(tries__lt=TRIES)).update(tries=tries, progress=told, tried_at=Now()):
        logger.error("set aside after %d tries: %s", TRIES, name)
        return None
    try:
        done = work()
    except OperationalError:
        with suppress(DatabaseError):
            mine.update(tries=F("tries") - 1)
        raise
    mine.update(tries=0)
    return done


def alone(name: str) -> None:
    """Have others wait with their try of a step until the transaction ends."""
    list(Step.objects.select_for_update(no_key=True).filter(pk=name))


def set_aside() -> QuerySet[Step]:
    """Steps that no tick tries any more."""
    return Step.objects.filter(tries__gte=TRIES).order_by("pk")


def try_again(steps: QuerySet[Step]) -> int:
    """Have the next tick try steps that were set aside. Returns how many were."""
    return steps.filter(tries__gte=TRIES).update(tries=0)
