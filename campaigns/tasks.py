"""Celery tasks. They take primary keys and ISO instants, and call the functions that do the work."""

from datetime import datetime, timedelta

from celery import shared_task

from campaigns.allowances import notices
from campaigns.engine import quarantine, ticker
from campaigns.models import Endpoint, Heartbeat, Simulation
from campaigns.monitoring import alarms, health, heartbeat, invariants
from campaigns.notifications import (
    distribution,
    mailing,
    operator_mail,
    operators,
    webhook_delivery,
    webhook_sender,
    webhooks,
)
from campaigns.simulation import jobs
from core import clock
from identity import password_reset, rate_limits, sessions
from imports import former_parents, upload_jobs
from imports.tasks import work_on_upload
from merchants import invitations

LOST = timedelta(seconds=30)
"""Time after which the message that announces an upload counts as lost."""


@shared_task
def tick(at: str | None = None) -> None:
    """Run a tick at the ISO instant `at`, or now, and send its notifications."""
    instant = datetime.fromisoformat(at) if at else clock.now()
    ticker.tick(at=instant)
    notices.send(at=instant)
    heartbeat.record(heartbeat.WORKER, at=clock.real())
    _send_notifications()


@shared_task
def sweep() -> None:
    """Do the work whose messages or worker were lost; beat calls this every 30 seconds."""
    heartbeat.record(heartbeat.WORKER, at=clock.real())
    ticker.sweep(at=clock.now())
    sessions.delete_expired()
    rate_limits.delete_expired(at=clock.real())
    password_reset.send_links(at=clock.real())
    invitations.announce(at=clock.real())
    webhooks.tell_owners(at=clock.real())
    if not Heartbeat.objects.filter(pk=heartbeat.INVARIANTS).exists():
        check_invariants.delay()
    upload_jobs.QUEUE.fail_stalled(at=clock.real())
    upload_jobs.expire(at=clock.real())
    former_parents.delete_processed()
    lost = upload_jobs.QUEUE.waiting().filter(seen_at__lte=clock.real() - LOST)
    for upload in lost.values_list("pk", flat=True)[:1]:
        work_on_upload.delay(upload)
    jobs.QUEUE.fail_stalled(at=clock.real())
    for simulation in jobs.QUEUE.waiting()[:1]:
        run_simulation.delay(simulation.pk)
    _tell_operators()
    _send_notifications()


@shared_task
def run_simulation(pk: int) -> None:
    """Run the simulation with that key. `sweep` starts one whose message was lost."""
    jobs.run(Simulation.objects.get(pk=pk), clock=clock.real)


@shared_task
def check_invariants() -> None:
    """Check all invariants and store the names of those that do not hold for the health checks."""
    violated = ", ".join(violation.invariant.name for violation in invariants.check())
    heartbeat.record(heartbeat.INVARIANTS, at=clock.real(), message=violated)


@shared_task
def deliver(pk: int) -> None:
    """Send the deliveries that are due to the endpoint with that key."""
    webhook_sender.deliver(Endpoint.objects.get(pk=pk), clock=clock.real)


def _tell_operators() -> None:
    operators.tell_all(quarantine.set_aside(), at=clock.now(), now=clock.real())
    failing = alarms.due(health.checks(now=clock.real()), now=clock.real())
    operators.tell_of_health([(check.key, check.name) for check in failing], at=clock.now())


def _send_notifications() -> None:
    distribution.fan_out()
    for endpoint in webhook_delivery.endpoints_due(at=clock.real()):
        deliver.delay(endpoint)
    mailing.send_mail(at=clock.now())
    operator_mail.send(at=clock.now())
