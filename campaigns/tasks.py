"""Celery's door: instants and ids in, verbs called, nothing decided here."""

from datetime import datetime, timedelta

from celery import shared_task

from campaigns.engine import ticker
from campaigns.models import Endpoint, Heartbeat, Simulation
from campaigns.monitoring import heartbeat, invariants
from campaigns.notifications import messages, webhooks
from campaigns.simulation import jobs
from core import clock
from identity import login_attempts, sessions
from imports import upload_jobs
from imports.tasks import work_on_upload

LOST = timedelta(seconds=30)
"""A message that was not heard for so long is taken for lost."""


@shared_task
def tick(at: str | None = None) -> None:
    """Do what is due at the ISO instant `at`, or now."""
    ticker.tick(at=datetime.fromisoformat(at) if at else clock.now())
    heartbeat.record(heartbeat.WORKER, at=clock.real())
    _tell()


@shared_task
def sweep() -> None:
    """Take up what was lost with a broker or a worker."""
    heartbeat.record(heartbeat.WORKER, at=clock.real())
    ticker.sweep(at=clock.now())
    login_attempts.forget(at=clock.real())
    sessions.forget()
    if not Heartbeat.objects.filter(pk=heartbeat.INVARIANTS).exists():
        check.delay()
    upload_jobs.QUEUE.fail_stalled(at=clock.real())
    lost = upload_jobs.QUEUE.waiting().filter(seen_at__lte=clock.real() - LOST)
    for upload in lost.values_list("pk", flat=True)[:1]:
        work_on_upload.delay(upload)
    jobs.QUEUE.fail_stalled(at=clock.real())
    for simulation in jobs.QUEUE.waiting()[:1]:
        try_draft.delay(simulation.pk)
    _tell()


@shared_task
def try_draft(trial: int) -> None:
    """Run the trial of that number; one that a lost message left waiting is taken up by the sweep."""
    jobs.run(Simulation.objects.get(pk=trial), clock=clock.real)


@shared_task
def check() -> None:
    """Look whether all invariants hold, and leave word for the board."""
    violated = ", ".join(violation.invariant.name for violation in invariants.check())
    heartbeat.record(heartbeat.INVARIANTS, at=clock.real(), message=violated)


@shared_task
def deliver(endpoint: int) -> None:
    """Send what is due to one endpoint."""
    webhooks.deliver(Endpoint.objects.get(pk=endpoint), clock=clock.real)


def _tell() -> None:
    messages.fan_out()
    for endpoint in webhooks.waiting(at=clock.real()):
        deliver.delay(endpoint)
    messages.send_mail(at=clock.now())
