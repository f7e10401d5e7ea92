"""Project configuration: settings, addresses, Celery application, health and error pages."""

from config import checks
from config.celery import app as celery_app

__all__ = ["celery_app", "checks"]
