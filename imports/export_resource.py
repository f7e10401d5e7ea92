"""Export of facts through django-import-export: its pages and formats, in the columns of the files."""

import types
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from import_export import fields, resources
from import_export.formats.base_formats import Format

from core.facts import ATTRIBUTES
from core.spreadsheets import CONTENT_TYPES, to_csv, to_xlsx
from imports.declared_columns import with_declared
from imports.schema import FileSchema

CHUNK = 5_000


class ExportFormat(Format):  # type: ignore[misc]  # the library has no types
    """A format that only exports."""

    name: ClassVar[str]

    def get_title(self) -> str:
        return self.name

    def get_extension(self) -> str:
        return self.name

    def get_content_type(self) -> str:
        return CONTENT_TYPES[self.name]

    def can_export(self) -> bool:
        return True


class Csv(ExportFormat):
    name = "csv"

    def export_data(self, dataset: Any, **_options: Any) -> bytes:
        return to_csv(dataset)


class Xlsx(ExportFormat):
    name = "xlsx"

    def export_data(self, dataset: Any, **_options: Any) -> bytes:
        return to_xlsx(dataset)


class FactResource(resources.Resource):  # type: ignore[misc]
    """Resource of one file schema."""

    schema: ClassVar[FileSchema]

    @classmethod
    def get_display_name(cls) -> str:
        return cls.schema.name

    def export(self, queryset: "QuerySet[Any]", **_options: object) -> Any:
        return table(self.schema, queryset)


def table(schema: FileSchema, records: "QuerySet[Any]") -> Iterator[Sequence[object]]:
    """Yield the header of the schema's file and then a row for each record."""
    schema = with_declared(schema)
    yield [column.name for column in schema.columns]
    names = [column.attname for column in schema.own_columns]
    if not schema.attributes:
        yield from records.values_list(*names).iterator(CHUNK)
        return
    for *values, held in records.values_list(*names, ATTRIBUTES).iterator(CHUNK):
        yield [*values, *(attribute.read(held) for attribute in schema.attributes)]


def export_resource(schema: FileSchema) -> type[FactResource]:
    """Return the resource class of a schema, with the schema's columns."""
    columns = {column.name: fields.Field(column.attname, column.name) for column in schema.columns}
    resource: type[FactResource] = types.new_class(
        f"{schema.model.__name__}Resource",
        (FactResource,),
        exec_body=lambda body: body.update(schema=schema, **columns),
    )
    return resource
