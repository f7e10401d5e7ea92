"""Import of a folder of files of facts, in an order in which each file finds the rows that it refers to."""

from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path

from django.utils.translation import gettext as _

from imports.importer import ImportResult, import_file
from imports.registry import all_schemas
from imports.schema import OnError, RowError

SUFFIXES = (".csv", ".xlsx")


def import_folder(
    folder: Path, *, zone: tzinfo, now: datetime, on_error: OnError, on_result: Callable[[ImportResult], object] = bool
) -> bool:
    """Import each known file of `folder`, pass each result to `on_result`, and return whether all files succeeded.

    A file with errors does not stop the others, except those that refer to rows which are then missing.
    """
    results = []
    for schema in all_schemas():
        paths = [path for suffix in SUFFIXES if (path := folder / f"{schema.name}{suffix}").is_file()]
        if len(paths) > 1:
            on_error(RowError(schema.name, 0, "", "", _("is there both as .csv and as .xlsx")))
            results.append(ImportResult(schema.name, errors=1))
        elif paths:
            results.append(import_file(schema, paths[0], zone=zone, now=now, on_error=on_error))
            on_result(results[-1])
    return all(result.succeeded for result in results)


def unknown_files(folder: Path) -> list[str]:
    """Return the names in `folder` that are not files of facts: one of them may be misspelt."""
    known = {f"{schema.name}{suffix}" for schema in all_schemas() for suffix in SUFFIXES}
    return sorted(path.name for path in folder.iterdir() if path.name not in known)
