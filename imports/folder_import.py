"""Import of a folder of files of facts, in an order in which each file finds the rows that it refers to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from django.utils.translation import gettext as _

from core.similar_words import nearest_word
from imports.column_mapping import ColumnMapping
from imports.importer import ImportOptions, ImportResult, import_file
from imports.registry import all_schemas
from imports.schema import FileSchema, OnError, RowError

SUFFIXES = (".csv", ".xlsx")
IGNORED = (".", "~$")
"""Beginnings of the names of files that systems and spreadsheet programs put into a folder by themselves."""


@dataclass(frozen=True)
class FoundFile:
    """A file to import: its kind of facts, and its mapping if it has the columns of another system."""

    path: Path
    schema: FileSchema
    mapping: ColumnMapping | None = None


def import_folder(
    folder: Path,
    options: ImportOptions,
    *,
    on_error: OnError,
    on_result: Callable[[ImportResult], object] = bool,
    mappings: Sequence[ColumnMapping] = (),
) -> bool:
    """Import each known file of `folder`, pass each result to `on_result`, and return whether all files succeeded.

    A file with errors does not stop the others, except those that refer to rows which are then missing. A file that is
    no file of facts and has no mapping is an error, because its name may be misspelt; so is a folder without any.
    `folder` may be a single file: then a single mapping is for it, whatever its name.
    """
    files, problems = _sorted_files(folder, mappings)
    for name, reason in problems:
        on_error(RowError(name, 0, "", "", reason))
    succeeded = not problems
    for file in files:
        result = import_file(file.schema, file.path, replace(options, mapping=file.mapping), on_error=on_error)
        succeeded = succeeded and result.succeeded
        on_result(result)
    return succeeded


def _sorted_files(folder: Path, mappings: Sequence[ColumnMapping]) -> tuple[list[FoundFile], list[tuple[str, str]]]:
    """Return the files of facts in the order of their import, and the names of what is not imported with reasons."""
    schemas = all_schemas()
    names = {f"{schema.name}{suffix}": schema for schema in schemas for suffix in SUFFIXES}
    single = folder.is_file()
    files: list[FoundFile] = []
    strangers = []
    for path in [folder] if single else sorted(folder.iterdir()):
        mapping = next((candidate for candidate in mappings if candidate.matches(path.name)), None)
        if single and len(mappings) == 1:
            mapping = mappings[0]
        schema = mapping.schema if mapping else names.get(path.name.lower())
        if schema and path.is_file():
            files.append(FoundFile(path, schema, mapping))
        elif not path.name.startswith(IGNORED):
            strangers.append((path.name, _stranger(path.name, list(names))))
    if not files:
        strangers.append((folder.name or str(folder), _("holds no file of facts, such as merchants.csv")))
    return _without_twins(sorted(files, key=lambda file: schemas.index(file.schema)), strangers)


def _without_twins(
    files: Sequence[FoundFile], problems: list[tuple[str, str]]
) -> tuple[list[FoundFile], list[tuple[str, str]]]:
    """Leave out files of which there are several for the same facts, and add them to the problems."""
    twins: dict[str, list[FoundFile]] = {}
    for file in files:
        if not file.mapping:
            twins.setdefault(file.schema.name, []).append(file)
    repeated = {name: same for name, same in twins.items() if len(same) > 1}
    for name, same in repeated.items():
        names = ", ".join(file.path.name for file in same)
        problems.append((name, _("is there more than once: %s") % names))
    return [file for file in files if file.mapping or file.schema.name not in repeated], problems


def _stranger(name: str, known: list[str]) -> str:
    similar = nearest_word(name.lower(), known)
    if similar:
        return _("is not a file of facts, and was not imported; is it %s?") % similar
    return _("is not a file of facts, and was not imported")
