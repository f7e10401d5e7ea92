"""django-import-export's preview, confirmation and export, over our own reading, taking and writing."""

import tempfile
import types
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from import_export import fields, resources
from import_export.formats.base_formats import Format
from import_export.results import Error, Result, RowResult

from core import spreadsheets
from imports import exports
from imports.cell_parsers import CellError
from imports.file_reader import UPLOAD_LIMIT
from imports.importer import ImportResult, import_file
from imports.schema import FileSchema, RowError

MOST_SHOWN = 100


@dataclass(frozen=True)
class Upload:
    """The bytes of a file that someone sent, and which kind they say it is."""

    content: bytes
    suffix: str


class Kind(Format):  # type: ignore[misc]  # the library has no types
    """A format as the library wants one. Reading is left to the taking, which refuses better."""

    name: ClassVar[str]
    content_type: ClassVar[str]

    def __init__(self, encoding: str | None = None) -> None:
        """Bytes are kept as bytes: which encoding they are in is found by looking at them."""

    def get_title(self) -> str:
        return self.name

    def get_extension(self) -> str:
        return self.name

    def get_content_type(self) -> str:
        return self.content_type

    def can_import(self) -> bool:
        return True

    def can_export(self) -> bool:
        return True

    def create_dataset(self, in_stream: bytes) -> Upload:
        return Upload(in_stream, f".{self.name}")


class Csv(Kind):
    name = "csv"
    content_type = spreadsheets.CONTENT_TYPES[name]

    def export_data(self, dataset: Any, **_options: Any) -> bytes:
        return spreadsheets.to_csv(dataset)


class Xlsx(Kind):
    name = "xlsx"
    content_type = spreadsheets.CONTENT_TYPES[name]

    def export_data(self, dataset: Any, **_options: Any) -> bytes:
        return spreadsheets.to_xlsx(dataset)


class Taken(Result):  # type: ignore[misc]
    """An outcome as the library's pages show one."""

    def __init__(self, outcome: ImportResult, complaints: list[RowError], columns: list[str]) -> None:
        super().__init__()
        self.outcome, self.complaints = outcome, complaints
        self.total_rows = outcome.rows
        self.totals[RowResult.IMPORT_TYPE_NEW] = outcome.added
        self.totals[RowResult.IMPORT_TYPE_UPDATE] = outcome.changed
        self.totals[RowResult.IMPORT_TYPE_SKIP] = outcome.unchanged
        self.diff_headers = columns
        for state, values in outcome.sample:
            row = RowResult()
            row.import_type, row.diff = state, [spreadsheets.to_cell(value) for value in values]
            self.append_row_result(row)

    def row_errors(self) -> list[tuple[int, list[Error]]]:
        shown = [(complaint.line, [Error(CellError(complaint.said))]) for complaint in self.complaints]
        if more := self.outcome.complaints - len(self.complaints):
            shown.append((0, [Error(CellError(_("and %d more") % more))]))
        return shown


class FactResource(resources.Resource):  # type: ignore[misc]
    """One kind of file, for the library."""

    file: ClassVar[FileSchema]

    @classmethod
    def get_display_name(cls) -> str:
        return cls.file.name

    def import_data(self, dataset: Upload, dry_run: bool = False, **options: Any) -> Taken:
        """Take the upload whole; for the preview, do all of it and then undo it."""
        complaints: list[RowError] = []

        def keep_some(complaint: RowError) -> None:
            if len(complaints) < MOST_SHOWN:
                complaints.append(complaint)

        with tempfile.NamedTemporaryFile(suffix=dataset.suffix) as copy:
            copy.write(dataset.content)
            copy.flush()
            outcome = import_file(
                self.file,
                Path(copy.name),
                zone=ZoneInfo(settings.TIME_ZONE),
                now=now(),
                report=keep_some,
                name=str(options.get("file_name") or f"{self.file.name}{dataset.suffix}"),
                limit=UPLOAD_LIMIT,
                keep=not dry_run,
            )
        return Taken(outcome, complaints, [column.name for column in self.file.columns])

    def export(self, queryset: "QuerySet[Any]", **_options: Any) -> Any:
        return exports.table(self.file, queryset)


def resource(file: FileSchema) -> type[FactResource]:
    """The library's resource for a file, made from the file's own columns."""
    columns = {column.name: fields.Field(column.attname, column.name) for column in file.columns}
    made: type[FactResource] = types.new_class(
        f"{file.model.__name__}Resource", (FactResource,), exec_body=lambda body: body.update(file=file, **columns)
    )
    return made


def now() -> datetime:
    """The business clock, which stands in a room above this one: settings name it, else it is the real time."""
    reading: datetime = import_string(getattr(settings, "BUSINESS_CLOCK", "django.utils.timezone.now"))()
    return reading
