"""Batching across threads: callers that arrive while a batch is processed wait, and the next batch serves them all.

One transaction for fifty callers costs little more than one for a single caller. The first caller becomes the leader:
its thread processes the batch. Callers that arrive meanwhile are followers: their threads sleep. When the leader is
done, the follower that has waited longest leads the next batch.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

from django.db import OperationalError, connection

from core.db.errors import is_lock_timeout

MAX_BATCH = 200


def _locked() -> Lock:
    lock = Lock()
    lock.acquire()
    return lock


@dataclass(eq=False, kw_only=True)
class BatchItem:
    """One caller's request. Only items of the same group share a batch. Subclasses add the request and its result."""

    group: Hashable
    error: Exception | None = field(default=None, init=False)
    # A bare lock that is released to wake the caller's thread: several times as fast as threading.Event.
    _wake: Lock = field(default_factory=_locked, init=False, repr=False)


Item = TypeVar("Item", bound=BatchItem)


class Batch(Generic[Item]):
    """The items that are processed together. Callers can still join until `close` is called."""

    def __init__(self, leader: Item, join: "Callable[[Batch[Item]], None]") -> None:
        self.group = leader.group
        self.items = [leader]
        self._join = join

    def close(self) -> list[Item]:
        """Add the callers that wait and return all items, the leader's first.

        A processor that has to wait for a lock calls this with the lock in hand, so that callers that arrived while it
        waited are in the batch.
        """
        self._join(self)
        return self.items


class Batcher(Generic[Item]):
    """Queue of one process for one kind of request.

    `process` serves a batch in one transaction: it calls `Batch.close` and sets the result or the `error` of each item.
    If it raises, nothing of the transaction remains, and each item is processed again in a batch of its own: a faulty
    item spoils no other. If it raises because a lock was not free in time, all items and the callers that still wait
    get that error instead, because each of them would wait as long again.
    """

    def __init__(self, process: Callable[[Batch[Item]], None]) -> None:
        self._process = process
        self._mutex = Lock()
        self._has_leader = False
        self.waiting: list[Item] = []
        """Followers, the longest waiting first. Read it only to observe the queue."""

    def submit(self, item: Item) -> None:
        """Return when the item has been processed. Raise its error, if any. Must not be called in a transaction."""
        with self._mutex:
            leads = not self._has_leader
            self._has_leader = True
            if not leads:
                self.waiting.append(item)
        if not leads:
            _release_pooled_connection()
            item._wake.acquire()
            leads = self._leave_queue(item)
        if leads:
            try:
                self._lead(item)
            finally:
                self._wake_next_leader()
        if item.error is not None:
            raise item.error

    def _lead(self, leader: Item) -> None:
        batch = Batch(leader, self._join)
        try:
            self._process(batch)
        except Exception as error:
            if is_lock_timeout(error):
                for item in batch.close():
                    # An exception of its own for each thread: raising one adds to its traceback.
                    item.error = OperationalError(*error.args)
            else:
                for item in batch.items:
                    self._process_alone(item)
        finally:
            for item in batch.items:
                item._wake.release()

    def _process_alone(self, item: Item) -> None:
        item.error = None
        try:
            self._process(Batch(item, join=lambda _batch: None))
        except Exception as error:  # raised again in the thread of the caller
            item.error = error

    def _join(self, batch: Batch[Item]) -> None:
        """Move callers of the batch's group from the queue to the batch."""
        with self._mutex:
            room = MAX_BATCH - len(batch.items)
            joining = [item for item in self.waiting if item.group == batch.group][:room]
            self.waiting = [item for item in self.waiting if item not in joining]
        batch.items += joining

    def _leave_queue(self, item: Item) -> bool:
        """Return true if the item was woken to lead: it still waits. Otherwise a leader has processed it."""
        with self._mutex:
            if item not in self.waiting:
                return False
            self.waiting.remove(item)
            return True

    def _wake_next_leader(self) -> None:
        with self._mutex:
            self._has_leader = bool(self.waiting)
            if self.waiting:
                self.waiting[0]._wake.release()


def _release_pooled_connection() -> None:
    # Threads that share a pool of fewer connections must not occupy one while they sleep.
    if connection.settings_dict["OPTIONS"].get("pool"):
        connection.close()
