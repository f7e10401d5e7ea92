"""`manage.py write_error_docs`: write the error catalogue to `docs/errors.md`."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from api import error_pages


class Command(BaseCommand):
    help = "Write the error catalogue to docs/errors.md."

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / "docs" / "errors.md"
        path.write_text(error_pages.document(), encoding="utf-8")
