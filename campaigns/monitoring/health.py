"""Whether everything that must run does, and what to do where it does not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.db.models import Count, Min
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.engine import quarantine
from campaigns.models import Heartbeat, TickRun
from campaigns.monitoring import heartbeat
from campaigns.notifications import messages, webhooks
from core.formatting import format_number
from imports.models import ImportBatch

SILENCE = {heartbeat.BEAT: timedelta(seconds=40), heartbeat.WORKER: timedelta(seconds=60)}
"""After so long without a sign what shows one every 10 seconds, or 30, is taken for dead."""
TICK = timedelta(minutes=2)
LATE = timedelta(minutes=5)
UNCHECKED = timedelta(hours=26)
CROWDED = 100
QUEUE = "celery"


@dataclass(frozen=True)
class Check:
    """One thing that is looked at: what was found, and what to do where that is not well."""

    name: str | Promise
    ok: bool
    text: str
    remedy: str | Promise = ""
    key: str = ""


REMEDIES = {
    "beat": gettext_lazy("Start beat: celery -A config beat. Nothing falls due until then; it makes up for the time."),
    "worker": gettext_lazy("Start a worker: celery -A config worker. Or it is busy with a long run: look at the runs."),
    "tick": gettext_lazy("Look at the worker's log for what ended the run, then at beat and worker above."),
    "steps": gettext_lazy(
        "Each ended its worker several times. Look at the worker's log, then have it tried again: Steps of a tick."
    ),
    "queue": gettext_lazy("Start more workers. What waits is not lost: every message only says that it is time."),
    "facts": gettext_lazy("They are decided by the next tick: look at the tick above."),
    "mail": gettext_lazy("Look at the mail server and at EMAIL_URL; mail is tried again each half minute."),
    "webhooks": gettext_lazy("Look at its deliveries: ask its owner, replay what was given up, or disable it."),
    "invariants": gettext_lazy("Run manage.py check_invariants, pause the offers it names, and mend what it finds."),
}


def checks(*, now: datetime) -> list[Check]:
    """Everything that is looked at, as of `now` by the host's clock. Eight queries, one question to the broker."""
    pulses = {row.name: row for row in Heartbeat.objects.all()}
    return [
        beat := _alive(gettext_lazy("beat"), pulses.get(heartbeat.BEAT), heartbeat.BEAT, now),
        _worker(_alive(gettext_lazy("worker"), pulses.get(heartbeat.WORKER), heartbeat.WORKER, now), beat),
        _tick(now),
        _set_aside(),
        *_queue(),
        _waiting(now),
        _mail(now),
        _webhooks(now),
        _invariants(pulses.get(heartbeat.INVARIANTS), now),
    ]


def _alive(name: str | Promise, row: Heartbeat | None, key: str, now: datetime) -> Check:
    if row is None:
        return Check(name, False, _("never seen"), REMEDIES[key], key)
    text = _("seen %(ago)s ago") % {"ago": _ago(now - row.at)}
    return Check(name, now - row.at <= SILENCE[key], text, REMEDIES[key], key)


def _worker(worker: Check, beat: Check) -> Check:
    """A worker shows itself when beat calls it: while beat is silent nothing can be said of it."""
    if worker.ok or beat.ok:
        return worker
    return Check(worker.name, False, _("not to be seen while beat is silent"), key=worker.key)


def _tick(now: datetime) -> Check:
    name = gettext_lazy("last tick")
    run = TickRun.objects.exclude(finished_at=None).order_by("-pk").first()
    if run is None:
        return Check(name, False, _("none yet"), REMEDIES["tick"], "tick")
    words = {
        "ago": _ago(now - run.started_at),
        "decided": format_number(run.decided),
        "moved": format_number(run.moved),
    }
    text = _("%(ago)s ago: %(decided)s claims decided, %(moved)s grants moved") % words
    return Check(name, now - run.started_at <= TICK, text, REMEDIES["tick"], "tick")


def _set_aside() -> Check:
    names = ", ".join(map(str, quarantine.set_aside()))
    return Check(gettext_lazy("steps set aside"), not names, names or _("none"), REMEDIES["steps"], "steps")


def in_memory() -> bool:
    """Whether the broker is one that no other process could see."""
    return str(current_app.conf.broker_url).startswith("memory")


def queued() -> int | None:
    """How many messages wait; None where the broker does not answer, or none can be seen."""
    if in_memory():
        return None
    try:
        with current_app.connection_for_read() as connection:
            channel: Any = connection.channel()
            return int(channel.queue_declare(QUEUE, passive=True).message_count)
    except Exception as error:  # whatever a broker that is ill raises
        return 0 if "NOT_FOUND" in str(error) else None


def _queue() -> Iterator[Check]:
    if in_memory():
        return
    waiting = queued()
    text = _("does not answer") if waiting is None else _("%(n)s waiting") % {"n": format_number(waiting)}
    yield Check(gettext_lazy("queue"), waiting is not None and waiting < CROWDED, text, REMEDIES["queue"], "queue")


def _waiting(now: datetime) -> Check:
    found = ImportBatch.objects.filter(processed=False).aggregate(n=Count("pk"), oldest=Min("recorded_at"))
    text = _("%(n)s imports not looked at yet") % {"n": format_number(found["n"])}
    ok = found["oldest"] is None or now - found["oldest"] <= LATE
    return Check(gettext_lazy("facts"), ok, text, REMEDIES["facts"], "facts")


def _mail(now: datetime) -> Check:
    found = messages.to_mail().aggregate(n=Count("pk"), oldest=Min("event__recorded_at"))
    ok = found["oldest"] is None or now - found["oldest"] <= LATE
    return Check(
        gettext_lazy("mail"), ok, _("%(n)s waiting") % {"n": format_number(found["n"])}, REMEDIES["mail"], "mail"
    )


def _webhooks(now: datetime) -> Check:
    found = webhooks.standing(at=now)
    ok = not found["given_up"] and (found["oldest"] is None or now - found["oldest"] <= LATE)
    text = _("%(n)s waiting, %(failing)s failing, %(given_up)s given up")
    words = {name: format_number(found[name]) for name in ("n", "failing", "given_up")}
    return Check(gettext_lazy("webhooks"), ok, text % words, REMEDIES["webhooks"], "webhooks")


def _invariants(row: Heartbeat | None, now: datetime) -> Check:
    name = gettext_lazy("invariants")
    if row is None:
        return Check(name, False, _("not checked yet"), REMEDIES["invariants"], "invariants")
    words = {"ago": _ago(now - row.at), "broken": row.said}
    text = (_("broken %(ago)s ago: %(broken)s") if row.said else _("all held %(ago)s ago")) % words
    return Check(name, not row.said and now - row.at <= UNCHECKED, text, REMEDIES["invariants"], "invariants")


def _ago(passed: timedelta) -> str:
    """`12 s`, `5 min`, `3 h`."""
    seconds = max(0, int(passed.total_seconds()))
    if seconds < 120:
        return _("%(n)d s") % {"n": seconds}
    return _("%(n)d min") % {"n": seconds // 60} if seconds < 7200 else _("%(n)d h") % {"n": seconds // 3600}
