"""`manage.py demo_world FOLDER`: write the fact files of a generated marketplace."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from standalone.demo_data.generate import write_files
from standalone.terminal import terminal_language

MAX_MERCHANTS = 99_999  # order numbers contain the merchant's number with five digits


class Command(BaseCommand):
    """Write fact files. The same size and seed give the same files."""

    help = (
        "Write the fact files of a generated marketplace into a folder. Same size and seed, same files. Requests name "
        "the offers of marketplace-2022: load it before you import them."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="target folder, created if missing")
        parser.add_argument("--merchants", type=int, default=300, help="number of merchants (default: 300)")
        parser.add_argument("--season-only", action="store_true", help="leave out buyers, listings and services")
        parser.add_argument("--seed", type=int, default=2022, help="seed of the generator (default: 2022)")

    def handle(
        self, *args: object, folder: Path, merchants: int, seed: int, season_only: bool, **options: object
    ) -> None:
        with terminal_language():
            if not 1 <= merchants <= MAX_MERCHANTS:
                text = _("--merchants must be between 1 and %(max)s, not %(n)s.")
                raise CommandError(text % {"n": merchants, "max": MAX_MERCHANTS})
            for name, count in write_files(folder, merchants, seed, season_only=season_only).items():
                self.stdout.write(f"{name}: {count}")
