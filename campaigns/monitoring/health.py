"""Health checks: the processes and queues that must work all the time, with a remedy for each that does not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.db.models import Count, Min
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.engine import quarantine, quarantine_entries
from campaigns.models import Heartbeat, TickRun
from campaigns.monitoring import heartbeat, step_holders
from campaigns.notifications import mailing, webhook_delivery
from core.formatting import format_number
from imports.models import ImportBatch

MOST_SILENCE = {heartbeat.BEAT: timedelta(seconds=40), heartbeat.WORKER: timedelta(seconds=60)}
"""Time without a heartbeat after which a process counts as dead. Beat gives one every 10 seconds, a worker every 30."""
LATE_TICK = timedelta(minutes=2)
LONGEST_WAIT = timedelta(minutes=5)
LONGEST_STEP = timedelta(minutes=10)
OLDEST_INVARIANT_CHECK = timedelta(hours=26)
MOST_QUEUED = 100
SHOWN_ENTRIES = 3


@dataclass(frozen=True)
class Check:
    """Result of one check, with its remedy. `key` names the check in metrics."""

    name: str | Promise
    ok: bool
    text: str
    remedy: str | Promise = ""
    key: str = ""


REMEDIES = {
    "beat": gettext_lazy(
        "Start the scheduler: celery -A config beat. Until then nothing is processed; the next run makes up for it."
    ),
    "worker": gettext_lazy(
        "Start a worker: celery -A config worker. If one is running, it may be busy: look at the processing runs."
    ),
    "tick": gettext_lazy("Look for the error in the worker's log, then check scheduler and worker above."),
    "held": gettext_lazy(
        "Look for the process and at pg_stat_activity, sessions: %(sessions)s. If a session is stuck, end it with "
        "SELECT pg_terminate_backend(session): its work is rolled back, and the next run does it."
    ),
    "steps": gettext_lazy(
        "Each stopped its worker several times. Look at the worker's log, then retry it under Background jobs."
    ),
    "quarantine": gettext_lazy(
        "All others are processed. Correct the data or the offer, or report the error; look under Quarantine."
    ),
    "queue": gettext_lazy("Start more workers. Messages that wait are not lost."),
    "facts": gettext_lazy("The next run processes them: check the last run above."),
    "mail": gettext_lazy("Check the mail server and EMAIL_URL; mail is tried again every 30 seconds."),
    "webhooks": gettext_lazy(
        "Look at the deliveries of the endpoint: ask its owner, replay deliveries given up, or disable it."
    ),
    "invariants": gettext_lazy("Run manage.py check_invariants, pause the offers it lists, and correct what it finds."),
}


def checks(*, now: datetime) -> list[Check]:
    """Run all checks as of `now`, an instant of the host's clock: ten queries and one request to the broker."""
    heartbeats = {row.name: row for row in Heartbeat.objects.all()}
    beat = _process(gettext_lazy("scheduler"), heartbeats.get(heartbeat.BEAT), heartbeat.BEAT, now)
    worker = _process(gettext_lazy("worker"), heartbeats.get(heartbeat.WORKER), heartbeat.WORKER, now)
    return [
        beat,
        _worker(worker, beat),
        _tick(now),
        _held(now),
        _steps(),
        _quarantine(),
        *_queue(),
        _imports(now),
        _mail(now),
        _webhooks(now),
        _invariants(heartbeats.get(heartbeat.INVARIANTS), now),
    ]


def _process(name: str | Promise, row: Heartbeat | None, key: str, now: datetime) -> Check:
    if row is None:
        return Check(name, False, _("never seen"), REMEDIES[key], key)
    text = _("seen %(ago)s ago") % {"ago": _ago(now - row.at)}
    return Check(name, now - row.at <= MOST_SILENCE[key], text, REMEDIES[key], key)


def _worker(worker: Check, beat: Check) -> Check:
    """Return the check of the worker, which gives its heartbeats when beat calls it: unknown while beat is silent."""
    if worker.ok or beat.ok:
        return worker
    return Check(worker.name, False, _("unknown while the scheduler is silent"), key=worker.key)


def _tick(now: datetime) -> Check:
    name = gettext_lazy("last run")
    run = TickRun.objects.exclude(finished_at=None).order_by("-pk").first()
    if run is None:
        return Check(name, False, _("none yet"), REMEDIES["tick"], "tick")
    words = {
        "ago": _ago(now - run.started_at),
        "decided": format_number(run.decided),
        "moved": format_number(run.moved),
    }
    text = _("%(ago)s ago: %(decided)s claims decided, %(moved)s grants moved") % words
    return Check(name, now - run.started_at <= LATE_TICK, text, REMEDIES["tick"], "tick")


def _held(now: datetime) -> Check:
    held = step_holders.holders()
    long = [holder for holder in held if holder.since and now - holder.since > LONGEST_STEP]
    sessions = ", ".join(str(holder.pid) for holder in long)
    remedy = REMEDIES["held"] % {"sessions": sessions}
    text = "; ".join(_held_by(holder, now) for holder in held) or _("none")
    return Check(gettext_lazy("jobs at work"), not long, text, remedy, "held")


def _held_by(holder: step_holders.Holder, now: datetime) -> str:
    words = {"step": holder.step, "program": holder.program, "session": holder.pid, "n": format_number(holder.waiting)}
    text = _("%(step)s for %(time)s by %(program)s, session %(session)s, %(n)s waiting")
    return text % {**words, "time": _ago(now - (holder.since or now))}


def _steps() -> Check:
    names = ", ".join(map(str, quarantine.set_aside()))
    return Check(gettext_lazy("paused jobs"), not names, names or _("none"), REMEDIES["steps"], "steps")


def _quarantine() -> Check:
    entries = list(quarantine_entries.failed()[: SHOWN_ENTRIES + 1])
    lines = [f"{entry}: {entry.error}" for entry in entries[:SHOWN_ENTRIES]]
    if len(entries) > SHOWN_ENTRIES:
        lines.append(_("%(n)s entries in all") % {"n": format_number(quarantine_entries.failed().count())})
    text = "; ".join(lines) or _("empty")
    return Check(gettext_lazy("quarantine"), not entries, text, REMEDIES["quarantine"], "quarantine")


def in_memory() -> bool:
    """Return true for a broker inside this process, which no other process can see."""
    return str(current_app.conf.broker_url).startswith("memory")


def queued() -> int | None:
    """Return the number of messages that wait for a worker; None if the broker does not answer, or is in memory."""
    if in_memory():
        return None
    try:
        with current_app.connection_for_read() as connection:
            return sum(_length(connection.channel(), queue) for queue in current_app.amqp.queues)
    except Exception:  # each kind of broker raises errors of its own
        return None


def _length(channel: Any, queue: str) -> int:
    try:
        return int(channel.queue_declare(queue, passive=True).message_count)
    except Exception as error:  # as above
        if "NOT_FOUND" in str(error):
            return 0
        raise


def _queue() -> Iterator[Check]:
    if in_memory():
        return
    waiting = queued()
    text = _("does not answer") if waiting is None else _("%(n)s waiting") % {"n": format_number(waiting)}
    yield Check(gettext_lazy("queue"), waiting is not None and waiting < MOST_QUEUED, text, REMEDIES["queue"], "queue")


def _imports(now: datetime) -> Check:
    waiting = ImportBatch.objects.filter(processed=False).aggregate(n=Count("pk"), oldest=Min("recorded_at"))
    text = _("%(n)s imports not processed yet") % {"n": format_number(waiting["n"])}
    ok = waiting["oldest"] is None or now - waiting["oldest"] <= LONGEST_WAIT
    return Check(gettext_lazy("facts"), ok, text, REMEDIES["facts"], "facts")


def _mail(now: datetime) -> Check:
    waiting = mailing.unsent().aggregate(n=Count("pk"), oldest=Min("event__recorded_at"))
    ok = waiting["oldest"] is None or now - waiting["oldest"] <= LONGEST_WAIT
    return Check(
        gettext_lazy("mail"), ok, _("%(n)s waiting") % {"n": format_number(waiting["n"])}, REMEDIES["mail"], "mail"
    )


def _webhooks(now: datetime) -> Check:
    waiting = webhook_delivery.summary(at=now)
    ok = not waiting["given_up"] and (waiting["oldest"] is None or now - waiting["oldest"] <= LONGEST_WAIT)
    text = _("%(n)s waiting, %(failing)s failing, %(given_up)s given up")
    words = {name: format_number(waiting[name]) for name in ("n", "failing", "given_up")}
    return Check(gettext_lazy("webhooks"), ok, text % words, REMEDIES["webhooks"], "webhooks")


def _invariants(row: Heartbeat | None, now: datetime) -> Check:
    name = gettext_lazy("data checks")
    if row is None:
        # The first check starts within a minute; if no worker can run it, the check of the worker fails.
        return Check(name, True, _("not checked yet"), REMEDIES["invariants"], "invariants")
    words = {"ago": _ago(now - row.at), "violated": row.message}
    text = (_("failed %(ago)s ago: %(violated)s") if row.message else _("passed %(ago)s ago")) % words
    return Check(
        name, not row.message and now - row.at <= OLDEST_INVARIANT_CHECK, text, REMEDIES["invariants"], "invariants"
    )


def _ago(passed: timedelta) -> str:
    """Return a length of time as `12 s`, `5 min` or `3 h`."""
    seconds = max(0, int(passed.total_seconds()))
    if seconds < 120:
        return _("%(n)d s") % {"n": seconds}
    return _("%(n)d min") % {"n": seconds // 60} if seconds < 7200 else _("%(n)d h") % {"n": seconds // 3600}
