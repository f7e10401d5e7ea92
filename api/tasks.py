"""Background work of the REST API."""

from celery import shared_task

from api.models import IdempotencyRecord
from core import clock


@shared_task
def delete_expired_idempotency_records() -> None:
    """Delete the stored responses of idempotency keys that are no longer honoured."""
    IdempotencyRecord.objects.filter(at__lte=clock.real() - IdempotencyRecord.RETENTION).delete()
