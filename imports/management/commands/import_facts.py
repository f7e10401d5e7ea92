"""`import_facts FOLDER`: import the files of facts of a folder, each as a whole or not at all."""

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from core import clock
from imports.folder_import import import_folder


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ArgumentTypeError(_("%s is not a time zone") % name) from error


class Command(BaseCommand):
    help = "Import the files of facts in a folder. Exit code 1, and errors on standard error, where a file has errors."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--zone", type=_zone, default="Asia/Shanghai", help="time zone of instants without an offset"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if not folder.is_dir():
            raise CommandError(_("%s is not a folder") % folder)
        succeeded = import_folder(
            folder,
            zone=options["zone"],
            now=clock.now(),
            on_error=lambda error: self.stderr.write(str(error)),
            on_result=lambda result: self.stdout.write(str(result)),
        )
        if not succeeded:
            raise CommandError(_("not all files were imported"))
