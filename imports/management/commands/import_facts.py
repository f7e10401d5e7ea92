"""`import_facts FOLDER`: the files of facts of a folder, each whole or not at all."""

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from core import clock
from imports.folder_import import import_folder, unknown_files
from imports.importer import ImportResult
from imports.schema import RowError


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ArgumentTypeError(_("%s is not a time zone") % name) from error


class Command(BaseCommand):
    help = "Imports the files of facts in a folder. Exit 0 when all were taken, else 1 and the bad rows on stderr."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--zone", type=_zone, default="Asia/Shanghai", help="where instants without an offset are read"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if not folder.is_dir():
            raise CommandError(_("%s is not a folder") % folder)
        for name in unknown_files(folder):
            self.stderr.write(_("%s: not a file of facts, passed over") % name)
        taken = import_folder(folder, zone=options["zone"], now=clock.now(), report=self.complain, done=self.tell)
        if not taken:
            raise CommandError(_("not all files were taken"))

    def complain(self, complaint: RowError) -> None:
        self.stderr.write(str(complaint))

    def tell(self, outcome: ImportResult) -> None:
        if not outcome.taken:
            wrong = _("%(name)s: not taken, %(complaints)d complaints")
            self.stdout.write(wrong % {"name": outcome.name, "complaints": outcome.complaints})
            return
        taken = _("%(name)s: %(added)d new, %(changed)d changed, %(unchanged)d unchanged, %(future)d in the future")
        counts = {"name": outcome.name, "added": outcome.added, "changed": outcome.changed}
        self.stdout.write(taken % {**counts, "unchanged": outcome.unchanged, "future": outcome.future})
