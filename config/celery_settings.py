"""Settings of Celery: delivery, redelivery and the schedule."""

from typing import Any

from celery.schedules import crontab
from django.conf import settings
from kombu import Queue

# Messages only say "work is waiting in the database", so the broker may lose them. Results are not stored.
broker_url = settings.REDIS_URL or "memory://localhost/"
# If Redis is down or hangs, a request waits one second at most; the next sweep picks the work up.
REDIS_OPTIONS: dict[str, Any] = {
    "socket_timeout": 1.0,
    "socket_connect_timeout": 1.0,
    "max_retries": 0,
    "visibility_timeout": 600,
    "unacked_restore_interval": 1,
}
broker_transport_options = REDIS_OPTIONS if settings.REDIS_URL else {"polling_interval": 0.05}
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
task_acks_late = True
task_reject_on_worker_lost = True
task_ignore_result = True
task_publish_retry = False
# Receivers of webhooks may be slow: their deliveries have a queue of their own, so that a worker for it can be started
# (`--queues webhooks`), and the others work on what does not wait for strangers (`--queues celery`). A worker without
# the option works on both.
task_queues = (Queue("celery"), Queue("webhooks"))
task_routes = {"campaigns.tasks.deliver": {"queue": "webhooks"}}
worker_prefetch_multiplier = 1
worker_hijack_root_logger = False
worker_cancel_long_running_tasks_on_connection_loss = False
timezone = "UTC"
beat_scheduler = "config.celery_beat:Scheduler"
# Each message expires when the next one is due, which does the same work.
beat_schedule = {
    "tick": {"task": "campaigns.tasks.tick", "schedule": crontab(), "options": {"expires": 60}},
    "sweep": {"task": "campaigns.tasks.sweep", "schedule": 30.0, "options": {"expires": 30}},
    "delete-expired-idempotency-records": {
        "task": "api.tasks.delete_expired_idempotency_records",
        "schedule": crontab(minute="*/10"),
        "options": {"expires": 60},
    },
    "check": {"task": "campaigns.tasks.check_invariants", "schedule": crontab(minute="17"), "options": {"expires": 60}},
}
