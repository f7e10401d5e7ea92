"""Sender of webhooks: many deliveries to one endpoint at a time, over connections that are kept open."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException

from django.db.models import F
from urllib3.exceptions import HTTPError

from campaigns.models import Delivery, Endpoint
from campaigns.notifications import webhook_delivery, webhook_events, webhooks
from core.safe_http import AddressError, Answer, Receiver

GAPS = tuple(timedelta(seconds=n) for n in (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""The wait after the n-th failed try. After the last the delivery is given up until somebody replays it."""
LONGEST_WAIT = timedelta(days=1)
"""The longest wait that a receiver can ask for by Retry-After."""
CONNECTIONS = 16
RUN_SECONDS = 60
"""Time after which a run sends no more, so that its task ends; the next one goes on."""
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Result:
    """Result of one try: the answer of the receiver, or the error without one."""

    delivery: Delivery
    answer: Answer | None = None
    error: str = ""

    @property
    def status(self) -> int | None:
        return self.answer.status if self.answer else None

    @property
    def is_accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def deliver(endpoint: Endpoint, *, clock: Clock) -> int:
    """Send the deliveries that are due to one endpoint, until none is left or the time is up. Return how many arrived.

    The receiver slows the run down by 429 with Retry-After, and ends it by 410, which disables the endpoint.
    """
    try:
        with Receiver(endpoint.url) as receiver, ThreadPoolExecutor(CONNECTIONS) as pool:
            return _Run(endpoint, clock, receiver, pool).send_all()
    except AddressError as error:
        leased = webhook_delivery.lease(endpoint, clock())
        _record([Result(delivery, error=f"{type(error).__name__}: {error}"[:200]) for delivery in leased], clock())
        return 0


@dataclass
class _Run:
    """One run. Threads only send; this thread alone uses the database."""

    endpoint: Endpoint
    clock: Clock
    receiver: Receiver
    pool: ThreadPoolExecutor
    ends: float = field(default_factory=lambda: time.monotonic() + RUN_SECONDS)
    waiting: deque[tuple[Delivery, object]] = field(default_factory=deque)
    delivered: int = 0
    is_open: bool = True

    def send_all(self) -> int:
        """Keep all connections busy until nothing is due any more."""
        sending: set[Future[Result]] = set()
        finished: list[Result] = []
        while True:
            if len(self.waiting) < CONNECTIONS:
                self._finish(finished)
                finished = []
                self._refill()
            while self.waiting and len(sending) < CONNECTIONS and self.is_open:
                sending.add(self.pool.submit(self._send, *self.waiting.popleft()))
            if not sending:
                break
            done, sending = wait(sending, return_when=FIRST_COMPLETED)
            results = [future.result() for future in done]
            finished += results
            self.is_open = self.is_open and not any(self._closes(result) for result in results)
        self._finish(finished)
        self._release()
        return self.delivered

    def _refill(self) -> None:
        """Reserve more deliveries, with the endpoint as it is now, unless it was closed or the time is up."""
        at = self.clock()
        endpoint = webhook_delivery.open_endpoints(at=at).filter(pk=self.endpoint.pk).first()
        # The connections lead to the address with which the run began.
        is_same = endpoint is not None and endpoint.url == self.endpoint.url
        self.is_open = self.is_open and is_same and time.monotonic() < self.ends
        if self.is_open and endpoint is not None:
            self.endpoint = endpoint
            if leased := webhook_delivery.lease(endpoint, at):
                bodies = webhook_events.bodies(leased)
                self.waiting.extend((delivery, bodies[delivery.pk]) for delivery in leased)

    def _send(self, delivery: Delivery, body: object) -> Result:
        """Try once. Runs in a thread of the pool."""
        try:
            answer = self.receiver.post(*webhook_delivery.signed(self.endpoint, delivery, body, self.clock()))
        except (HTTPError, HTTPException, OSError) as error:
            return Result(delivery, error=f"{type(error).__name__}: {error}"[:200])
        return Result(delivery, answer)

    def _closes(self, result: Result) -> bool:
        """Act on what a receiver says about the whole endpoint, and return whether the run must stop sending."""
        at = self.clock()
        if result.status == HTTPStatus.GONE:
            webhooks.close(self.endpoint, at=at)
            return True
        if result.answer and result.status == HTTPStatus.TOO_MANY_REQUESTS:
            gap = _retry_after(result.answer, at)
            webhooks.hold(self.endpoint, until=at + gap)
            return gap > timedelta()
        return False

    def _finish(self, results: list[Result]) -> None:
        _record(results, self.clock())
        self.delivered += sum(result.is_accepted for result in results)

    def _release(self) -> None:
        """Make what was reserved and not sent due again."""
        keys = [delivery.pk for delivery, _body in self.waiting]
        Delivery.objects.filter(pk__in=keys).update(due_at=self.clock())


def _record(results: Sequence[Result], at: datetime) -> None:
    """Store the results of tries: those that arrived in one statement for each status."""
    accepted: dict[int | None, list[int]] = {}
    for result in results:
        if result.is_accepted:
            accepted.setdefault(result.status, []).append(result.delivery.pk)
        else:
            _record_failure(result, at)
    for status, keys in accepted.items():
        rows = Delivery.objects.filter(pk__in=keys)
        rows.update(tries=F("tries") + 1, status=status, error="", delivered_at=at, due_at=None)


def _record_failure(result: Result, at: datetime) -> None:
    delivery = result.delivery
    delivery.tries += 1
    delivery.status = result.status
    delivery.error = result.error or f"answered {result.status}"
    gap = GAPS[delivery.tries - 1] if delivery.tries <= len(GAPS) else None
    if gap is not None and result.answer and result.status in (429, 503):
        gap = _retry_after(result.answer, at) or gap
    delivery.due_at = None if gap is None else at + gap
    delivery.save(update_fields=["tries", "status", "error", "due_at"])


def _retry_after(answer: Answer, at: datetime) -> timedelta:
    """Return the wait that a receiver asks for, in seconds or as a date; zero without one, at most a day."""
    text = answer.retry_after.strip()
    if text.isascii() and text.isdecimal():
        return timedelta(seconds=min(int(text[:9]), LONGEST_WAIT.total_seconds()))
    try:
        wanted = parsedate_to_datetime(text) - at
    except (ValueError, TypeError):  # no date, or one without a zone
        return timedelta()
    return min(max(wanted, timedelta()), LONGEST_WAIT)
