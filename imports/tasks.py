"""Celery task of uploads."""

from celery import shared_task

from core import clock
from imports import upload_jobs
from imports.models import Upload


@shared_task
def work_on_upload(pk: int) -> None:
    """Check the upload with that key or, where it is confirmed, import it."""
    upload_jobs.run(Upload.objects.get(pk=pk), now=clock.now(), clock=clock.real)
