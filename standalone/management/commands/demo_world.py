"""`manage.py demo_world FOLDER`: the demonstration world as fact files."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from standalone.demo_data.generate import write

MOST = 99_999  # order numbers hold five digits of the merchant


class Command(BaseCommand):
    help = "Write the fact files of a generated, repeatable demonstration world into a folder."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="where to write; made if missing")
        parser.add_argument("--merchants", type=int, default=300, help="how many merchants (default: 300)")
        parser.add_argument("--seed", type=int, default=2022, help="another number, another world (default: 2022)")

    def handle(self, *args: object, folder: Path, merchants: int, seed: int, **options: object) -> None:
        if not 1 <= merchants <= MOST:
            raise CommandError(f"--merchants: {merchants} is not between 1 and {MOST}")
        for name, count in write(folder, merchants, seed).items():
            self.stdout.write(f"{name}: {count}")
