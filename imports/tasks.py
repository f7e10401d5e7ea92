"""Celery's door to imports: a number in, one verb called."""

from celery import shared_task
from django.utils import timezone

from imports import upload_jobs
from imports.admin import FILES_BY_NAME
from imports.models import Upload
from imports.uploads import now


@shared_task
def work_on_upload(pk: int) -> None:
    """Check the upload of that number or, where it is confirmed, take it."""
    upload = Upload.objects.get(pk=pk)
    upload_jobs.run(upload, FILES_BY_NAME[upload.kind], now=now(), clock=timezone.now)
