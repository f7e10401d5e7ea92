"""Celery task of password resets."""

from celery import shared_task

from core import clock
from identity import password_reset


@shared_task
def send_password_resets() -> None:
    """Send the links that were requested. The sweep does it too, if the message was lost."""
    password_reset.send_links(at=clock.real())
