"""Celery's door: instants and ids in, verbs called, nothing decided here."""

from datetime import datetime, timedelta

from celery import shared_task

from campaigns import clock, engine, invariants, messages, pulse, trials, webhooks
from campaigns.models import Call, Endpoint, Pulse, Trial
from merchants import attempts, sessions
from merchants.intake import background
from merchants.models import Upload
from merchants.tasks import work_on_upload

LOST = timedelta(seconds=30)
"""A message that was not heard for so long is taken for lost."""


@shared_task
def tick(at: str | None = None) -> None:
    """Do what is due at the ISO instant `at`, or now."""
    engine.tick(at=datetime.fromisoformat(at) if at else clock.now())
    pulse.show(pulse.WORKER, at=clock.real())
    _tell()


@shared_task
def sweep() -> None:
    """Take up what was lost with a broker or a worker."""
    pulse.show(pulse.WORKER, at=clock.real())
    engine.sweep(at=clock.now())
    attempts.forget(at=clock.real())
    sessions.forget()
    if not Pulse.objects.filter(pk=pulse.INVARIANTS).exists():
        check.delay()
    background.bury(at=clock.real())
    waiting = Upload.objects.filter(status__in=background.STEP, seen_at__lte=clock.real() - LOST)
    for upload in waiting.order_by("pk").values_list("pk", flat=True)[:1]:
        work_on_upload.delay(upload)
    trials.bury(at=clock.real())
    for trial in Trial.objects.filter(status=Trial.Status.WAITING).order_by("pk")[:1]:
        try_draft.delay(trial.pk)
    Call.objects.filter(at__lte=clock.real() - Call.KEPT).delete()
    _tell()


@shared_task
def try_draft(trial: int) -> None:
    """Run the trial of that number; one that a lost message left waiting is taken up by the sweep."""
    trials.run(Trial.objects.get(pk=trial), clock=clock.real)


@shared_task
def check() -> None:
    """Look whether all invariants hold, and leave word for the board."""
    broken = ", ".join(violation.invariant.name for violation in invariants.check())
    pulse.show(pulse.INVARIANTS, at=clock.real(), said=broken)


@shared_task
def deliver(endpoint: int) -> None:
    """Send what is due to one endpoint."""
    webhooks.deliver(Endpoint.objects.get(pk=endpoint), clock=clock.real)


def _tell() -> None:
    messages.spread()
    for endpoint in webhooks.waiting(at=clock.real()):
        deliver.delay(endpoint)
    messages.post(at=clock.now())
