"""`manage.py prepare`: whatever must be there before anything is served. Does nothing where nothing is missing."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from core.translations import compile_catalogs
from standalone.demo_data import load


class Command(BaseCommand):
    """Catalogs, tables, static files; and the contents of a demonstration on its first start."""

    help = _("Compile catalogs, migrate, collect static files, and fill a demonstration on its first start.")
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        compile_catalogs()
        self._migrate()
        call_command("collectstatic", interactive=False, verbosity=0)
        if settings.DEMO and not load.is_open():
            self.stdout.write(_("First start: filling the demonstration"))
            load.open_demonstration(say=lambda step: self.stdout.write(f"  {step}"))

    def _migrate(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write(_("Preparing the database"))
            call_command("migrate", interactive=False, verbosity=0)
