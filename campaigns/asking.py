"""Decisions for many who ask at the same time: one of them decides for all, in one transaction.

Deciding for fifty costs little more than for one. So threads of a process that ask while another decides wait for it,
and then one of them decides for all who wait. Between processes the rows of the offers are the lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock

from campaigns import claiming
from campaigns.models import Decision

AT_ONCE = 200


@dataclass(eq=False)
class Asking:
    """A subject that waits for its decision, or to decide for those who wait with it."""

    subject: str
    of: str
    at: datetime
    turn: Event = field(default_factory=Event)
    decisions: list[Decision] | None = None
    error: Exception | None = None


class Desk:
    """Where the threads of a process wait. One of them decides; when it ends, the first who waits is the next."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.waiting: list[Asking] = []
        self._busy = False

    def ask(self, asking: Asking) -> None:
        """Return when it is decided."""
        with self._lock:
            self.waiting.append(asking)
            leads = not self._busy
            self._busy = True
        if not leads:
            asking.turn.wait()
            leads = asking.decisions is None and asking.error is None
        if leads:
            try:
                _decide(self._together(asking))
            finally:
                self._pass_on()

    def _together(self, first: Asking) -> list[Asking]:
        with self._lock:
            together = [first, *(one for one in self.waiting if one.of == first.of and one is not first)][:AT_ONCE]
            self.waiting = [one for one in self.waiting if one not in together]
        return together

    def _pass_on(self) -> None:
        with self._lock:
            self._busy = bool(self.waiting)
            if self.waiting:
                self.waiting[0].turn.set()


DESK = Desk()


def ask(subject: str, *, of: str, at: datetime) -> list[Decision]:
    """What `claiming.claim` gives, together with everybody in this process who asks meanwhile.

    Must not run inside a transaction. Raises what `claiming.claim` raises.
    """
    mine = Asking(subject, of, at)
    DESK.ask(mine)
    if mine.decisions is None:
        raise mine.error or RuntimeError("nobody decided")
    return mine.decisions


def _decide(together: Sequence[Asking]) -> None:
    """Decide for all of them; where that fails, for each alone, so that nobody suffers from another's subject."""
    try:
        _claim(together)
    except Exception:
        for one in together:
            try:
                _claim([one])
            except Exception as error:  # told to who asked
                one.error = error
    finally:
        for one in together:
            one.turn.set()


def _claim(together: Sequence[Asking]) -> None:
    subjects = sorted({one.subject for one in together})
    found = claiming.claim_all(subjects, of=together[0].of, at=max(one.at for one in together))
    for one in together:
        one.decisions = [decision for decision in found if decision.subject == one.subject]
