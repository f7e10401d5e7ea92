"""Where everything is put together: settings, addresses, the Celery application."""

from config import checks
from config.celery import app as celery_app

__all__ = ["celery_app", "checks"]
