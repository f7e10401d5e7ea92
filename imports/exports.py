"""Imported records as tables again, under the column names of their file."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from imports.schema import FileSchema

CHUNK = 5_000


def table(file: FileSchema, facts: "QuerySet[Any]") -> Iterator[Sequence[object]]:
    """Yield the header and then a row for each record."""
    yield [column.name for column in file.columns]
    yield from facts.values_list(*(column.attname for column in file.columns)).iterator(CHUNK)
