"""`manage.py prepare`: prepare an installation for its first start or after an upgrade. Safe to repeat."""

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from core import clock
from core.translations import compile_catalogs
from merchants import api_keys
from standalone.demo_data import load
from standalone.terminal import terminal_language


class Command(BaseCommand):
    """Compile translations, migrate, collect static files, and fill a demonstration on its first start."""

    help = _("Compile translations, migrate, collect static files, and fill a demonstration on its first start.")
    requires_system_checks: list[str] = []

    def handle(self, *args: object, **options: object) -> None:
        compile_catalogs()
        with terminal_language():
            self._migrate()
            call_command("collectstatic", interactive=False, verbosity=0)
            if settings.DEMO and not load.is_loaded():
                self.stdout.write(_("First start: loading the demonstration"))
                load.load_demonstration(report=lambda step: self.stdout.write(f"  {step}"))
            if settings.DEMO:
                api_keys.ensure_sandbox(at=clock.real())

    def _migrate(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write(_("Preparing the database"))
            call_command("migrate", interactive=False, verbosity=0)
