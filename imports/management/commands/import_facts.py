"""`import_facts FOLDER`: import the files of facts of a folder, each as a whole or not at all."""

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from core import clock
from imports.column_mapping import ColumnMapping
from imports.columns import CellError
from imports.folder_import import import_folder
from imports.importer import ImportOptions, ImportResult
from imports.mapping_loader import load_mapping
from imports.mapping_text import MappingError
from imports.models import StoredMapping
from imports.schema import ErrorKinds, RowError
from imports.text_format import checked_encoding


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ArgumentTypeError(_("%s is not a time zone") % name) from error


def _encoding(name: str) -> str:
    try:
        return checked_encoding(name) if name else ""
    except CellError as error:
        raise ArgumentTypeError(str(error)) from error


class Command(BaseCommand):
    help = "Import the files of facts in a folder. Exit code 1, and errors on standard error, where a file has errors."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="folder of files, or one file")
        parser.add_argument(
            "--zone", type=_zone, default="Asia/Shanghai", help="time zone of instants without an offset"
        )
        parser.add_argument(
            "--mapping",
            action="append",
            default=[],
            help="YAML file that maps the columns of another system, or the name of a stored mapping; may be repeated",
        )
        parser.add_argument("--encoding", type=_encoding, default="", help="encoding of the text files, such as cp1252")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if not folder.is_dir() and not folder.is_file():
            raise CommandError(_("%s is not a folder") % folder)
        kinds = ErrorKinds()

        def on_error(error: RowError) -> None:
            kinds.add(error)
            self.stderr.write(str(error))

        succeeded = import_folder(
            folder,
            ImportOptions(zone=options["zone"], now=clock.now(), encoding=options["encoding"]),
            on_error=on_error,
            on_result=self._print,
            mappings=[_mapping(name) for name in options["mapping"]],
        )
        for line in kinds.repeated():
            self.stderr.write(line)
        if not succeeded:
            raise CommandError(_("not all files were imported"))

    def _print(self, result: ImportResult) -> None:
        for note in result.notes:
            self.stdout.write(f"{result.name}: {note}")
        self.stdout.write(str(result))


def _mapping(name: str) -> ColumnMapping:
    """Return the mapping of a file or, where there is no such file, the stored one of that name."""
    try:
        path = Path(name)
        if path.is_file():
            return load_mapping(path.read_text(encoding="utf-8-sig"))
        return load_mapping(StoredMapping.objects.get(name=name).text)
    except StoredMapping.DoesNotExist as error:
        raise CommandError(_("%s is neither a file nor a stored mapping") % name) from error
    except UnicodeDecodeError as error:
        raise CommandError(_("%s: not UTF-8") % name) from error
    except MappingError as error:
        raise CommandError("\n".join(f"{name} {problem}" for problem in error.problems)) from error
