"""Record new rows at once, under an import batch of their own: facts that this server makes, not another system."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from django.db import connection, models

from core.db import bulk_insert
from core.db.pipeline import execute
from core.keys import normalize_key
from imports.models import ImportBatch, ImportedRecord

LONGEST_SOURCE = 200


def record(
    model: type[ImportedRecord], columns: Sequence[str], rows: Sequence[Sequence[object]], *, source: str, at: datetime
) -> None:
    """Insert new rows of a model, at the business instant `at`. The caller has checked what they refer to.

    On PostgreSQL the batch and its rows are one statement, which a pipeline does not wait for.
    """
    normal = [[normalize_key(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    source = source[:LONGEST_SOURCE]
    if connection.vendor == "postgresql":
        parameter = bulk_insert.as_json(columns, normal)
        execute(_statement(model, tuple(columns)), [source, at, len(rows), len(rows), parameter])
        return
    batch = ImportBatch.objects.create(source=source, recorded_at=at, rows=len(rows), added=len(rows))
    bulk_insert.write(model._meta.db_table, [*columns, "batch_id"], [[*row, batch.pk] for row in normal])


@lru_cache
def _statement(model: type[models.Model], columns: tuple[str, ...]) -> str:
    quote = connection.ops.quote_name
    batches, into, names = quote(ImportBatch._meta.db_table), quote(model._meta.db_table), list(map(quote, columns))
    each = ", ".join(f"new.{name}" for name in names)
    return f"""
        WITH batch AS (
            INSERT INTO {batches} (source, digest, recorded_at, rows, added, changed, future, processed)
            VALUES (%s, '', %s, %s, %s, 0, 0, false) RETURNING id
        )
        INSERT INTO {into} ({", ".join(names)}, batch_id)
        SELECT {each}, batch.id FROM batch, json_populate_recordset(NULL::{into}, %s) AS new
    """  # noqa: S608  quoted names
