"""Decisions for many who ask at the same time: one of them decides for all, in one transaction.

Deciding for fifty costs little more than for one. So threads of a process that ask while another decides wait for it,
and then one of them decides for all who wait. Between processes the rows of the offers are the lock: who gets it takes
along everybody who has come meanwhile.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

from django.db import OperationalError, connection, transaction

from campaigns.engine import instant_claims
from campaigns.models import Decision
from core.db.errors import is_lock_timeout
from core.db.pipeline import pipeline

AT_ONCE = 200


def _let_go() -> None:
    """Where threads share fewer connections, who waits holds none."""
    if connection.settings_dict["OPTIONS"].get("pool"):
        connection.close()


def _shut() -> Lock:
    lock = Lock()
    lock.acquire()
    return lock


@dataclass(eq=False)
class Asking:
    """A subject that waits for its decision, or to decide for those who wait with it.

    `about` is whatever the desk wants to know of it, `answer` what the desk made of its decisions. `turn` is let go
    when it is its turn to go on: a bare lock, for it wakes a thread several times as fast as an event does.
    """

    subject: str
    of: str
    at: datetime
    about: Any = None
    turn: Lock = field(default_factory=_shut)
    decisions: list[Decision] | None = None
    answer: Any = None
    error: Exception | None = None


Admit = Callable[[Sequence[Asking]], Sequence[Asking]]
Conclude = Callable[[instant_claims.Held, Sequence[Asking]], None]


def _nothing(_held: instant_claims.Held, _decided: Sequence[Asking]) -> None:
    """A desk that has nothing more to do with the decisions."""


class Desk:
    """Where the threads of a process wait. One of them decides; when it ends, the first who waits is the next.

    `admit` says who of those together is to be decided for, `conclude` is told their decisions: both within the
    transaction that decides, so what they write stays or goes with it.
    """

    def __init__(self, admit: Admit = lambda some: some, conclude: Conclude = _nothing) -> None:
        self._lock = Lock()
        self._admit, self._conclude = admit, conclude
        self.waiting: list[Asking] = []
        self._busy = False

    def ask(self, asking: Asking) -> None:
        """Return when it is decided. Must not run inside a transaction. Raises its `error`, or what deciding raises."""
        with self._lock:
            self.waiting.append(asking)
            leads = not self._busy
            self._busy = True
        if not leads:
            _let_go()
            asking.turn.acquire()
            leads = asking in self.waiting
        if leads:
            try:
                self._serve(asking)
            finally:
                self._pass_on()
        if asking.error is not None:
            raise asking.error

    def _serve(self, first: Asking) -> None:
        """Decide for all who wait; where that fails, for each alone, so that nobody suffers from another's subject.

        Where somebody else holds the offers for too long, all of them are told so.
        """
        together = [first]
        try:
            with transaction.atomic(), pipeline():
                held = instant_claims.hold(first.of)
                together = self._together(first)
                self._decide(held, together)
        except Exception as error:
            if busy := is_lock_timeout(error):
                together += [one for one in self._together(first) if one not in together]
            with self._lock:
                self.waiting = [one for one in self.waiting if one is not first]
            for one in together:
                if busy:
                    one.error = OperationalError(*error.args)
                else:
                    self._alone(one)
        finally:
            for one in together:
                one.turn.release()

    def _alone(self, one: Asking) -> None:
        one.error = one.answer = None
        try:
            with transaction.atomic(), pipeline():
                self._decide(instant_claims.hold(one.of), [one])
        except Exception as error:  # told to who asked
            one.error = error

    def _decide(self, held: instant_claims.Held, together: Sequence[Asking]) -> None:
        admitted = self._admit(together)
        subjects = sorted({one.subject for one in admitted})
        found = instant_claims.decide(held, subjects, at=max(one.at for one in together)) if subjects else []
        for one in admitted:
            one.decisions = [decision for decision in found if decision.subject == one.subject]
        self._conclude(held, admitted)

    def _together(self, first: Asking) -> list[Asking]:
        with self._lock:
            together = [first, *(one for one in self.waiting if one.of == first.of and one is not first)][:AT_ONCE]
            self.waiting = [one for one in self.waiting if one not in together]
        return together

    def _pass_on(self) -> None:
        with self._lock:
            self._busy = bool(self.waiting)
            if self.waiting:
                self.waiting[0].turn.release()


DESK = Desk()


def ask(subject: str, *, of: str, at: datetime) -> list[Decision]:
    """What `claiming.claim` gives, together with everybody in this process who asks meanwhile.

    Must not run inside a transaction. Raises what `claiming.claim` raises.
    """
    mine = Asking(subject, of, at)
    DESK.ask(mine)
    return mine.decisions or []
