"""Celery's door to imports: a number in, one verb called."""

from celery import shared_task
from django.utils import timezone

from merchants.intake import background
from merchants.intake.desk import FILES_BY_NAME
from merchants.intake.uploads import now
from merchants.models import Upload


@shared_task
def work_on_upload(pk: int) -> None:
    """Check the upload of that number or, where it is confirmed, take it."""
    upload = Upload.objects.get(pk=pk)
    background.run(upload, FILES_BY_NAME[upload.kind], now=now(), clock=timezone.now)
