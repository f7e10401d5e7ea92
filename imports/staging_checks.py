"""Checks of staged rows as a set: against each other, and against the rows that are stored.

In all statements `s` is the staging table, `p` the table of the rows that the staged ones name.
"""
# ruff: noqa: S608

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection, models

from imports.columns import Column
from imports.schema import Agreement, FileSchema
from imports.staging_table import LINE, STAGE, distinct, number_of, quoted, streamed, table_of


def duplicates(schema: FileSchema) -> Iterator[tuple[int, int, str]]:
    """Yield each row that repeats a key: its line, the line where the key stands first, and the key."""
    keys = ", ".join(quoted(column.attname) for column in schema.key_columns)
    if not number_of(f"SELECT count(*) FROM (SELECT 1 FROM {STAGE} GROUP BY {keys} HAVING count(*) > 1 LIMIT 1) AS d"):
        return
    ranked = f"SELECT {LINE}, min({LINE}) OVER (PARTITION BY {keys}) AS first_line, {keys} FROM {STAGE}"
    for line, first_line, *values in streamed(
        f"SELECT * FROM ({ranked}) AS d WHERE {LINE} > first_line ORDER BY {LINE}"
    ):
        yield line, first_line, ", ".join(str(value) for value in values)


def missing_references(column: Column, parent: type[models.Model]) -> Iterator[tuple[int, str]]:
    """Yield each row that names a row of `parent` that is not stored: its line, and the name."""
    key = quoted(parent._meta.pk.attname)
    reference = quoted(column.attname)
    yield from streamed(
        f"SELECT s.{LINE}, s.{reference} FROM {STAGE} s LEFT JOIN {table_of(parent)} p ON p.{key} = s.{reference} "
        f"WHERE p.{key} IS NULL AND s.{reference} IS NOT NULL ORDER BY s.{LINE}"
    )


def disagreements(schema: FileSchema, rule: Agreement) -> Iterator[tuple[int, str, str | None, str | None]]:
    """Yield each row that names a row of another owner: its line, the name, the owner found, and the row's own."""
    column, other = schema.columns_by_name[rule.reference], schema.columns_by_name[rule.column]
    parent, reference = schema.references[column], quoted(column.attname)
    joined = f"JOIN {table_of(parent)} p ON p.{quoted(parent._meta.pk.attname)} = s.{reference}"
    own = f"s.{quoted(other.attname)}"
    if rule.by:
        owner = schema.references[other]
        joined += f" JOIN {table_of(owner)} q ON q.{quoted(owner._meta.pk.attname)} = {own}"
        own = f"q.{quoted(rule.by)}"
    found = f"p.{quoted(rule.owner)}"
    yield from streamed(
        f"SELECT s.{LINE}, s.{reference}, {found}, {own} FROM {STAGE} s {joined} "
        f"WHERE {distinct(found, own)} ORDER BY s.{LINE}"
    )


def owner_kind(schema: FileSchema, rule: Agreement) -> str:
    """Return the noun for the owner that both rows must have."""
    parent = schema.references[schema.columns_by_name[rule.reference]]
    field = next(field for field in parent._meta.concrete_fields if field.attname == rule.owner)
    return str(field.verbose_name)


def unknown_values(column: Column, known: "Sequence[models.QuerySet[Any, Any]]") -> Iterator[tuple[int, str]]:
    """Yield each row whose value of a column is in none of the queries: its line, and the value."""
    value = f"s.{quoted(column.attname)}"
    parameters: list[Any] = []
    absent = []
    for query in known:
        text, values = query.query.get_compiler(connection=connection).as_sql()
        absent.append(f"{value} NOT IN ({text})")
        parameters += values
    yield from streamed(
        f"SELECT s.{LINE}, {value} FROM {STAGE} s WHERE {' AND '.join(absent)} ORDER BY s.{LINE}", parameters
    )
