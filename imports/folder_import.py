"""Import of a folder of files of facts, in an order in which each file finds the rows that it refers to."""

import difflib
from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path

from django.utils.translation import gettext as _

from imports.importer import ImportResult, import_file
from imports.registry import all_schemas
from imports.schema import FileSchema, OnError, RowError

SUFFIXES = (".csv", ".xlsx")
IGNORED = (".", "~$")
"""Beginnings of the names of files that systems and spreadsheet programs put into a folder by themselves."""


def import_folder(
    folder: Path, *, zone: tzinfo, now: datetime, on_error: OnError, on_result: Callable[[ImportResult], object] = bool
) -> bool:
    """Import each known file of `folder`, pass each result to `on_result`, and return whether all files succeeded.

    A file with errors does not stop the others, except those that refer to rows which are then missing. A file that is
    no file of facts is an error, because its name may be misspelt; so is a folder without any.
    """
    errors = 0

    def report(name: str, reason: str) -> None:
        nonlocal errors
        errors += 1
        on_error(RowError(name, 0, "", "", reason))

    known, strangers = _sorted_files(folder)
    for name, reason in strangers:
        report(name, reason)
    if not known:
        report(folder.name or str(folder), _("holds no file of facts, such as merchants.csv"))
    for schema, paths in known.items():
        if len(paths) > 1:
            report(schema.name, _("is there more than once: %s") % ", ".join(path.name for path in paths))
            continue
        result = import_file(schema, paths[0], zone=zone, now=now, on_error=on_error)
        errors += result.errors
        on_result(result)
    return not errors


def _sorted_files(folder: Path) -> tuple[dict[FileSchema, list[Path]], list[tuple[str, str]]]:
    """Return the files of facts by schema, in the order of their import, and the other names with their reasons."""
    schemas = all_schemas()
    names = {f"{schema.name}{suffix}": schema for schema in schemas for suffix in SUFFIXES}
    found: dict[FileSchema, list[Path]] = {}
    strangers = []
    for path in sorted(folder.iterdir()):
        schema = names.get(path.name.lower()) if path.is_file() else None
        if schema:
            found.setdefault(schema, []).append(path)
        elif not path.name.startswith(IGNORED):
            strangers.append((path.name, _stranger(path.name, list(names))))
    return {schema: found[schema] for schema in schemas if schema in found}, strangers


def _stranger(name: str, known: list[str]) -> str:
    similar = difflib.get_close_matches(name.lower(), known, n=1)
    if similar:
        return _("is not a file of facts, and was not imported; is it %s?") % similar[0]
    return _("is not a file of facts, and was not imported")
