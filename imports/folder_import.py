"""All the files of facts, in an order in which each finds the rows that it names."""

from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path

from django.utils.translation import gettext as _

from imports.importer import ImportResult, import_file
from imports.registry import all_schemas
from imports.schema import OnError, RowError

SUFFIXES = (".csv", ".xlsx")


def import_folder(
    folder: Path, *, zone: tzinfo, now: datetime, report: OnError, done: Callable[[ImportResult], object] = bool
) -> bool:
    """Take each file of `folder` that is there, tell `done` of each, and say whether all were taken.

    One that is refused keeps another out only where that names rows of it that are not stored.
    """
    outcomes = []
    for file in all_schemas():
        paths = [path for suffix in SUFFIXES if (path := folder / f"{file.name}{suffix}").is_file()]
        if len(paths) > 1:
            report(RowError(file.name, 0, "", "", _("is there both as .csv and as .xlsx")))
            outcomes.append(ImportResult(file.name, complaints=1))
        elif paths:
            outcomes.append(import_file(file, paths[0], zone=zone, now=now, report=report))
            done(outcomes[-1])
    return all(outcome.taken for outcome in outcomes)


def unknown_files(folder: Path) -> list[str]:
    """What lies in `folder` and is none of our files: perhaps one of them misspelt."""
    known = {f"{file.name}{suffix}" for file in all_schemas() for suffix in SUFFIXES}
    return sorted(path.name for path in folder.iterdir() if path.name not in known)
